import { describe, expect, it } from 'vitest';
import { type ComparableResult, compareResults } from '../../../src/benchmark/compare.ts';
import { interleaveRounds, type RoundSlot } from '../../../src/benchmark/interleave.ts';
import { type Random, seededRandom } from '../../../src/benchmark/random.ts';
import { comparableOf, normal } from './fakes.ts';

/** How a shared host makes medians of single turns scatter, as relative standard deviations. */
interface HostNoise {
  /** Of a speed that wanders from turn to turn, with a correlation of 0.9 from one to the next. */
  readonly drift: number;
  /** Of each turn for itself. */
  readonly turn: number;
  /** Share of the turns that something else slows down, by up to a half. */
  readonly disturbed: number;
  /** Of a process for all of its life. */
  readonly process: number;
}

const DRIFTING: HostNoise = { drift: 0.05, turn: 0.02, disturbed: 0, process: 0 };
const DISTURBED: HostNoise = { ...DRIFTING, disturbed: 0.05 };

/** Two variants in turns on one host, the second slower by a factor. */
function pairOf(
  random: Random,
  slots: readonly RoundSlot[],
  { drift, turn, disturbed, process }: HostNoise,
  slowDown: number,
  processes: number,
): [ComparableResult, ComparableResult] {
  const mediansNs: [number[], number[]] = [[], []];
  const ofProcess = mediansNs.map(() =>
    Array.from({ length: processes }, () => Math.exp(process * normal(random))),
  );
  let wander = normal(random);
  for (const { round, variant } of slots) {
    wander = 0.9 * wander + Math.sqrt(1 - 0.81) * normal(random);
    const speed = Math.exp(drift * wander + turn * normal(random));
    const disturbance = random() < disturbed ? 1 + random() / 2 : 1;
    const mediansOfVariant = mediansNs[variant] as number[];
    const luck = ofProcess[variant]?.[Math.floor((round * processes) / (slots.length / 2))] as number;
    mediansOfVariant[round] = 1e6 * speed * disturbance * luck * (variant === 1 ? slowDown : 1);
  }
  const [base, candidate] = mediansNs;
  return [comparableOf('fp32', base, {}, processes), comparableOf('int8', candidate, {}, processes)];
}

/** What the turns alone can tell, if processes did not differ from one another. */
const SMALL = { minEffectRatio: 0.01 };

/** What is said in many comparisons, as shares. */
function sharesOf(
  noise: HostNoise,
  slowDown: number,
  { rounds = 12, comparisons = 1_000, inBlocks = false, processes = 1 } = {},
): { faster: number; slower: number; missed: number } {
  const random = seededRandom(1);
  let [faster, slower, missed] = [0, 0, 0];
  for (let comparison = 0; comparison < comparisons; comparison++) {
    const turns = interleaveRounds(2, rounds, comparison);
    const slots = inBlocks ? turns.toSorted((a, b) => a.variant - b.variant) : turns;
    const { outcome, lower, upper } = compareResults(
      ...pairOf(random, slots, noise, slowDown, processes),
      SMALL,
    );
    if (outcome === 'faster') faster += 1 / comparisons;
    if (outcome === 'slower') slower += 1 / comparisons;
    if ((lower as number) > 1 / slowDown || (upper as number) < 1 / slowDown) missed += 1 / comparisons;
  }
  return { faster, slower, missed };
}

describe('compareResults on a host that is not quiet', () => {
  it.each([
    ['drifts', DRIFTING],
    ['drifts and is disturbed', DISTURBED],
  ])('tells equals apart in at most 5 of 100 comparisons where the host %s', (_, noise) => {
    const { faster, slower } = sharesOf(noise, 1);
    expect(faster + slower).toBeLessThanOrEqual(0.05);
  });

  it.each([6, 12])('keeps its interval at the stated level in %i rounds', (rounds) => {
    const { missed } = sharesOf(DISTURBED, 1, { rounds, comparisons: 1_000 });
    expect(missed).toBeLessThanOrEqual(0.06);
  });

  it('owes that to the turns: of variants that ran one after the other it tells equals apart', () => {
    const { faster, slower } = sharesOf(DRIFTING, 1, { inBlocks: true });
    expect(faster + slower).toBeGreaterThan(0.2);
  });

  it('finds a planted slow-down of 5 % in 9 of 10 comparisons where the host only drifts', () => {
    const { faster, slower } = sharesOf(DRIFTING, 1.05);
    expect(slower).toBeGreaterThanOrEqual(0.9);
    expect(faster).toBe(0);
  });

  it('finds 5 % in 4 of 5 comparisons and 10 % in nearly all where turns are disturbed too', () => {
    const small = sharesOf(DISTURBED, 1.05);
    expect(small.slower).toBeGreaterThanOrEqual(0.8);
    expect(small.faster).toBe(0);
    const large = sharesOf(DISTURBED, 1.1);
    expect(large.slower).toBeGreaterThanOrEqual(0.97);
    expect(large.faster).toBe(0);
  });

  it('finds it in nearly all with twice the rounds, which do not make it more timid', () => {
    expect(sharesOf(DISTURBED, 1.05, { rounds: 24 }).slower).toBeGreaterThanOrEqual(0.97);
  });
});

describe('compareResults of processes that differ for life', () => {
  const PROCESSES: HostNoise = { ...DRIFTING, drift: 0.03, process: 0.015 };
  const fresh = { rounds: 24, processes: 6 };

  it('tells equals apart in at most 5 of 100 comparisons where each has six processes', () => {
    const { faster, slower } = sharesOf(PROCESSES, 1, fresh);
    expect(faster + slower).toBeLessThanOrEqual(0.05);
  });

  it('owes that to the processes: with one of each it tells equals apart half of the time', () => {
    const { faster, slower } = sharesOf(PROCESSES, 1, { rounds: 24 });
    expect(faster + slower).toBeGreaterThan(0.3);
  });

  it('finds a planted slow-down of 5 % in 17 of 20 comparisons', () => {
    const { faster, slower } = sharesOf(PROCESSES, 1.05, fresh);
    expect(slower).toBeGreaterThanOrEqual(0.85);
    expect(faster).toBe(0);
  });
});
