import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAhead } from '../../../src/data/read-ahead.ts';

/** Reads that take as many turns of the event loop as `turns` says, and what was seen of them. */
function slowReads(turns: (index: number) => number = () => 1) {
  const seen = { started: [] as number[], finished: [] as number[], underWay: 0, mostUnderWay: 0 };
  const read = async (index: number): Promise<number> => {
    seen.started.push(index);
    seen.underWay += 1;
    seen.mostUnderWay = Math.max(seen.mostUnderWay, seen.underWay);
    for (let turn = 0; turn < turns(index); turn += 1) await setImmediate();
    seen.underWay -= 1;
    seen.finished.push(index);
    return index;
  };
  return { read, seen };
}

async function collect(
  range: { readonly start: number; readonly end: number; readonly step: number },
  read: (index: number) => Promise<number>,
  ahead = 4,
): Promise<readonly number[]> {
  const found: number[] = [];
  for await (const value of readAhead(range, read, ahead)) found.push(value);
  return found;
}

describe('readAhead', () => {
  it('gives results in order, whichever read is done first', async () => {
    const { read, seen } = slowReads((index) => 8 - index);
    expect(await collect({ start: 0, end: 8, step: 1 }, read)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(seen.finished).not.toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('takes each step-th index from the start up to and without the end', async () => {
    const { read } = slowReads();
    expect(await collect({ start: 1, end: 8, step: 3 }, read)).toEqual([1, 4, 7]);
    expect(await collect({ start: 1, end: 7, step: 3 }, read)).toEqual([1, 4]);
    expect(await collect({ start: 3, end: 3, step: 1 }, read)).toEqual([]);
    expect(await collect({ start: 4, end: 3, step: 1 }, read)).toEqual([]);
  });

  it('has as many reads under way as it may, and never more', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 0, max: 12 }),
        async (ahead, count) => {
          const { read, seen } = slowReads((index) => 1 + ((index * 7) % 3));
          expect(await collect({ start: 0, end: count, step: 1 }, read, ahead)).toHaveLength(count);
          expect(seen.mostUnderWay).toBe(Math.min(ahead, count));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('reads on while the consumer works', async () => {
    const { read, seen } = slowReads();
    const reading = readAhead({ start: 0, end: 9, step: 1 }, read, 3);
    await reading.next();
    for (let turn = 0; turn < 5; turn += 1) await setImmediate();
    expect(seen.started).toEqual([0, 1, 2]);
    expect(seen.finished).toEqual([0, 1, 2]);
    await reading.return(undefined);
  });

  it('rejects when the turn of the bad read comes, and not before', async () => {
    const { read, seen } = slowReads();
    const found: number[] = [];
    const all = async () => {
      const bad = (index: number) => (index === 2 ? Promise.reject(new Error('bad 2')) : read(index));
      for await (const value of readAhead({ start: 0, end: 9, step: 1 }, bad, 4)) {
        found.push(value);
        await setImmediate();
      }
    };
    await expect(all()).rejects.toThrow('bad 2');
    expect(found).toEqual([0, 1]);
    expect(seen.underWay).toBe(0);
  });

  it('leaves no read under way where the consumer stops early', async () => {
    const { read, seen } = slowReads((index) => 2 * index);
    for await (const value of readAhead({ start: 0, end: 9, step: 1 }, read, 4)) {
      if (value === 1) break;
    }
    expect(seen.started).toEqual([0, 1, 2, 3, 4]);
    expect(seen.underWay).toBe(0);
  });
});
