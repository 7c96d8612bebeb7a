/** The compiled files that child processes start from; they lie beside this room in `dist`. */
export const WORKER_ENTRY = new URL('../jobs/worker-main.js', import.meta.url);
export const SAMPLER_ENTRY = new URL('../telemetry/sampler-main.js', import.meta.url);
