import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../../src/core/clock.ts';
import { ProblemError, problem } from '../../../../src/core/problem.ts';
import type { NamedTensors } from '../../../../src/core/tensor.ts';
import { calibrate } from '../../../../src/quantization/calibration/calibrate.ts';
import type { ObservedTensor } from '../../../../src/quantization/calibration/observation.ts';
import { createObserver } from '../../../../src/quantization/calibration/observers.ts';

const signed: ObservedTensor = { kind: 'extremes', tensor: 'c', maxOutput: 'c_max', minOutput: 'c_min' };
const unsigned: ObservedTensor = { kind: 'extremes', tensor: 'r', maxOutput: 'r_max', minOutput: undefined };

function floats(...values: number[]): NamedTensors[string] {
  return { type: 'float32', dims: [values.length], data: Float32Array.from(values) };
}

function int64(...values: bigint[]): NamedTensors[string] {
  return { type: 'int64', dims: [values.length], data: BigInt64Array.from(values) };
}

async function* samplesOf(...feeds: readonly NamedTensors[]) {
  for (const [index, feed] of feeds.entries()) yield { index: 10 + index, feeds: feed };
}

/** A clock that moves one second at every reading. */
function tickingClock(): Clock {
  let ns = 0n;
  return {
    nowNs: () => {
      ns += 1_000_000_000n;
      return ns;
    },
    wallMs: () => 0,
  };
}

/** Calibrates by extremes; the feeds are taken for the outputs of the observing model. */
function calibrateOn(feeds: readonly NamedTensors[], done: number[] = []) {
  return calibrate(samplesOf(...feeds), createObserver({ method: 'minmax' }, [signed, unsigned]), {
    runBatch: async (fed) => fed,
    clock: tickingClock(),
    onSample: (count) => done.push(count),
  });
}

const first = { c_max: floats(1, 2.5), c_min: floats(-1), r_max: floats(0.5, 3) };
const second = { c_max: floats(-2), c_min: floats(-7, -3), r_max: floats(1) };

