import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { problem } from '../../../../core/problem.ts';
import type { GpuProblem } from '../gpu-backend.ts';
import { driverProblem, NVML } from '../nvml/nvml-codes.ts';

/** "No devices were found". nvidia-smi's other exit codes are those of NVML. Source: its manual page, RETURN VALUE. */
const NO_DEVICES = 6;

/** How a run of nvidia-smi ended. */
export interface SmiEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What it wrote that was no answer; it gives its reasons on stdout as well as on stderr. */
  readonly words: string;
}

export function smiProblem({ code, signal, words }: SmiEnd): GpuProblem {
  const [first = ''] = words
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const said = first === '' ? '' : ` It says: ${first.slice(0, 200)}`;
  if (code === NO_DEVICES) return problem('absent', 'nvidia-smi finds no GPU.');
  if (code === null) return problem('unreadable', `nvidia-smi was ended by ${signal}.${said}`);
  if (code === 0) return problem('unreadable', `nvidia-smi printed no answer.${said}`);
  // It has been seen to say so with 255 too.
  const meant = /version mismatch/i.test(words) ? NVML.libraryMismatch : code;
  const { message, hint } = driverProblem(meant, `nvidia-smi ended with status ${code}.`);
  return problem('unreadable', `${message}${said}`, hint === undefined ? {} : { hint });
}

export const SMI_MISSING: GpuProblem = problem('absent', 'nvidia-smi is not installed.', {
  hint: "install NVIDIA's driver; a container gets nvidia-smi with the capability `utility`",
});

/** Whether a command can be found, without starting a process in order to learn that it cannot. */
export function commandExists(command: string, searchPath = process.env['PATH'] ?? ''): boolean {
  const files = command.includes('/')
    ? [command]
    : searchPath.split(delimiter).map((folder) => join(folder, command));
  return files.some((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
