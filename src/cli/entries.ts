import type { ConfinedEntry } from '../jobs/confinement/confined-entry.ts';
import { DEFAULT_LIMITS } from '../jobs/confinement/worker-limits.ts';

/** The compiled files that child processes start from; they lie beside this room in `dist`. */
export const WORKER_ENTRY: ConfinedEntry = {
  main: new URL('../jobs/worker-main.js', import.meta.url),
  launcher: new URL('../confinement/launch-main.cjs', import.meta.url),
  mode: 'auto',
  limits: DEFAULT_LIMITS,
};
export const SAMPLER_ENTRY = new URL('../telemetry/sampler-main.js', import.meta.url);
