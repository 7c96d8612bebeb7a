import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { type RooflineRequest, rooflineModels } from '../../../src/jobs/roofline-models.ts';
import { fakeWorker } from '../../support/fake-worker.ts';
import { unwrap } from '../../support/unwrap.ts';

function request(names: readonly string[], change: Partial<RooflineRequest> = {}): RooflineRequest {
  return {
    variants: names.map((name) => ({ variant: name, path: `/models/${name}.onnx` })),
    data: { spec: { path: '/data.npz' }, split: 'eval' },
    device: 'cpu',
    threads: 1,
    runs: 10,
    ...change,
  };
}

async function measure(asked: RooflineRequest) {
  const worker = fakeWorker();
  const told: string[] = [];
  const onProgress = (subject: string, done: number, total: number) =>
    void told.push(`${subject} ${done}/${total}`);
  const report = unwrap(await rooflineModels(asked, { host: worker, clock: systemClock, onProgress }));
  return { report, told, requests: worker.requests() };
}

describe('rooflineModels', () => {
  it('holds models against the peaks of the host, with the rates of runs without a profile', async () => {
    const { report, told } = await measure(request(['fp32', 'int8']));
    expect(report).toMatchObject({ device: 'cpu', threads: 1, peaks: [{ device: 'cpu' }] });
    expect(report.variants.map(({ variant, failure }) => [variant, failure])).toEqual([
      ['fp32', null],
      ['int8', null],
    ]);
    const [fp32] = report.variants;
    expect(fp32?.roofline?.operators[0]).toMatchObject({
      op: 'Conv',
      form: '3×3',
      bound: 'compute',
      callsPerRun: 1,
    });
    expect(fp32?.roofline?.operators[0]?.roofRatio).toBeCloseTo(0.5, 9);
    expect(fp32?.roofline?.model.secondsPerRun).toBeCloseTo(0.004, 12);
    expect(told).toEqual(['fp32 0/3', 'int8 1/3', 'peaks of cpu 2/3', ' 3/3']);
  });

  it('has no roof for what another provider did', async () => {
    const { report } = await measure(request(['fp32']));
    expect(report.variants[0]?.roofline?.operators[1]).toMatchObject({ op: 'Relu', roofRatio: null });
  });

  it('holds what the CPU does for another device against the peaks of the CPU', async () => {
    const { report, told } = await measure(request(['fp32'], { device: 'webgpu' }));
    expect(report.peaks.map(({ device }) => device)).toEqual(['webgpu', 'cpu']);
    expect(report.variants[0]?.roofline?.operators.map(({ roofRatio }) => roofRatio === null)).toEqual([
      false,
      false,
    ]);
    expect(told.slice(1, 3)).toEqual(['peaks of webgpu 1/3', 'peaks of cpu 2/3']);
  });

  it('goes on after a model that fails', async () => {
    const { report } = await measure(request(['crash', 'fp32']));
    expect(report.variants[0]).toMatchObject({ roofline: null, failure: { kind: 'worker-crashed' } });
    expect(report.variants[1]?.roofline).not.toBeNull();
  });

  it('measures no peaks where every model failed', async () => {
    const { report, requests } = await measure(request(['refuse', 'crash']));
    expect(report.peaks).toEqual([]);
    expect(report.variants.map(({ failure }) => failure?.kind)).toEqual(['not-onnx', 'worker-crashed']);
    expect(requests.some((line) => line.startsWith('peaks'))).toBe(false);
  });

  it('ends where it is cancelled', async () => {
    const worker = fakeWorker();
    const cancelling = new AbortController();
    const result = await rooflineModels(request(['wait', 'fp32']), {
      host: { entry: worker.entry, onSpawn: () => setTimeout(() => cancelling.abort(), 50) },
      clock: systemClock,
      signal: cancelling.signal,
    });
    expect(result).toMatchObject({ error: { kind: 'cancelled' } });
    expect(worker.requests().filter((line) => line.endsWith('fp32.onnx'))).toEqual([]);
  });

  it('gives the peaks alone where no model is asked for', async () => {
    const { report, requests } = await measure(request([]));
    expect(report).toMatchObject({ variants: [], peaks: [{ operationsPerSecond: { int8: 400e9 } }] });
    expect(requests).toEqual(['peaks']);
  });

  it.each(['cuda', 'tensorrt'] as const)(
    'refuses %s, whose kernels the runtime does not time',
    async (device) => {
      const worker = fakeWorker();
      const result = await rooflineModels(request(['fp32'], { device }), {
        host: worker,
        clock: systemClock,
      });
      expect(result).toMatchObject({ error: { kind: 'device-not-profiled', hint: expect.any(String) } });
      expect(worker.requests()).toEqual([]);
    },
  );
});
