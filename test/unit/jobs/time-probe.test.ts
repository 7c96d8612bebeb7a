import { arch } from 'node:os';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import {
  floatConvolution,
  floatProduct,
  inPlaceRelus,
  integerProduct,
  type ProbeModel,
  quantizedProduct,
} from '../../../src/jobs/probe-models.ts';
import { timeProbe, timingOf } from '../../../src/jobs/time-probe.ts';
import type { OpProfile } from '../../../src/runtime/op-profile.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const CPU = 'CPUExecutionProvider';
const SIZE = { rows: 16, inner: 32 };

const time = (probe: ProbeModel) =>
  timeProbe(probe, { device: 'cpu', threads: 1, folder: temporaryFolder(), clock: systemClock }, CPU);

describe('timeProbe', () => {
  it.each([
    floatProduct(SIZE, 'float'),
    integerProduct(SIZE),
    quantizedProduct(SIZE),
    floatConvolution(1, 16),
    inPlaceRelus(2 ** 20),
  ])('times $name in the runtime', async (probe) => {
    const timing = await time(probe);
    expect(timing?.seconds).toBeGreaterThan(0);
    expect(timing?.seconds).toBeLessThan(1);
  });

  it.skipIf(arch() !== 'x64')(
    'tells that x86 has no half floats of its own: the runtime computes in float32',
    async () => expect(await time(floatProduct(SIZE, 'float16'))).toBeNull(),
  );

  it('tells that the runtime refuses a probe', async () => {
    const probe = floatProduct(SIZE, 'float');
    const [node] = probe.model.proto.graph?.node.filter(({ name }) => name === 'probe') ?? [];
    if (node !== undefined) node.opType = 'NoSuchOperator';
    expect(await time(probe)).toBeNull();
  });

  it('knows what a call of a probe does', () => {
    expect(floatProduct(SIZE, 'float')).toMatchObject({ operations: 2 * 16 * 32 * 32, bytes: 0 });
    expect(integerProduct(SIZE).operations).toBe(2 * 16 * 32 * 32);
    expect(floatConvolution(2, 16).operations).toBe(2 * 2 * 28 * 28 * 16 * 16 * 9);
    expect(inPlaceRelus(4000)).toMatchObject({ operations: 0, bytes: 8000 });
  });
});

function profileOf(runs: readonly (readonly number[])[], change: object = {}): OpProfile {
  const call = { node: 'n', op: 'MatMul', provider: CPU, startNs: 0, outputBytes: 0, outputShapes: '[]' };
  return {
    dispatches: [],
    arenaBytes: {},
    runs: runs.map((microseconds) => ({
      startNs: 0,
      durationNs: 0,
      calls: microseconds.map((each) => ({
        ...call,
        durationNs: each * 1000,
        inputShapes: '[{"float":[2,2]}]',
        ...change,
      })),
    })),
  };
}

const WANTED = { op: 'MatMul', inputType: 'float', provider: CPU } as const;

describe('timingOf', () => {
  it('takes the fastest run after the warm-up, and half of the microsecond that is cut off', () => {
    const timing = timingOf(profileOf([[1], [1], [100], [98], [99]]), WANTED);
    expect(timing?.seconds).toBeCloseTo(98.5e-6, 12);
    expect(timing?.steady).toBe(true);
  });

  it('is not steady where only one run was so fast, or where there are too few', () => {
    expect(timingOf(profileOf([[1], [1], [100], [110], [120]]), WANTED)?.steady).toBe(false);
    expect(timingOf(profileOf([[1], [1], [100], [100]]), WANTED)?.steady).toBe(false);
  });

  it('takes the mean of several calls in a run', () =>
    expect(timingOf(profileOf([[1], [1], [10, 20], [30, 40], [15, 16]]), WANTED)?.seconds).toBeCloseTo(
      15.5e-6,
      12,
    ));

  it.each([
    ['of another type', { inputShapes: '[{"float16":[2,2]}]' }],
    ['of another provider', { provider: 'WebGpuExecutionProvider' }],
    ['of another operator', { op: 'Cast' }],
  ])('does not know of calls %s', (_, change) =>
    expect(timingOf(profileOf([[1], [1], [5], [5], [5]], change), WANTED)).toBeNull(),
  );

  it('takes the time of shaders where there are any', () => {
    const shader = { node: 'n', op: 'MatMul', shader: 's', startNs: 0, durationNs: 2e6 };
    const profile = profileOf([[1], [1], [5], [5], [5]]);
    const dispatches = Array.from({ length: 10 }, () => shader);
    expect(timingOf({ ...profile, dispatches }, WANTED)?.seconds).toBeCloseTo(4e-3, 12);
  });
});
