/** Numbers up to 2^53 are exact: 31 bits of the score leave 22 for its position. */
const MAX_PACKED = 2 ** 22;

/**
 * Positions of the first `count` scores from the highest to the lowest, equal ones in their own order.
 * @param scores none negative, none NaN
 */
export function orderByScore(scores: Float32Array, count: number = scores.length): Uint32Array {
  return sortPositions(
    scores,
    Uint32Array.from({ length: count }, (_, i) => i),
  );
}

/**
 * The beginning of that order: at least `wanted` positions, which the rest follow. Costs less than ordering all of them
 * where there are many more.
 */
export function orderBest(scores: Float32Array, count: number, wanted: number): Uint32Array {
  if (count <= 2 * wanted) return orderByScore(scores, count);
  // The upper 16 bits of a positive float32: its exponent and the first digits of its fraction.
  const bits = bitsOf(scores);
  const histogram = new Uint32Array(1 << 15);
  for (let i = 0; i < count; i += 1) {
    const bin = (bits[i] as number) >>> 16;
    histogram[bin] = (histogram[bin] as number) + 1;
  }
  let lowest = histogram.length;
  let size = 0;
  while (size < wanted) {
    lowest -= 1;
    size += histogram[lowest] as number;
  }
  const positions = new Uint32Array(size);
  for (let i = 0, at = 0; at < size; i += 1) {
    if ((bits[i] as number) >>> 16 < lowest) continue;
    positions[at] = i;
    at += 1;
  }
  return sortPositions(scores, positions);
}

/** Positions in ascending order, by their scores. */
function sortPositions(scores: Float32Array, positions: Uint32Array): Uint32Array {
  const count = positions.length;
  if (count > MAX_PACKED) {
    // The sort of typed arrays is stable.
    return positions.sort((a, b) => (scores[b] as number) - (scores[a] as number));
  }
  // The bits of a positive float32 grow with its value. Packed before the place they make one number a score, and numbers
  // sort several times faster than positions with a function that compares.
  const bits = bitsOf(scores);
  const keys = new Float64Array(count);
  for (let i = 0; i < count; i += 1) {
    keys[i] = (0x7fffffff - (bits[positions[i] as number] as number)) * MAX_PACKED + i;
  }
  keys.sort();
  return Uint32Array.from(keys, (key) => positions[key % MAX_PACKED] as number);
}

function bitsOf(scores: Float32Array): Uint32Array {
  return new Uint32Array(scores.buffer, scores.byteOffset, scores.length);
}
