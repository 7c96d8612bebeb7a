import { execFile } from 'node:child_process';
import { problem } from '../../../../core/problem.ts';
import { err, ok, type Result } from '../../../../core/result.ts';
import type { GpuProblem } from '../gpu-backend.ts';
import { SMI_MISSING, smiProblem } from './smi-problems.ts';

/** Eight large GPUs take a third of a megabyte of XML. */
const MAX_OUTPUT_BYTES = 16 * 2 ** 20;

/** Runs nvidia-smi to its end and gives what it printed. What it says on stderr beside an answer is passed over. */
export function runSmi(
  command: string,
  parameters: readonly string[],
  timeoutMs: number,
): Promise<Result<string, GpuProblem>> {
  return new Promise((resolve) => {
    const child = execFile(command, parameters, { maxBuffer: MAX_OUTPUT_BYTES }, (error, stdout, stderr) => {
      clearTimeout(timer);
      if (error === null) return resolve(ok(stdout));
      if (error.code === 'ENOENT') return resolve(err(SMI_MISSING));
      const code = typeof error.code === 'number' ? error.code : null;
      resolve(err(smiProblem({ code, signal: error.signal ?? null, words: `${stdout}\n${stderr}` })));
    });
    // A driver that hangs keeps the process from ending even when it is killed, so nobody waits for it or for its words.
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      child.unref();
      child.stdout?.destroy();
      child.stderr?.destroy();
      resolve(err(problem('unreadable', `nvidia-smi gave no answer within ${timeoutMs / 1000} s.`)));
    }, timeoutMs);
  });
}
