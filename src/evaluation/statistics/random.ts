/** State of the generator xoshiro128**: four words of 32 bits, not all zero. `nextUint32` changes it in place. */
export type RandomState = Uint32Array;

/** A state that follows from the seed alone; whole numbers up to 2^53 all have their own. */
export function seedRandom(seed: number): RandomState {
  const low = Math.trunc(seed) >>> 0;
  const high = Math.floor(Math.trunc(seed) / 2 ** 32) >>> 0;
  // A bijection of two different numbers gives two different words, so that not all are zero: nothing follows from zeros.
  return Uint32Array.of(mix(low + WEYL), mix(low + 2 * WEYL), mix(high + 3 * WEYL), mix(high + 4 * WEYL));
}

/** 2^32 divided by the golden ratio: its multiples are spread evenly. */
const WEYL = 0x9e3779b9;

/**
 * The next of the 2^128 − 1 words of the sequence, a whole number in [0, 2^32).
 * Source: D. Blackman and S. Vigna, "Scrambled Linear Pseudorandom Number Generators", ACM TOMS 47 (2021).
 */
export function nextUint32(state: RandomState): number {
  const s0 = state[0] as number;
  const s1 = state[1] as number;
  const s2 = (state[2] as number) ^ s0;
  const s3 = (state[3] as number) ^ s1;
  state[0] = s0 ^ s3;
  state[1] = s1 ^ s2;
  state[2] = s2 ^ (s1 << 9);
  state[3] = (s3 << 11) | (s3 >>> 21);
  const product = Math.imul(s1, 5);
  return Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
}

/** The finalizer of MurmurHash3, a bijection of 32-bit words. */
function mix(word: number): number {
  let bits = word >>> 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
