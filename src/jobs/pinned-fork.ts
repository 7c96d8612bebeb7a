import { type Problem, problem } from '../core/problem.ts';
import { type CpuList, formatCpuList } from './cpu-list.ts';

/** Of util-linux. It sets its own affinity and then becomes the program, which so keeps pid, channel and signals. */
const PINNER = 'taskset';

/** Switches of Node.js after which a script comes. */
const SCRIPT_SWITCHES: ReadonlySet<string> = new Set(['-e', '--eval', '-p', '--print', '-pe']);

/**
 * What `child_process.fork` is to start so that a worker runs on these CPUs only: every thread inherits the affinity of the one
 * that made it. A library can still move its own threads elsewhere, as ONNX Runtime does when it chooses their number itself
 * (threads 0): a pinned worker has to be given one. `affinityOf` tells what is in force.
 */
export function pinnedFork(
  cpus: CpuList,
  { execPath, execArgv }: { readonly execPath: string; readonly execArgv: readonly string[] } = process,
): { readonly execPath: string; readonly execArgv: string[] } {
  return { execPath: PINNER, execArgv: ['-c', formatCpuList(cpus), execPath, ...withoutScript(execArgv)] };
}

/** A child that was given the script of its parent would run that in place of its own, start a child in turn, and so on. */
export function withoutScript(execArgv: readonly string[]): string[] {
  return execArgv.filter(
    (word, index) =>
      !SCRIPT_SWITCHES.has(word) &&
      !SCRIPT_SWITCHES.has(execArgv[index - 1] ?? '') &&
      !/^--(?:eval|print)=/.test(word),
  );
}

/** Why a pinned worker could not be started, where the pinning was the reason. */
export function pinningProblem(cpus: CpuList, error: Error): Problem<'cannot-pin-worker'> | undefined {
  if (!('code' in error) || error.code !== 'ENOENT') return undefined;
  return problem(
    'cannot-pin-worker',
    `the worker cannot be kept to CPUs ${formatCpuList(cpus)}: there is no program ${PINNER}`,
    { hint: 'install the package util-linux, which has it, or leave the list of CPUs out' },
  );
}

/** Why a worker ended with these last words, where they are those of the program that pins. */
export function refusedPinning(lastWords: string | undefined): Problem<'cannot-pin-worker'> | undefined {
  if (!lastWords?.startsWith(`${PINNER}: `)) return undefined;
  return problem('cannot-pin-worker', `the worker cannot be kept to its CPUs: ${lastWords.slice(0, 300)}`, {
    hint: 'choose CPUs that are online and that this process may use itself (its cpuset)',
  });
}
