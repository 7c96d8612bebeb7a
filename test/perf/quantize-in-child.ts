import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { QuantizeTask } from '../../src/jobs/quantize-task.ts';

/** What one task took, as a process of its own. */
export interface Measured {
  readonly seconds: number;
  /** Of all threads, without loading modules. */
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
}

export interface MeasuredQuantization extends Measured {
  readonly calibrationSeconds: number;
}

/** Quantizes a model, or only runs it over the samples that its calibration would read (`run`). */
export async function measure(mode: 'quantize', task: QuantizeTask): Promise<MeasuredQuantization>;
export async function measure(mode: 'run', task: QuantizeTask): Promise<Measured>;
export async function measure(mode: 'run' | 'quantize', task: QuantizeTask): Promise<Measured> {
  const child = fileURLToPath(new URL('./quantize-cost-child.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...process.execArgv,
    child,
    mode,
    JSON.stringify(task),
  ]);
  return JSON.parse(stdout) as Measured;
}
