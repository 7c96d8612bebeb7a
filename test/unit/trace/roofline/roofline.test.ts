import { describe, expect, test } from 'vitest';
import type { Peaks } from '../../../../src/trace/roofline/peaks.ts';
import { type EqualCalls, rooflineOf } from '../../../../src/trace/roofline/roofline.ts';

/** 100 GFLOP/s in float32 and 400 in int8; 50 GB/s out of a cache of 1 MB and 10 GB/s behind it. */
const PEAKS: Peaks = {
  device: 'cpu',
  threads: 1,
  operationsPerSecond: { float32: 100e9, float16: null, int8: 400e9 },
  levels: [
    { name: 'L2', capacityBytes: 1e6, bytesPerSecond: 50e9 },
    { name: 'memory', capacityBytes: null, bytesPerSecond: 10e9 },
  ],
};

const CONV: EqualCalls = {
  op: 'Conv',
  form: '',
  provider: 'CPUExecutionProvider',
  arithmetic: 'float32',
  calls: 20,
  seconds: 0.04,
  flops: 100e6,
  bytes: 200e3,
};

const under = (calls: readonly EqualCalls[], runs = 10, seconds = 0.1) =>
  rooflineOf({ runs, seconds, calls }, () => PEAKS);

const only = (change: Partial<EqualCalls>) => {
  const [operator] = under([{ ...CONV, ...change }]).operators;
  if (operator === undefined) throw new Error('no operator came out');
  return operator;
};

