import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SplitSpec } from '../../../src/core/data-spec.ts';
import { type Problem, problem } from '../../../src/core/problem.ts';
import { err, ok } from '../../../src/core/result.ts';
import type { ItemCollection } from '../../../src/data/item-collection.ts';
import { splitItems } from '../../../src/data/split-items.ts';

/** Items that are their own content keys. */
function itemsOf(keys: readonly string[]): ItemCollection {
  return {
    path: 'data',
    count: keys.length,
    fields: [],
    unused: [],
    describe: (index) => ({ id: `${index}` }),
    contentKey: async (index) => ok(keys[index] as string),
    read: async () => ok({ fields: {} }),
    close: async () => {},
  };
}

/** The contents of the items of a split, in its order; none where a share holds none. */
async function keysOf(keys: readonly string[], spec: SplitSpec, split: string): Promise<readonly string[]> {
  const positions = await splitItems(itemsOf(keys), spec, split);
  if (positions.ok) return Array.from(positions.value, (index) => keys[index] as string);
  if (positions.error.kind === 'no-samples') return [];
  throw new Error(positions.error.message);
}

async function faultOf(
  count: number,
  sizes: SplitSpec['sizes'],
  split = Object.keys(sizes)[0] ?? 'a',
): Promise<Problem> {
  const keys = Array.from({ length: count }, (_, index) => `k${index}`);
  const result = await splitItems(itemsOf(keys), { seed: 1, sizes }, split);
  if (result.ok) throw new Error('the items were split');
  return result.error;
}

const letters = Array.from({ length: 26 }, (_, index) => String.fromCharCode(97 + index));
const contents = fc.array(fc.constantFrom(...letters), { minLength: 1, maxLength: 60 });
const seed = fc.integer({ min: 0, max: 1000 });
const shares = { calib: 0.25, eval: 0.5, rest: 0.25 };

describe('shares', () => {
  it('are where a published hash of seed and content says', async () => {
    const place = (key: string) =>
      Number(BigInt(`0x${createHash('sha256').update(`7\n${key}`).digest('hex')}`) >> (256n - 53n)) / 2 ** 53;
    const inFirstHalf = letters.filter((key) => place(key) < 0.5).sort((a, b) => place(a) - place(b));
    expect(await keysOf(letters, { seed: 7, sizes: { a: 0.5, b: 0.5 } }, 'a')).toEqual(inFirstHalf);
    expect(inFirstHalf.length).toBeGreaterThan(5);
  });

  it('are disjoint and cover all items, and copies stay together', async () => {
    await fc.assert(
      fc.asyncProperty(contents, seed, async (keys, seed) => {
        const spec = { seed, sizes: shares };
        const parts = await Promise.all(Object.keys(shares).map((split) => keysOf(keys, spec, split)));
        expect(parts.flat().sort()).toEqual([...keys].sort());
        const owners = parts.flatMap((part) => [...new Set(part)]);
        expect(new Set(owners).size).toBe(owners.length);
      }),
    );
  });

  it('do not depend on the order of the items', async () => {
    const shuffled = contents.chain((keys) =>
      fc.tuple(fc.constant(keys), fc.shuffledSubarray(keys, { minLength: keys.length })),
    );
    await fc.assert(
      fc.asyncProperty(shuffled, seed, async ([keys, others], seed) => {
        const spec = { seed, sizes: shares };
        expect(await keysOf(others, spec, 'eval')).toEqual(await keysOf(keys, spec, 'eval'));
      }),
    );
  });

  it('keep their items when others come', async () => {
    await fc.assert(
      fc.asyncProperty(contents, contents, seed, async (keys, more, seed) => {
        const spec = { seed, sizes: shares };
        const before = new Set(await keysOf(keys, spec, 'calib'));
        const after = new Set(await keysOf([...more, ...keys], spec, 'calib'));
        for (const key of keys) expect(after.has(key)).toBe(before.has(key));
      }),
    );
  });

  it('have about the wanted size, and another seed gives others', async () => {
    const keys = Array.from({ length: 10_000 }, (_, index) => `item ${index}`);
    const first = await keysOf(keys, { seed: 1, sizes: shares }, 'calib');
    const second = await keysOf(keys, { seed: 2, sizes: shares }, 'calib');
    // Five standard deviations of a binomial count.
    const allowed = 5 * Math.sqrt(10_000 * 0.25 * 0.75);
    for (const part of [first, second]) expect(Math.abs(part.length - 2500)).toBeLessThan(allowed);
    const both = new Set(first);
    const common = second.filter((key) => both.has(key)).length;
    expect(Math.abs(common - 625)).toBeLessThan(5 * Math.sqrt(10_000 * 0.0625));
  });

  it('may add up to 1 in decimal steps, and a share of 1 is everything', async () => {
    const sizes = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`s${index}`, 0.1]));
    const parts = await Promise.all(
      Object.keys(sizes).map((split) => keysOf(letters, { seed: 3, sizes }, split)),
    );
    expect(parts.flat().sort()).toEqual(letters);
    expect((await keysOf(letters, { seed: 3, sizes: { a: 1 } }, 'a')).length).toBe(26);
    // In floating point these are a little more than 1.
    const more = { a: 0.4, b: 0.2, c: 0.3, d: 0.1 };
    expect(Object.values(more).reduce((sum, share) => sum + share, 0)).toBeGreaterThan(1);
    expect(await keysOf(letters, { seed: 3, sizes: more }, 'a')).not.toEqual([]);
  });

  it('are refused where they add up to more, or hold nothing', async () => {
    expect(await faultOf(9, { a: 0.7, b: 0.4 })).toMatchObject({
      kind: 'split-invalid',
      message: "the shares add up to 1.1, which is more than all items: 'a' 0.7, 'b' 0.4",
      place: { file: 'data', field: '/splits/sizes' },
    });
    expect(await faultOf(9, { a: 1e-9 })).toMatchObject({
      kind: 'no-samples',
      message: "the split 'a', a share of 1e-9, holds none of the 9 items",
    });
  });
});

