import { join } from 'node:path';
import { walkFolder } from './walk-folder.ts';

/** One set: a folder with files `input_0.pb`, `input_1.npy`, `output_0.pb` and so on. */
export interface TestDataSet {
  /** From the given folder, with `/`; empty for that folder itself. */
  readonly folder: string;
  /** The files by their number. */
  readonly inputs: ReadonlyMap<number, readonly string[]>;
  readonly outputs: ReadonlyMap<number, readonly string[]>;
}

const NAME = /^(input|output)_(\d+)\.(?:pb|npy)$/;

/** Whether a file's name is that of an input or output of a set. */
export function isTestDataName(name: string): boolean {
  return NAME.test(name);
}

/**
 * The sets in a folder and its sub-folders, sorted by name so that 2 comes before 10, and the files that belong to
 * none. Throws a `ProblemError` of the kind `data-unreadable`.
 */
export async function findTestDataSets(
  root: string,
): Promise<{ readonly sets: readonly TestDataSet[]; readonly others: readonly string[] }> {
  const sets = new Map<string, { inputs: Map<number, string[]>; outputs: Map<number, string[]> }>();
  const others: string[] = [];
  for await (const { path, leftOut } of walkFolder(root)) {
    const slash = path.lastIndexOf('/');
    const folder = path.slice(0, Math.max(slash, 0));
    const match = leftOut === undefined && !folder.includes('/') ? NAME.exec(path.slice(slash + 1)) : null;
    if (match === null) {
      others.push(path);
      continue;
    }
    const set = sets.get(folder) ?? { inputs: new Map(), outputs: new Map() };
    sets.set(folder, set);
    const files = match[1] === 'input' ? set.inputs : set.outputs;
    const number = Number(match[2]);
    files.set(number, [...(files.get(number) ?? []), join(root, path)].sort());
  }
  const sorted = [...sets].sort(([a], [b]) => compareNaturally(a, b));
  return { sets: sorted.map(([folder, files]) => ({ folder, ...files })), others: others.sort() };
}

/** Compares texts by code units, but runs of digits by their values. */
function compareNaturally(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split(/(\d+)/)) as [string[], string[]];
  for (let i = 0; i < Math.min(left.length, right.length); i += 1) {
    const [x, y] = [left[i] as string, right[i] as string];
    // Digits are at the odd places.
    const difference = i % 2 === 1 ? Number(x) - Number(y) : 0;
    if (difference !== 0) return difference;
    if (x !== y) return x < y ? -1 : 1;
  }
  return left.length - right.length;
}
