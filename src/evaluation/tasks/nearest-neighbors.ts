/** Vectors of one length, in the rows of a matrix. */
interface VectorTable {
  readonly count: number;
  readonly length: number;
  /** Row after row, each of length 1, or NaN throughout for a vector that is nobody's neighbour. */
  readonly rows: Float64Array;
}

/** No neighbour: all others are NaN. */
export const NO_NEIGHBOR = -1;

/** Queries and rows that are compared at once: eight sums stay in registers while six numbers are loaded. */
const QUERY_BLOCK = 4;
const ROW_BLOCK = 2;
/** Rows that are gone through for all queries before the next ones, so that they stay in the cache: about 256 KiB. */
const CACHED_NUMBERS = 32_768;

/**
 * The `k` rows nearest to each query by cosine among all other rows, exactly: of equal cosines the first row is nearer.
 * Takes queries · count · length multiplications, and half of them if all rows are asked for.
 * @param queries rows that are asked for, in rising order
 * @param k at most count − 1
 * @returns k rows for each query, the nearest first, filled up with `NO_NEIGHBOR`
 */
export function nearestNeighbors(table: VectorTable, queries: Uint32Array, k: number): Int32Array {
  const { count, length, rows } = table;
  const lists: NeighborLists = {
    k,
    nearest: new Int32Array(queries.length * k).fill(NO_NEIGHBOR),
    cosines: new Float64Array(queries.length * k).fill(Number.NEGATIVE_INFINITY),
  };
  const sums = new Float64Array(QUERY_BLOCK * ROW_BLOCK);
  const cached = Math.max(ROW_BLOCK, Math.floor(CACHED_NUMBERS / length / ROW_BLOCK) * ROW_BLOCK);
  // The cosine of two rows serves both then, and is only computed with the later one as the query.
  const isMutual = queries.length === count;
  const insertBlock = isMutual ? insertBoth : insertOthers;
  for (let from = 0; from < count; from += cached) {
    const to = Math.min(count, from + cached);
    for (let query = 0; query < queries.length; query += QUERY_BLOCK) {
      const end = isMutual ? Math.min(to, query + QUERY_BLOCK) : to;
      for (let row = from; row < end; row += ROW_BLOCK) {
        multiplyBlock(rows, length, queries, query, row, Math.min(row + 1, end - 1), sums);
        insertBlock(lists, queries, query, row, end, sums);
      }
    }
  }
  return lists.nearest;
}

/** The k nearest rows of each query so far with their cosines, the nearest first. */
interface NeighborLists {
  readonly k: number;
  readonly nearest: Int32Array;
  readonly cosines: Float64Array;
}

/** Enters the products of a block, except those of a row with itself. */
function insertOthers(
  lists: NeighborLists,
  queries: Uint32Array,
  query: number,
  row: number,
  end: number,
  sums: Float64Array,
): void {
  for (let i = 0; i < sums.length; i += 1) {
    const asked = query + (i >> 1);
    const other = row + (i & 1);
    if (asked >= queries.length || other >= end || other === queries[asked]) continue;
    insert(lists, asked, other, sums[i] as number);
  }
}

/** The same where every row is a query: each product of two rows comes once with the later one as the query. */
function insertBoth(
  lists: NeighborLists,
  queries: Uint32Array,
  query: number,
  row: number,
  end: number,
  sums: Float64Array,
): void {
  for (let i = 0; i < sums.length; i += 1) {
    const later = query + (i >> 1);
    const earlier = row + (i & 1);
    if (later >= queries.length || earlier >= Math.min(end, later)) continue;
    insert(lists, later, earlier, sums[i] as number);
    insert(lists, earlier, later, sums[i] as number);
  }
}

/** Products of four queries with two rows. Past the end the last one is taken again. */
function multiplyBlock(
  rows: Float64Array,
  length: number,
  queries: Uint32Array,
  query: number,
  first: number,
  second: number,
  sums: Float64Array,
): void {
  const last = queries.length - 1;
  let q0 = (queries[query] as number) * length;
  let q1 = (queries[Math.min(query + 1, last)] as number) * length;
  let q2 = (queries[Math.min(query + 2, last)] as number) * length;
  let q3 = (queries[Math.min(query + 3, last)] as number) * length;
  let a = first * length;
  let b = second * length;
  let a0 = 0;
  let a1 = 0;
  let a2 = 0;
  let a3 = 0;
  let b0 = 0;
  let b1 = 0;
  let b2 = 0;
  let b3 = 0;
  for (const end = a + length; a < end; a += 1, b += 1, q0 += 1, q1 += 1, q2 += 1, q3 += 1) {
    const rowA = rows[a] as number;
    const rowB = rows[b] as number;
    a0 += (rows[q0] as number) * rowA;
    b0 += (rows[q0] as number) * rowB;
    a1 += (rows[q1] as number) * rowA;
    b1 += (rows[q1] as number) * rowB;
    a2 += (rows[q2] as number) * rowA;
    b2 += (rows[q2] as number) * rowB;
    a3 += (rows[q3] as number) * rowA;
    b3 += (rows[q3] as number) * rowB;
  }
  sums[0] = a0;
  sums[1] = b0;
  sums[2] = a1;
  sums[3] = b1;
  sums[4] = a2;
  sums[5] = b2;
  sums[6] = a3;
  sums[7] = b3;
}

/** Enters a row in the list of a query if it is one of the k nearest so far; of equal cosines the first row is nearer. */
function insert({ k, nearest, cosines }: NeighborLists, query: number, row: number, cosine: number): void {
  const start = query * k;
  let at = start + k - 1;
  // False for NaN as well.
  if (!(cosine >= (cosines[at] as number))) return;
  if (cosine === cosines[at] && row > (nearest[at] as number)) return;
  for (; at > start; at -= 1) {
    const before = cosines[at - 1] as number;
    if (cosine < before || (cosine === before && row > (nearest[at - 1] as number))) break;
    cosines[at] = before;
    nearest[at] = nearest[at - 1] as number;
  }
  cosines[at] = cosine;
  nearest[at] = row;
}
