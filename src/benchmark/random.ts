/** Gives numbers in [0, 1). */
export type Random = () => number;

/**
 * A seeded generator (a Weyl sequence put through MurmurHash3's 32-bit finalizer), so that the same seed replays the same
 * benchmark. Not for secrets.
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let bits = state;
    bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
    return ((bits ^ (bits >>> 16)) >>> 0) / 2 ** 32;
  };
}

/** The integers 0 … count-1 in a random order (Fisher–Yates). */
export function shuffledIndices(count: number, random: Random): Uint32Array {
  const indices = Uint32Array.from({ length: count }, (_, i) => i);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const kept = indices[last] as number;
    indices[last] = indices[other] as number;
    indices[other] = kept;
  }
  return indices;
}
