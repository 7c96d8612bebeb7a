import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NamedTensors, RunBatch } from '../../../src/core/tensor.ts';
import { shareRuns } from '../../../src/jobs/share-runs.ts';

function numbered(value: number): NamedTensors {
  return { x: { type: 'float32', dims: [], data: Float32Array.of(value) } };
}

function numberIn(feeds: NamedTensors): number {
  return Number(feeds['x']?.data[0]);
}

/** Runs of which each ends when it is told to. */
function createRunner(places: number) {
  const begun: { readonly value: number; readonly end: () => void; readonly fail: (why: Error) => void }[] =
    [];
  const run: RunBatch = (feeds) =>
    new Promise((resolve, reject) => {
      begun.push({
        value: numberIn(feeds),
        end: () => resolve(feeds),
        fail: reject,
      });
    });
  return { run, places, begun, values: () => begun.map(({ value }) => value) };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('shareRuns', () => {
  it('gives runs to the first that has a place, and then to whoever is free again', async () => {
    const there = createRunner(2);
    const here = createRunner(1);
    const run = shareRuns([there, here]);
    const results = [0, 1, 2, 3, 4].map((value) => run(numbered(value)));
    expect([there.values(), here.values()]).toEqual([[0, 1], [2]]);
    here.begun[0]?.end();
    await settled();
    expect([there.values(), here.values()]).toEqual([
      [0, 1],
      [2, 3],
    ]);
    there.begun[1]?.end();
    await settled();
    expect(there.values()).toEqual([0, 1, 4]);
    expect(await results[1]).toEqual(numbered(1));
    expect(await results[2]).toEqual(numbered(2));
  });

  it('gives nothing to one that is not ready, nor ever to one that cannot become so', async () => {
    let becomeReady = () => {};
    const late = { ...createRunner(1), ready: new Promise<void>((resolve) => (becomeReady = resolve)) };
    const broken = { ...createRunner(1), ready: Promise.reject(new Error('out of memory')) };
    const here = createRunner(1);
    const run = shareRuns([broken, late, here]);
    for (const value of [0, 1, 2]) void run(numbered(value));
    await settled();
    expect([broken.values(), late.values(), here.values()]).toEqual([[], [], [0]]);
    becomeReady();
    await settled();
    expect([broken.values(), late.values(), here.values()]).toEqual([[], [1], [0]]);
  });

  it('passes a failure to whoever asked for that run, and goes on', async () => {
    const runner = createRunner(1);
    const run = shareRuns([runner]);
    const first = run(numbered(0));
    const second = run(numbered(1));
    runner.begun[0]?.fail(new Error('a bad sample'));
    await expect(first).rejects.toThrow('a bad sample');
    runner.begun[1]?.end();
    expect(await second).toEqual(numbered(1));
  });

  it('runs everything once, whoever is how slow', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
        fc.array(fc.nat(3), { maxLength: 20 }),
        async (places, delays) => {
          const ran: number[] = [];
          const runBatch: RunBatch = async (feeds) => {
            const value = numberIn(feeds);
            for (let turn = delays[value] ?? 0; turn > 0; turn--) await settled();
            ran.push(value);
            return feeds;
          };
          const run = shareRuns(places.map((count) => ({ run: runBatch, places: count })));
          const all = delays.map((_, value) => numbered(value));
          expect(await Promise.all(all.map(run))).toEqual(all);
          expect(ran.sort((a, b) => a - b)).toEqual(delays.map((_, value) => value));
        },
      ),
      { numRuns: 50 },
    );
  });
});
