import { execFile } from 'node:child_process';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';

/** A GPU as NVIDIA's driver sees it. */
export interface NvidiaGpu {
  readonly name: string;
  readonly driverVersion: string;
  /** Absent where the driver does not tell. */
  readonly memoryBytes?: number;
}

export type NvidiaProblem = Problem<'nvidia-smi-missing' | 'nvidia-smi-failed'>;

const QUERY = ['--query-gpu=name,driver_version,memory.total', '--format=csv,noheader,nounits'];
const TIMEOUT_MS = 10_000;

/**
 * Asks nvidia-smi, which comes with the driver.
 * Errors: `nvidia-smi-missing`, `nvidia-smi-failed` with its words, also where it is too slow or answers otherwise.
 */
export async function queryNvidiaGpus({
  command = 'nvidia-smi',
  timeoutMs = TIMEOUT_MS,
}: {
  readonly command?: string;
  readonly timeoutMs?: number;
} = {}): Promise<Result<readonly NvidiaGpu[], NvidiaProblem>> {
  return new Promise((resolve) => {
    const failed = (reason: string) => resolve(err(problem('nvidia-smi-failed', `nvidia-smi ${reason}`)));
    const child = execFile(command, QUERY, (error, stdout, stderr) => {
      clearTimeout(timer);
      if (error === null) return resolve(parseNvidiaGpus(stdout));
      if (error.code === 'ENOENT') {
        return resolve(err(problem('nvidia-smi-missing', 'nvidia-smi is not installed')));
      }
      const [words] = `${stdout}\n${stderr}`.trim().split('\n');
      failed(words === undefined || words === '' ? `failed: ${error.message}` : `says: ${words}`);
    });
    // A driver that hangs keeps the process from ending even when it is killed, so nobody waits for it or for its words.
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      child.unref();
      child.stdout?.destroy();
      child.stderr?.destroy();
      failed(`gave no answer within ${timeoutMs / 1000} s`);
    }, timeoutMs);
  });
}

/** A line a GPU, memory in MiB: `NVIDIA H100 80GB HBM3, 550.54.15, 81559`. Errors: `nvidia-smi-failed`. */
export function parseNvidiaGpus(text: string): Result<readonly NvidiaGpu[], NvidiaProblem> {
  const gpus: NvidiaGpu[] = [];
  for (const line of text.split('\n').filter((candidate) => candidate.trim() !== '')) {
    const fields = line.split(',').map((field) => field.trim());
    const [memory, driverVersion, ...name] = fields.reverse();
    if (memory === undefined || driverVersion === undefined || name.length === 0) {
      return err(
        problem('nvidia-smi-failed', `nvidia-smi answers '${line}', which is not what it was asked`),
      );
    }
    const mebibytes = Number(memory);
    gpus.push({
      name: name.reverse().join(', '),
      driverVersion,
      ...(Number.isFinite(mebibytes) ? { memoryBytes: mebibytes * 2 ** 20 } : {}),
    });
  }
  return ok(gpus);
}
