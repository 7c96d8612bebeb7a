import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { interleaveRounds, planBlocks } from '../../../src/benchmark/interleave.ts';

const orders = (variants: number, rounds: number, seed: number): number[][] => {
  const slots = interleaveRounds(variants, rounds, seed);
  return Array.from({ length: rounds }, (_, round) =>
    slots.filter((slot) => slot.round === round).map((slot) => slot.variant),
  );
};
const variantCounts = fc.integer({ min: 1, max: 6 });
const seeds = fc.integer({ min: 0, max: 1e6 });

describe('interleaveRounds', () => {
  it('gives every variant one turn in every round, rounds in order', () => {
    fc.assert(
      fc.property(variantCounts, fc.integer({ min: 1, max: 13 }), seeds, (variants, rounds, seed) => {
        for (const order of orders(variants, rounds, seed)) {
          expect([...order].sort()).toEqual(Array.from({ length: variants }, (_, i) => i));
        }
        const sequence = interleaveRounds(variants, rounds, seed).map((slot) => slot.round);
        expect(sequence).toEqual([...sequence].sort((a, b) => a - b));
      }),
    );
  });

  it('mirrors every second round', () => {
    fc.assert(
      fc.property(variantCounts, seeds, (variants, seed) => {
        const [first, second, third, fourth] = orders(variants, 4, seed);
        expect(second).toEqual(first?.toReversed());
        expect(fourth).toEqual(third?.toReversed());
      }),
    );
  });

  it('lets every variant follow every other equally often within 2k rounds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 6 }), seeds, (variants, seed) => {
        const follows = new Map<string, number>();
        for (const order of orders(variants, variants * 2, seed)) {
          for (let i = 1; i < order.length; i++) {
            const pair = `${order[i - 1]}>${order[i]}`;
            follows.set(pair, (follows.get(pair) ?? 0) + 1);
          }
        }
        expect(follows.size).toBe(variants * (variants - 1));
        expect(new Set(follows.values())).toEqual(new Set([2]));
      }),
    );
  });

  it('is A B, B A, B A, A B or its exchange for two variants', () => {
    const text = orders(2, 4, 1)
      .map((order) => order.join(''))
      .join(' ');
    expect(['01 10 10 01', '10 01 01 10']).toContain(text);
  });

  it('starts with each variant for some seed', () => {
    const starts = new Set(Array.from({ length: 40 }, (_, seed) => orders(3, 1, seed)[0]?.[0]));
    expect(starts).toEqual(new Set([0, 1, 2]));
  });
});

describe('planBlocks', () => {
  const plan = (variants: number, rounds: number, processes: number, seed = 1) =>
    planBlocks(variants, { rounds, processes, seed });

  it('divides the rounds among the processes without a change of their order, none left without', () => {
    fc.assert(
      fc.property(
        variantCounts,
        fc
          .integer({ min: 1, max: 30 })
          .chain((rounds) => fc.tuple(fc.constant(rounds), fc.integer({ min: 1, max: rounds }))),
        seeds,
        (variants, [rounds, processes], seed) => {
          const blocks = plan(variants, rounds, processes, seed);
          expect(blocks.flatMap(({ slots }) => slots)).toEqual(interleaveRounds(variants, rounds, seed));
          const sizes = blocks.map(({ slots }) => slots.length / variants);
          expect(Math.min(...sizes)).toBeGreaterThanOrEqual(1);
          expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it('starts every variant once in a block, and each first in half of the blocks of two', () => {
    const orders = plan(2, 24, 6).map(({ startOrder }) => startOrder.join(''));
    expect(orders.filter((order) => order === '01')).toHaveLength(3);
    expect(orders.filter((order) => order === '10')).toHaveLength(3);
  });
});
