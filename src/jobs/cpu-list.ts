import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';

/** CPUs by their numbers, ascending, each once; never empty. */
export type CpuList = readonly number[];

export type CpuListProblem = Problem<'invalid-cpu-list'>;

/** Linux is built for at most this many CPUs (CONFIG_NR_CPUS of x86-64). */
const MAX_CPUS = 8192;

const RANGE = /^(\d{1,5})(?:-(\d{1,5}))?$/;

const HINT = 'give numbers and ranges with commas between them, such as 0-3,8';

/** `0-3,8` → [0, 1, 2, 3, 8]: the list format of cpuset(7). Spaces around a part and overlaps are allowed. */
export function parseCpuList(text: string): Result<CpuList, CpuListProblem> {
  const cpus = new Set<number>();
  for (const part of text.split(',')) {
    const match = RANGE.exec(part.trim());
    if (match === null) {
      return invalid(`expected a CPU list such as 0-3,8 but found ${JSON.stringify(shorten(text))}`);
    }
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (first > last) return invalid(`the range ${match[0]} of the CPU list runs backwards`);
    if (last >= MAX_CPUS) return invalid(`there is no CPU ${last}: numbers go up to ${MAX_CPUS - 1}`);
    for (let cpu = first; cpu <= last; cpu += 1) cpus.add(cpu);
  }
  return ok([...cpus].sort((a, b) => a - b));
}

/** [0, 1, 2, 3, 8] → `0-3,8`, as the kernel writes it. */
export function formatCpuList(cpus: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const cpu of cpus) {
    const range = ranges.at(-1);
    if (range !== undefined && cpu === range[1] + 1) range[1] = cpu;
    else ranges.push([cpu, cpu]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}

function invalid(message: string) {
  return err(problem('invalid-cpu-list', message, { hint: HINT }));
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
