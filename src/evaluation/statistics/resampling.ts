import { nextUint32, seedRandom } from './random.ts';

/** What is drawn as a whole: single items, or all items of a group together. */
export interface ResamplingUnits {
  /** Items. */
  readonly n: number;
  /** Units: as many as items where none is grouped. */
  readonly count: number;
  /** The unit of each item, from 0 in order of appearance. */
  readonly unitOf: Uint32Array;
}

/** Items by their groups' labels; an item without a label is a unit of its own. */
export function resamplingUnits(n: number, groups?: ArrayLike<string | undefined>): ResamplingUnits {
  if (!Number.isInteger(n) || n < 0) throw new RangeError(`${n} items`);
  if (groups !== undefined && groups.length !== n) {
    throw new RangeError(`${groups.length} group labels for ${n} items`);
  }
  const unitOf = new Uint32Array(n);
  const known = new Map<string, number>();
  let count = 0;
  for (let item = 0; item < n; item += 1) {
    const label = groups?.[item];
    const unit = label === undefined ? undefined : known.get(label);
    if (unit !== undefined) {
      unitOf[item] = unit;
      continue;
    }
    if (label !== undefined) known.set(label, count);
    unitOf[item] = count;
    count += 1;
  }
  return { n, count, unitOf };
}

/**
 * Units in which anything changed, in ascending order.
 * @param unchanged not 0 for each item that did not; without it every item counts as changed
 */
export function changedUnits(units: ResamplingUnits, unchanged?: ArrayLike<number>): Uint32Array {
  const { n, count, unitOf } = units;
  if (unchanged === undefined) return Uint32Array.from({ length: count }, (_, unit) => unit);
  if (unchanged.length !== n) throw new RangeError(`${unchanged.length} marks for ${n} items`);
  const isChanged = new Uint8Array(count);
  for (let item = 0; item < n; item += 1) {
    if (!unchanged[item]) isChanged[unitOf[item] as number] = 1;
  }
  const changed: number[] = [];
  for (let unit = 0; unit < count; unit += 1) if (isChanged[unit] === 1) changed.push(unit);
  return Uint32Array.from(changed);
}

/**
 * Bootstrap replicates: each call draws as many units as there are, with replacement, and says how often each item was
 * drawn. The array is the same in every call, filled anew. The same seed gives the same replicates.
 *
 * A unit's probability differs from 1/count by a share of at most count/2^32, as no draw is rejected.
 */
export function createResampler(units: ResamplingUnits, seed: number): () => Uint32Array {
  const { n, count, unitOf } = units;
  const state = seedRandom(seed);
  const weights = new Uint32Array(n);
  if (count === n) {
    return () => {
      drawCounts(weights, state);
      return weights;
    };
  }
  const drawn = new Uint32Array(count);
  return () => {
    drawCounts(drawn, state);
    for (let item = 0; item < n; item += 1) weights[item] = drawn[unitOf[item] as number] as number;
    return weights;
  };
}

/** Deletes one block of units after another: the weights of a jackknife, in one array that is filled anew. */
export function createJackknife(
  { n, count, unitOf }: ResamplingUnits,
  blocks: number,
): (block: number) => Uint32Array {
  if (blocks < 1 || blocks > count) throw new RangeError(`${blocks} blocks of ${count} units`);
  const weights = new Uint32Array(n);
  return (block) => {
    for (let item = 0; item < n; item += 1)
      weights[item] = (unitOf[item] as number) % blocks === block ? 0 : 1;
    return weights;
  };
}

/** Throws as many balls as there are urns, each into any urn alike. */
function drawCounts(urns: Uint32Array, state: Uint32Array): void {
  const { length } = urns;
  const scale = length / 2 ** 32;
  urns.fill(0);
  for (let ball = 0; ball < length; ball += 1) {
    const urn = Math.floor(nextUint32(state) * scale);
    urns[urn] = (urns[urn] as number) + 1;
  }
}
