import { type Problem, ProblemError, problem } from '../../core/problem.ts';
import { columnName, matchesColumn } from './column-names.ts';
import type { Leaf } from './snapshot-leaves.ts';

export type ColumnProblem = Problem<'unknown-column' | 'too-many-columns'>;

/** Which columns of numbers are to be seen. Remembers the names that it meets. */
export class ColumnChoice {
  readonly #patterns: readonly string[] | undefined;
  /** Each segment has leaves of its own, so those of segments that are done with are let go. */
  readonly #names = new WeakMap<Leaf['path'], string>();
  readonly #isNameWanted = new Map<string, boolean>();

  /** @param patterns  of names, see `matchesColumn`; every column when absent */
  constructor(patterns: readonly string[] | undefined) {
    this.#patterns = patterns;
  }

  /** Has its name among those that were met. */
  meet(leaf: Leaf): void {
    this.isWanted(leaf);
  }

  isWanted({ kind, path }: Pick<Leaf, 'kind' | 'path'>): boolean {
    // The wall clock is told with every snapshot, and is no column.
    return kind === 'number' && path[1] !== 'wallMs' && this.wantedName(path) !== undefined;
  }

  /** The name of a column of numbers; undefined where it is not wanted. */
  wantedName(path: Leaf['path']): string | undefined {
    let name = this.#names.get(path);
    if (name === undefined) {
      name = columnName(path);
      this.#names.set(path, name);
    }
    let isWanted = this.#isNameWanted.get(name);
    if (isWanted === undefined) {
      const known = name;
      isWanted = this.#patterns?.some((pattern) => matchesColumn(pattern, known)) ?? true;
      this.#isNameWanted.set(name, isWanted);
    }
    return isWanted ? name : undefined;
  }

  /** The wanted names that were met, sorted. Throws a `ProblemError` where a pattern fits none of all that were met. */
  names(): readonly string[] {
    const met = [...this.#isNameWanted.keys()];
    const idle = this.#patterns?.find((pattern) => !met.some((name) => matchesColumn(pattern, name)));
    if (idle !== undefined && met.length > 0) throw unknownColumn(idle, met);
    return met.filter((name) => this.#isNameWanted.get(name)).sort();
  }
}

function unknownColumn(pattern: string, names: readonly string[]): ProblemError<'unknown-column'> {
  const beginnings = [...new Set(names.map((name) => name.split('.', 1)[0]))];
  return new ProblemError(
    problem('unknown-column', `the timeline has no column '${pattern}'`, {
      hint: `its columns begin with ${beginnings.sort().join(', ')}; without a choice all of them are shown`,
    }),
  );
}
