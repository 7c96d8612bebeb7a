import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  growthOf,
  growthOrReset,
  growthOrWrap,
  type Sample,
  type Step,
  secondsWithin,
  shareOf,
  stepWithin,
  type TimeSpan,
} from '../../../../src/telemetry/summary/steps.ts';

/** A counter that never falls, sampled at irregular times. */
const counter = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 10_000_000 }), fc.integer({ min: 0, max: 1_000_000 })), {
    minLength: 2,
    maxLength: 40,
  })
  .map((increments) => {
    let tickNs = 0n;
    let value = 0;
    return increments.map(([gapNs, growth]): Sample<number> => {
      tickNs += BigInt(gapNs);
      value += growth;
      return { tickNs, value };
    });
  });

function stepsWithin(samples: readonly Sample<number>[], span: TimeSpan): readonly Step<number>[] {
  return samples.slice(1).flatMap((to, index) => stepWithin(samples[index] ?? to, to, span) ?? []);
}

function grown(samples: readonly Sample<number>[], startNs: bigint, endNs: bigint): number {
  return stepsWithin(samples, { startNs, endNs })
    .map((step) => shareOf(step) * growthOf(step.from.value, step.to.value))
    .reduce((a, b) => a + b, 0);
}

describe('interpolation of counters', () => {
  it('gives the whole growth to a span that holds every sample', () => {
    fc.assert(
      fc.property(counter, (samples) => {
        const first = samples[0]?.value ?? 0;
        const last = samples.at(-1);
        expect(grown(samples, 0n, (last?.tickNs ?? 0n) + 5n)).toBeCloseTo((last?.value ?? 0) - first, 6);
      }),
    );
  });

  it('adds up: a span cut in two grows by what its halves grow', () => {
    fc.assert(
      fc.property(
        counter,
        fc.array(fc.nat(200_000_000), { minLength: 3, maxLength: 3 }),
        (samples, times) => {
          const [start, middle, end] = times.toSorted((a, b) => a - b).map(BigInt) as [
            bigint,
            bigint,
            bigint,
          ];
          const halves = grown(samples, start, middle) + grown(samples, middle, end);
          expect(halves).toBeCloseTo(grown(samples, start, end), 4);
        },
      ),
    );
  });

  it('is exact for a counter of constant rate, wherever the samples fall', () => {
    fc.assert(
      fc.property(counter, fc.nat(), fc.nat(), (samples, a, b) => {
        const linear = samples.map(({ tickNs }) => ({ tickNs, value: Number(tickNs) * 3 }));
        const firstNs = Number(linear[0]?.tickNs);
        const lengthNs = Number(linear.at(-1)?.tickNs) - firstNs;
        const cuts = [a, b].map((cut) => firstNs + (cut % (lengthNs + 1))).toSorted((x, y) => x - y);
        const [start, end] = cuts as [number, number];
        expect(grown(linear, BigInt(start), BigInt(end))).toBeCloseTo((end - start) * 3, 4);
      }),
    );
  });

  it('never covers more than the span, nor than the samples', () => {
    fc.assert(
      fc.property(counter, fc.nat(200_000_000), fc.nat(200_000_000), (samples, startNs, lengthNs) => {
        const span = { startNs: BigInt(startNs), endNs: BigInt(startNs + lengthNs) };
        const covered = stepsWithin(samples, span).reduce((sum, step) => sum + secondsWithin(step), 0);
        const sampled = Number((samples.at(-1)?.tickNs ?? 0n) - (samples[0]?.tickNs ?? 0n)) / 1e9;
        expect(covered).toBeLessThanOrEqual(Math.min(lengthNs / 1e9, sampled) + 1e-12);
      }),
    );
  });
});

describe('growth of a counter that fell', () => {
  it('is what it counted since, where its source can be replaced', () => {
    expect(growthOrReset(1000, 30)).toBe(30);
  });

  it('goes on after its wrap, where the counter has one', () => {
    expect(growthOrWrap(990, 15, 1000)).toBe(25);
    expect(growthOrWrap(10, 15, 1000)).toBe(5);
  });

  it('is nothing, where the kernel merely corrects itself', () => {
    expect(growthOf(7.01, 7)).toBe(0);
  });
});