describe('rooflineOf', () => {
  test('an operator that reaches half of the arithmetic peak is bound by compute', () => {
    expect(only({})).toEqual({
      op: 'Conv',
      form: '',
      provider: 'CPUExecutionProvider',
      arithmetic: 'float32',
      callsPerRun: 2,
      secondsPerRun: 0.004,
      timeRatio: 1,
      flopsPerRun: 200e6,
      bytesPerRun: 400e3,
      intensity: 500,
      flopsPerSecond: 50e9,
      bytesPerSecond: 100e6,
      roofSecondsPerRun: 0.002,
      roofRatio: 0.5,
      bound: 'compute',
      memory: 'L2',
    });
  });

  test('one that moves its bytes at half of the bandwidth is bound by memory, even where its FLOPs are unknown', () => {
    const moved = { calls: 10, flops: 10e3, bytes: 100e3, seconds: 10 * 4e-6 };
    expect(only(moved)).toMatchObject({ bound: 'memory', roofRatio: 0.5, intensity: 0.1 });
    expect(only({ ...moved, flops: null })).toMatchObject({
      bound: 'memory',
      roofRatio: 0.5,
      flopsPerRun: null,
      flopsPerSecond: null,
      intensity: null,
    });
  });

  test('one that is far below both roofs is bound by neither', () => {
    expect(only({ seconds: 0.079 })).toMatchObject({ bound: 'compute' });
    expect(only({ seconds: 0.081 })).toMatchObject({ bound: 'overhead' });
  });

  test('what is not known of some calls does not change the intensity of the others', () => {
    const [both] = under([CONV, { ...CONV, bytes: null }, { ...CONV, flops: null, bytes: 1 }]).operators;
    expect(both).toMatchObject({ intensity: 500, flopsPerRun: 400e6, bytesPerRun: 400e3 + 2 });
    expect(only({ flops: null, bytes: null })).toMatchObject({
      bytesPerRun: null,
      bytesPerSecond: null,
      roofRatio: 0,
    });
  });

  test('one that only looks at shapes moves nothing and has no intensity', () => {
    expect(only({ flops: null, bytes: 0 })).toMatchObject({
      bound: 'overhead',
      intensity: null,
      roofSecondsPerRun: 0,
      roofRatio: 0,
      bytesPerSecond: 0,
    });
  });

  test('int8 is held against the peak of int8, and float16 against that of float32 where it has none of its own', () => {
    expect(only({ arithmetic: 'int8' }).roofRatio).toBeCloseTo(0.125, 12);
    expect(only({ arithmetic: 'float16' }).roofRatio).toBeCloseTo(0.5, 12);
  });

  test('each call has the slope of the nearest memory that holds what it touches', () => {
    const small = { ...CONV, flops: null, calls: 1, bytes: 1e6, seconds: 40e-6 };
    const large = { ...small, bytes: 1e6 + 1, seconds: 200e-6 };
    expect(only(small)).toMatchObject({ memory: 'L2', roofRatio: 0.5 });
    expect(only(large).memory).toBe('memory');
    expect(only(large).roofRatio).toBeCloseTo(0.5, 5);
    const [both] = under([small, large], 1).operators;
    expect(both?.roofSecondsPerRun).toBeCloseTo(20e-6 + 100e-6, 9);
    expect(both?.memory).toBe('memory');
  });

  test('operators come by their time, apart for each provider and kind of arithmetic', () => {
    const { operators } = under([
      { ...CONV, seconds: 0.01 },
      { ...CONV, calls: 10, seconds: 0.005 },
      { ...CONV, provider: 'WebGpuExecutionProvider', seconds: 0.02 },
      { ...CONV, arithmetic: 'int8', seconds: 0.005 },
    ]);
    expect(
      operators.map(({ provider, arithmetic, timeRatio, callsPerRun }) => [
        provider,
        arithmetic,
        timeRatio,
        callsPerRun,
      ]),
    ).toEqual([
      ['WebGpuExecutionProvider', 'float32', 0.5, 2],
      ['CPUExecutionProvider', 'float32', 0.375, 3],
      ['CPUExecutionProvider', 'int8', 0.125, 2],
    ]);
  });

  test('the model is held against all roofs together, over the whole time of its runs', () => {
    const { model } = under([
      CONV,
      { ...CONV, op: 'Relu', calls: 10, flops: null, bytes: 100e3, seconds: 40e-6 },
      { ...CONV, op: 'Shape', calls: 10, flops: null, bytes: 0, seconds: 0.02 },
    ]);
    expect(model.secondsPerRun).toBeCloseTo(0.01, 12);
    expect(model.roofSecondsPerRun).toBeCloseTo(0.002 + 2e-6, 12);
    expect(model.roofRatio).toBeCloseTo(0.2002, 10);
    expect(model.flopsPerRun).toBe(200e6);
    expect(model.bytesPerRun).toBe(500e3);
    expect(model.outsideKernelsSeconds).toBeCloseTo(0.003996, 10);
    const { compute, memory, overhead } = model.timeRatioByBound;
    expect(compute + memory + overhead).toBeCloseTo(1, 12);
    expect(overhead).toBeCloseTo(0.02 / 0.06004, 12);
  });

  test('rates of the model are those of runs without a profile, where such were measured', () => {
    const { model } = rooflineOf({ runs: 10, seconds: 0.1, plainSeconds: 0.05, calls: [CONV] }, () => PEAKS);
    expect(model).toMatchObject({ secondsPerRun: 0.005, flopsPerSecond: 40e9, roofRatio: 0.4 });
    expect(model.outsideKernelsSeconds).toBeCloseTo(0.006, 12);
  });

  test('where no peaks are known of a provider, what it did is told without a roof', () => {
    const { operators, model } = rooflineOf({ runs: 1, seconds: 0.05, calls: [CONV] }, () => undefined);
    expect(operators[0]).toMatchObject({
      roofSecondsPerRun: null,
      roofRatio: null,
      memory: null,
      bound: 'overhead',
    });
    expect(operators[0]?.flopsPerSecond).toBeCloseTo(50e9, 0);
    expect(model).toMatchObject({ roofSecondsPerRun: null, roofRatio: null });
  });

  test('runs of which no kernel is known have no rates and no shares', () => {
    expect(under([]).operators).toEqual([]);
    expect(under([]).model).toMatchObject({
      flopsPerRun: null,
      bytesPerRun: null,
      roofRatio: null,
      timeRatioByBound: { compute: 0, memory: 0, overhead: 0 },
    });
  });
});
