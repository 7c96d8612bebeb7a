import type { Measure, MetricInfo } from '../task.ts';
import { figureOf, lossBetween } from './loss.ts';
import { nextUint32, type RandomState, seedRandom } from './random.ts';
import { changedUnits, type ResamplingUnits, resamplingUnits } from './resampling.ts';

export interface PermutationTestOptions {
  /** Figures of any multiset of the 2n answers: the reference's to all items, then the candidate's in the same order. */
  readonly measure: Measure;
  /** Items. */
  readonly n: number;
  /** Label of each item's group; the answers of a group are swapped together. */
  readonly groups?: ArrayLike<string | undefined> | undefined;
  /** Not 0 for each item to which both models gave the very same answer: swapping them would change nothing. */
  readonly unchanged?: ArrayLike<number> | undefined;
  readonly metric: Pick<MetricInfo, 'name' | 'better'>;
  readonly seed: number;
  /** Random swaps at most; 4,999 where it is absent, which makes the smallest p-value 0.0002. */
  readonly permutations?: number;
}

export interface PermutationTest {
  /** How much worse the candidate is, in the metric's unit. */
  readonly loss: number;
  /** Probability of such a loss or a larger one, if it were by chance which answer came from which model. */
  readonly pValue: number;
  /** `exact`: all swaps were tried, and the seed does not matter. */
  readonly method: 'exact' | 'sampled';
  /** Swaps that were tried. */
  readonly permutations: number;
  /** Those in which the metric has no value; each counts as a loss as large as the one observed. */
  readonly undefinedPermutations: number;
  /** Units (groups, or items without any) in which an answer changed. */
  readonly changedUnits: number;
}

/** All 2^k ways to swap k units are tried up to here: 4,096. */
const MAX_EXACT_UNITS = 12;

/**
 * A sampled test ends when so many of the losses were at least as large: then p is not small, and how large it is
 * does not matter. With 4,999 permutations such an end cannot give a p-value below 0.01.
 */
const ENOUGH_LARGER = 50;

/**
 * One-sided paired test of a loss of any metric: under the hypothesis that the models are alike, the two answers to an
 * item (or to all items of a group) may as well be swapped. Null where the metric has no value for one of the models.
 *
 * p is the share of the swaps that give such a loss, all or (larger + 1)/(tried + 1) of random ones; of a test that ended
 * early larger/tried. Each of the three keeps the level: P[p ≤ α] ≤ α under the hypothesis.
 *
 * Source: E. Noreen, "Computer-Intensive Methods for Testing Hypotheses" (1989), chapter 2 (approximate randomization);
 * J. Besag and P. Clifford, "Sequential Monte Carlo p-values", Biometrika 78 (1991) (the early end).
 */
export function pairedPermutationTest(options: PermutationTestOptions): PermutationTest | null {
  const { measure, n, groups, unchanged, metric, seed, permutations = 4999 } = options;
  const swaps = createSwaps(resamplingUnits(n, groups), unchanged);
  const observed = measure(swaps.reference);
  const loss = lossBetween(metric, observed, measure(swaps.candidate));
  if (loss === null) return null;
  // Sums in another order differ in their last digits, and a loss that equals the observed one must count as equal.
  const enough = loss - 1e-10 * Math.max(Math.abs(loss), Math.abs(figureOf(metric, observed) ?? 0));
  const exact = swaps.count <= MAX_EXACT_UNITS;
  const state = seedRandom(seed);
  const limit = exact ? 2 ** swaps.count : permutations;
  let undefinedPermutations = 0;
  let larger = 0;
  let tried = 0;
  while (tried < limit && (exact || larger < ENOUGH_LARGER)) {
    if (exact) swaps.apply(tried);
    else swaps.draw(state);
    const swapped = lossBetween(metric, measure(swaps.reference), measure(swaps.candidate));
    if (swapped === null) undefinedPermutations += 1;
    if (swapped === null || swapped >= enough) larger += 1;
    tried += 1;
  }
  const endedEarly = !exact && larger >= ENOUGH_LARGER;
  return {
    loss,
    pValue: exact || endedEarly ? larger / tried : (larger + 1) / (tried + 1),
    method: exact ? 'exact' : 'sampled',
    permutations: tried,
    undefinedPermutations,
    changedUnits: swaps.count,
  };
}

/** The answers that count as the reference's and as the candidate's, as weights of all 2n answers. */
interface Swaps {
  /** Units that can be swapped: those in which an answer changed. */
  readonly count: number;
  readonly reference: Uint32Array;
  readonly candidate: Uint32Array;
  /** Swaps unit u where bit u of the mask is set, and no other. */
  apply(mask: number): void;
  /** Swaps each unit or not, both with probability ½. */
  draw(state: RandomState): void;
}

function createSwaps(units: ResamplingUnits, unchanged: ArrayLike<number> | undefined): Swaps {
  const { n, count, unitOf } = units;
  const changed = changedUnits(units, unchanged);
  const isSwapped = new Uint8Array(count);
  const items = itemsOf(units, changed);
  const reference = new Uint32Array(2 * n).fill(1, 0, n);
  const candidate = new Uint32Array(2 * n).fill(1, n);
  const update = (): void => {
    for (let i = 0; i < items.length; i += 1) {
      const item = items[i] as number;
      const swapped = isSwapped[unitOf[item] as number] as number;
      reference[item] = 1 - swapped;
      reference[n + item] = swapped;
      candidate[item] = swapped;
      candidate[n + item] = 1 - swapped;
    }
  };
  return {
    count: changed.length,
    reference,
    candidate,
    apply: (mask) => {
      for (let i = 0; i < changed.length; i += 1) isSwapped[changed[i] as number] = (mask >>> i) & 1;
      update();
    },
    draw: (state) => {
      let bits = 0;
      for (let i = 0; i < changed.length; i += 1) {
        bits = i % 32 === 0 ? nextUint32(state) : bits >>> 1;
        isSwapped[changed[i] as number] = bits & 1;
      }
      update();
    },
  };
}

/** The items of some units, in ascending order. */
function itemsOf({ n, count, unitOf }: ResamplingUnits, units: Uint32Array): Uint32Array {
  const isWanted = new Uint8Array(count);
  for (const unit of units) isWanted[unit] = 1;
  const items: number[] = [];
  for (let item = 0; item < n; item += 1) if (isWanted[unitOf[item] as number] === 1) items.push(item);
  return Uint32Array.from(items);
}
