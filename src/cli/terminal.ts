import { toJson } from '../core/json.ts';
import { formatProblem, type Problem } from '../core/problem.ts';
import { exitCodeOf } from './exit-code.ts';

/** Where a command writes: results to stdout, everything else to stderr. */
export interface Terminal {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

const RED_ERROR = '\u001b[31merror:\u001b[39m';

/** Prints a result: JSON alone with `--json`, otherwise what `render` makes of it. */
export function printResult<T>(
  { stdout }: Terminal,
  result: T,
  json: boolean,
  render: (result: T) => string,
): void {
  stdout.write(json ? `${toJson(result, 2)}\n` : `${render(result)}\n`);
}

/** Prints problems to stderr and gives the exit code that the first of them asks for. */
export function printProblems({ stderr }: Terminal, problems: readonly Problem[]): number {
  const title = stderr.isTTY === true && process.env['NO_COLOR'] === undefined ? RED_ERROR : 'error:';
  for (const problem of problems) stderr.write(`${title} ${formatProblem(problem)}\n`);
  const [first] = problems;
  return first === undefined ? 0 : exitCodeOf(first);
}
