/** Read by ONNX Runtime when the first session of a process is made. */
const SWITCH = 'ORT_DISABLE_TELEMETRY';

/**
 * Keeps ONNX Runtime, whose Linux builds do so since 1.30, from sending what it sees of models and hosts to its maker, and from leaving
 * files of that in the home and temporary folders for every process. To be called in the main thread of a process, as threads cannot
 * change the environment that the runtime reads. Whoever has set the variable has decided otherwise.
 * Source: ONNX Runtime, docs/Privacy.md.
 */
export function disableRuntimeTelemetry(env: NodeJS.ProcessEnv = process.env): void {
  env[SWITCH] ??= '1';
}