describe('calibrate', () => {
  it('keeps the extremes over all samples, in a range that holds 0', async () => {
    const done: number[] = [];
    const result = await calibrateOn([first, second, first], done);
    expect(result).toMatchObject({ ok: true, value: { samples: 3, inferenceSeconds: 3, seconds: 7 } });
    const ranges = result.ok ? Object.fromEntries(result.value.ranges) : {};
    expect(ranges).toEqual({ c: { min: -7, max: 2.5 }, r: { min: 0, max: 3 } });
    expect(done).toEqual([1, 2, 3]);
  });

  it('widens ranges that lie on one side of 0, and takes an empty tensor for 0', async () => {
    const result = await calibrateOn([{ c_max: floats(-2), c_min: floats(-4), r_max: floats() }]);
    const ranges = result.ok ? Object.fromEntries(result.value.ranges) : {};
    expect(ranges).toEqual({ c: { min: -4, max: 0 }, r: { min: 0, max: 0 } });
  });

  it.each([
    ['NaN', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
  ])('names tensor and sample where the model computes %s', async (_, bad) => {
    const run = async (fed: NamedTensors): Promise<NamedTensors> =>
      fed === second ? { ...second, r_max: floats(0, bad, 1) } : fed;
    const result = await calibrate(
      samplesOf(first, second),
      createObserver({ method: 'minmax' }, [signed, unsigned]),
      { runBatch: run, clock: tickingClock(), onSample: () => {} },
    );
    expect(result).toMatchObject({
      ok: false,
      error: { kind: 'non-finite-activation', place: { tensor: 'r', sample: 11 } },
    });
  });

  it('names the model output and the sample where NaN that no reduction shows comes out of the model', async () => {
    const outputs = { ...first, codes: int64(1n) };
    const result = await calibrate(
      samplesOf(first, second),
      createObserver({ method: 'minmax' }, [signed, unsigned]),
      {
        runBatch: async (fed) => ({ ...outputs, y: floats(1, fed === second ? Number.NaN : 2) }),
        clock: tickingClock(),
        onSample: () => {},
        modelOutputs: ['codes', 'y'],
      },
    );
    expect(result).toMatchObject({
      ok: false,
      error: { kind: 'non-finite-activation', place: { tensor: 'y', sample: 11 } },
    });
  });

  it('takes infinity in an output, which may be meant', async () => {
    const result = await calibrate(
      samplesOf({ ...first, y: floats(Number.NEGATIVE_INFINITY) }),
      createObserver({ method: 'minmax' }, [signed, unsigned]),
      { runBatch: async (fed) => fed, clock: tickingClock(), onSample: () => {}, modelOutputs: ['y'] },
    );
    expect(result.ok).toBe(true);
  });

  it('asks for the next sample while the model runs on the one before', async () => {
    const log: string[] = [];
    async function* samples() {
      for (const index of [0, 1]) {
        log.push(`read ${index}`);
        yield { index, feeds: first };
      }
    }
    await calibrate(samples(), createObserver({ method: 'minmax' }, [signed]), {
      runBatch: async (fed) => {
        log.push('run');
        return fed;
      },
      clock: tickingClock(),
      onSample: () => {},
    });
    expect(log).toEqual(['read 0', 'read 1', 'run', 'run']);
  });

  it('takes results in the order of the samples, however many runs are under way', async () => {
    const feeds = Array.from({ length: 9 }, (_, index) => ({ ...first, x: floats(index) }));
    for (const runsAtOnce of [1, 2, 4, 20]) {
      const seen: number[] = [];
      let underWay = 0;
      let most = 0;
      const result = await calibrate(
        samplesOf(...feeds),
        { add: (sample) => seen.push(sample), ranges: () => new Map() },
        {
          runBatch: async (fed) => {
            underWay += 1;
            most = Math.max(most, underWay);
            // Later samples are done earlier.
            const turns = 9 - Number(fed['x']?.data[0]);
            for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
            underWay -= 1;
            return fed;
          },
          runsAtOnce,
          clock: tickingClock(),
          onSample: () => {},
        },
      );
      expect(result).toMatchObject({ ok: true, value: { samples: 9 } });
      expect(seen).toEqual(feeds.map((_, index) => 10 + index));
      expect(most).toBe(Math.min(runsAtOnce, 9));
    }
  });

  it('tells of the first sample that is bad where later ones fail earlier, once no run is under way', async () => {
    let underWay = 0;
    const result = await calibrate(
      samplesOf(first, { ...first, x: floats(2) }, { x: floats(Number.NaN) }, first),
      createObserver({ method: 'minmax' }, [signed]),
      {
        runBatch: async (fed) => {
          underWay += 1;
          await new Promise((resolve) => setTimeout(resolve, 5));
          underWay -= 1;
          if (fed['x'] !== undefined) throw new ProblemError(problem('inference-failed', 'no'));
          return fed;
        },
        runsAtOnce: 4,
        clock: tickingClock(),
        onSample: () => {},
      },
    );
    expect(result).toMatchObject({ ok: false, error: { kind: 'inference-failed' } });
    expect(underWay).toBe(0);
  });

  it('stops at the first sample that fails, and closes what it reads from', async () => {
    let closed = false;
    async function* samples() {
      try {
        yield { index: 0, feeds: first };
        throw new ProblemError(problem('npz-invalid', 'damaged'));
      } finally {
        closed = true;
      }
    }
    const done: number[] = [];
    const result = await calibrate(samples(), createObserver({ method: 'minmax' }, [signed]), {
      runBatch: async (fed) => fed,
      clock: tickingClock(),
      onSample: (count) => done.push(count),
    });
    expect(result).toMatchObject({ ok: false, error: { kind: 'npz-invalid' } });
    expect({ done, closed }).toEqual({ done: [1], closed: true });
  });

  it('names input and sample where the data themselves hold NaN, before the model runs on them', async () => {
    let runs = 0;
    const result = await calibrate(
      samplesOf({ x: floats(1, 2), c_max: floats(1) }, { x: floats(1, Number.NaN, 3) }),
      { add: () => {}, ranges: () => new Map() },
      {
        runBatch: async (fed) => {
          runs += 1;
          return fed;
        },
        clock: tickingClock(),
        onSample: () => {},
      },
    );
    expect(result).toMatchObject({
      ok: false,
      error: { kind: 'nan-in-sample', place: { tensor: 'x', sample: 11 } },
    });
    expect(runs).toBe(1);
  });

  it('takes infinity in a feed, which may be a mask', async () => {
    const result = await calibrateOn([{ ...first, mask: floats(Number.NEGATIVE_INFINITY, 0) }]);
    expect(result.ok).toBe(true);
  });

  it('asks for at least one sample', async () => {
    expect(await calibrateOn([])).toMatchObject({ ok: false, error: { kind: 'no-samples' } });
  });
});
