import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/benchmark/random.ts';
import { compareLatency } from '../../../src/jobs/compare-latency.ts';

/** Two systems of which each run takes what `base` and `candidate` say, on a clock of their own. */
function host(base: (run: number) => number, candidate: (run: number) => number) {
  const turns: string[] = [];
  let cpu = 0;
  const system = (name: string, seconds: (run: number) => number) => async () => {
    cpu += seconds(turns.push(name));
  };
  const compare = (budgetSeconds: number, confidence = 0.99) =>
    compareLatency(system('base', base), system('candidate', candidate), {
      cpuSeconds: () => cpu,
      budgetSeconds,
      confidence,
    });
  return { compare, turns, seconds: () => cpu };
}

/** `seconds` with a scatter of up to `ratio` to either side. */
function noisy(seconds: number, ratio: number, seed: number) {
  const random = seededRandom(seed);
  return () => seconds * (1 + ratio * (2 * random() - 1));
}

describe('comparing two systems in turns', () => {
  it('tells how much faster the second is, and stops as soon as it is clear', async () => {
    const { compare, seconds } = host(noisy(0.002, 0.05, 1), noisy(0.001, 0.05, 2));
    const { speedUp, outcome, rounds, baseNs, candidateNs } = await compare(100);
    expect(outcome).toBe('faster');
    expect(speedUp.estimate).toBeGreaterThan(1.9);
    expect(speedUp.estimate).toBeLessThan(2.1);
    expect(rounds).toBe(8);
    expect(baseNs).toBeGreaterThan(1.9e6);
    expect(candidateNs).toBeLessThan(1.1e6);
    expect(seconds()).toBeLessThan(0.05);
  });

  it('tells that the second is slower', async () => {
    const { compare } = host(noisy(0.001, 0.05, 1), noisy(0.0012, 0.05, 2));
    expect(await compare(1)).toMatchObject({ outcome: 'slower' });
  });

  it('claims nothing about systems that are equal, and looks no longer than it may', async () => {
    const { compare, seconds } = host(noisy(0.01, 0.3, 3), noisy(0.01, 0.3, 4));
    expect(await compare(0.5)).toMatchObject({ outcome: 'not-distinguished' });
    expect(seconds()).toBeGreaterThan(0.5);
    expect(seconds()).toBeLessThan(0.6);
  });

  it('runs at least eight rounds of a model that takes longer than there is time', async () => {
    const { compare } = host(noisy(2, 0.01, 3), noisy(1, 0.01, 4));
    expect(await compare(0.1)).toMatchObject({ outcome: 'faster', rounds: 8 });
  });

  it('lets the two go first by turns', async () => {
    const { compare, turns } = host(
      () => 0.001,
      () => 0.001,
    );
    await compare(0.1);
    const warmUp = 4;
    expect(turns.slice(warmUp, warmUp + 8).map(([first]) => first)).toEqual([...'bccbbccb']);
  });

  it('runs short models several times a turn, after one that warms the caches', async () => {
    // The run after one of the other system is ten times as slow; it is not counted.
    let last = '';
    const system = (name: string) => () => {
      const seconds = last === name ? 0.0001 : 0.001;
      last = name;
      return seconds;
    };
    const { compare } = host(system('base'), system('candidate'));
    const { baseNs, candidateNs } = await compare(0.1);
    expect(baseNs).toBeCloseTo(100_000, -1);
    expect(candidateNs).toBeCloseTo(100_000, -1);
  });

  it('survives a clock that is too coarse to see a turn', async () => {
    const { compare } = host(
      () => 0,
      () => 0,
    );
    expect((await compare(0.1)).speedUp.estimate).toBe(1);
  });
});