describe('counts', () => {
  const different = fc.uniqueArray(fc.string(), { minLength: 5, maxLength: 40 });

  it('are exact, disjoint among each other and to the shares, and do not depend on the order', async () => {
    const arranged = different.chain((keys) =>
      fc.tuple(fc.constant(keys), fc.shuffledSubarray(keys, { minLength: keys.length })),
    );
    await fc.assert(
      fc.asyncProperty(arranged, seed, async ([keys, others], seed) => {
        const free = keys.length - (await keysOf(keys, { seed, sizes: { share: 0.3 } }, 'share')).length;
        if (free < 5) return;
        const spec = { seed, sizes: { a: 2, share: 0.3, b: 3 } };
        const [a, b, share] = await Promise.all(
          ['a', 'b', 'share'].map((split) => keysOf(keys, spec, split)),
        );
        expect([a?.length, b?.length]).toEqual([2, 3]);
        const all = [...(a ?? []), ...(b ?? []), ...(share ?? [])];
        expect(new Set(all).size).toBe(all.length);
        expect(await keysOf(others, spec, 'b')).toEqual(b);
      }),
    );
  });

  it('are the items with the lowest places, one split after the other', async () => {
    const order = await keysOf(letters, { seed: 5, sizes: { every: 1 } }, 'every');
    const spec = { seed: 5, sizes: { b: 3, a: 2 } };
    expect(await keysOf(letters, spec, 'b')).toEqual(order.slice(0, 3));
    expect(await keysOf(letters, spec, 'a')).toEqual(order.slice(3, 5));
  });

  it('pass over copies that would be too many together, and leave them to the next split', async () => {
    const order = await keysOf(['x', 'y', 'z'], { seed: 5, sizes: { every: 1 } }, 'every');
    const [first, second, third] = order as [string, string, string];
    const keys = [first, first, first, second, third];
    const spec = { seed: 5, sizes: { a: 2, b: 3 } };
    expect(await keysOf(keys, spec, 'a')).toEqual([second, third]);
    expect(await keysOf(keys, spec, 'b')).toEqual([first, first, first]);
  });

  it('are refused where there are not as many items, or only as copies', async () => {
    expect(await faultOf(9, { a: 6, b: 4 })).toMatchObject({
      kind: 'split-invalid',
      message: "the splits ask for 10 items ('a' 6, 'b' 4), but there are 9",
    });
    expect((await faultOf(2, { s: 1, b: 2 }, 'b')).message).toBe(
      "the splits ask for 2 items ('b' 2), but there are 2, 2 of which are in shares",
    );
    const copies = await splitItems(itemsOf(['x', 'x', 'x', 'x']), { seed: 1, sizes: { a: 3 } }, 'a');
    expect(copies).toMatchObject({
      ok: false,
      error: { message: "the split 'a' wants 3 items, but copies that stay together leave only 0" },
    });
  });
});

describe('a split', () => {
  it('`all` is every item in the order of the collection', async () => {
    expect(await keysOf(letters, { seed: 1, sizes: {} }, 'all')).toEqual(letters);
  });

  it('must be there', async () => {
    expect(await faultOf(3, { a: 0.5, b: 2 }, 'c')).toMatchObject({
      kind: 'split-missing',
      message: "there is no split 'c'; there are 'a', 'b'",
      hint: "choose one of them, or 'all'",
    });
    expect((await faultOf(3, { a: 0.5 }, 'toString')).kind).toBe('split-missing');
  });

  it.each([0, -1, Number.NaN, 2.5, Number.POSITIVE_INFINITY])('cannot have the size %d', async (size) => {
    expect(await faultOf(9, { a: size })).toMatchObject({
      kind: 'split-invalid',
      message: `the size of the split 'a' is ${size}`,
      place: { field: '/splits/sizes/a' },
    });
  });

  it('cannot be called `all`', async () => {
    expect(await faultOf(9, { all: 0.5 })).toMatchObject({
      kind: 'split-invalid',
      place: { field: '/splits/sizes/all' },
    });
  });

  it('needs the content of every item, and says which cannot be read', async () => {
    const unreadable = problem('data-unreadable', 'gone', { place: { file: 'data/3', sample: 3 } });
    let asked = 0;
    const collection: ItemCollection = {
      ...itemsOf(Array.from({ length: 1000 }, (_, index) => `${index}`)),
      contentKey: async (index) => {
        asked += 1;
        return index === 3 ? err(unreadable) : ok(`${index}`);
      },
    };
    expect(await splitItems(collection, { seed: 1, sizes: { a: 0.5 } }, 'a')).toEqual({
      ok: false,
      error: unreadable,
    });
    // The rest of the work, if there were any, would be done by now.
    await new Promise(setImmediate);
    expect(asked).toBeLessThan(100);
  });
});
