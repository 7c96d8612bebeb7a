import type { Problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import type { SearchJournal } from './search-journal.ts';

/** A result that a later search is not to take over, as it says nothing about what was measured. */
export type Remembered<T> = Result<T, Problem> & { readonly isToBeForgotten?: boolean };

/** What another try may well not meet. */
const PASSING: ReadonlySet<string> = new Set([
  'cancelled',
  'bench-cancelled',
  'bench-locked',
  'worker-killed',
  'disk-full',
  'write-failed',
  'not-writable',
  'folder-missing',
  'output-not-writable',
]);

/** Looks a measurement up in a journal, and makes it and writes it down where it is not there. Failures are remembered, too. */
export function rememberIn(journal: SearchJournal) {
  return async <T>(
    key: string,
    about: string,
    measure: () => Promise<Remembered<T>>,
  ): Promise<Result<T, Problem>> => {
    const known = journal.read(key);
    // What stands under this name was written below, for the same measurement.
    if (known !== undefined) return known as Result<T, Problem>;
    const { isToBeForgotten, ...found } = await measure();
    const isLasting = isToBeForgotten !== true && (found.ok || !PASSING.has(found.error.kind));
    if (!isLasting) return found;
    await journal.write(key, about, found);
    return journal.read(key) as Result<T, Problem>;
  };
}
