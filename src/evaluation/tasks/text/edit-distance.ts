/** How a hypothesis differs from a reference, in tokens. All but the hits add up to the edit distance. */
export interface EditCounts {
  readonly hits: number;
  readonly substitutions: number;
  /** Tokens of the hypothesis that the reference lacks. */
  readonly insertions: number;
  /** Tokens of the reference that the hypothesis lacks. */
  readonly deletions: number;
}

/**
 * The fewest edits that turn one sequence of tokens (ids of words, code points) into another.
 *
 * The distance is unique, how it divides into kinds of edits is not: of equal alignments the one that deletes as late as
 * possible counts, then the one that inserts as late as possible, as in RapidFuzz and so in jiwer. Only texts of
 * thousands of tokens, which RapidFuzz divides first, may be counted otherwise there; the sum is always the same.
 *
 * Takes time of the product of the two lengths, without what they have in common at both ends, and memory of one row.
 * Source: R. Wagner and M. Fischer, "The String-to-String Correction Problem", JACM 21 (1974).
 */
export function countEdits(reference: ArrayLike<number>, hypothesis: ArrayLike<number>): EditCounts {
  const start = commonPrefix(reference, hypothesis);
  const shared = start + commonSuffix(reference, hypothesis, start);
  const rows = reference.length - shared;
  const columns = hypothesis.length - shared;
  const { distance, substitutions } = align(reference, hypothesis, start, rows, columns);
  // Insertions and deletions follow: they differ by the difference of the lengths.
  const insertions = (distance - substitutions + columns - rows) / 2;
  const deletions = insertions + rows - columns;
  return { hits: reference.length - substitutions - deletions, substitutions, insertions, deletions };
}

/** `countEdits` without the kinds of edits. */
export function editDistance(reference: ArrayLike<number>, hypothesis: ArrayLike<number>): number {
  const { substitutions, insertions, deletions } = countEdits(reference, hypothesis);
  return substitutions + insertions + deletions;
}

/** Aligns `rows` tokens of the reference with `columns` of the hypothesis, both from `start`. */
function align(
  reference: ArrayLike<number>,
  hypothesis: ArrayLike<number>,
  start: number,
  rows: number,
  columns: number,
): { readonly distance: number; readonly substitutions: number } {
  // By the number of reference tokens that were aligned with the hypothesis so far: edits, and substitutions among them.
  const distances = Int32Array.from({ length: rows + 1 }, (_, i) => i);
  const substitutions = new Int32Array(rows + 1);
  for (let j = 1; j <= columns; j += 1) {
    const token = hypothesis[start + j - 1];
    let diagonal = j - 1;
    let diagonalSubstitutions = 0;
    let before = j;
    let beforeSubstitutions = 0;
    distances[0] = j;
    for (let i = 1; i <= rows; i += 1) {
      const above = distances[i] as number;
      const aboveSubstitutions = substitutions[i] as number;
      const isHit = reference[start + i - 1] === token;
      const distance = isHit ? diagonal : 1 + Math.min(diagonal, above, before);
      const isDeletion = distance === before + 1;
      if (!isDeletion) {
        const isInsertion = above === diagonal - 1;
        beforeSubstitutions = isInsertion ? aboveSubstitutions : diagonalSubstitutions + (isHit ? 0 : 1);
      }
      diagonal = above;
      diagonalSubstitutions = aboveSubstitutions;
      before = distance;
      distances[i] = distance;
      substitutions[i] = beforeSubstitutions;
    }
  }
  return { distance: distances[rows] as number, substitutions: substitutions[rows] as number };
}

function commonPrefix(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a[length] === b[length]) length += 1;
  return length;
}

/** Equal tokens at the end, without those that belong to the first `start`. */
function commonSuffix(a: ArrayLike<number>, b: ArrayLike<number>, start: number): number {
  const most = Math.min(a.length, b.length) - start;
  let length = 0;
  while (length < most && a[a.length - 1 - length] === b[b.length - 1 - length]) length += 1;
  return length;
}
