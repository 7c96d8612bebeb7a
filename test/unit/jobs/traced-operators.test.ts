import { describe, expect, it } from 'vitest';
import { type ReadPart, summarizeOperators } from '../../../src/jobs/traced-operators.ts';
import { parseProfile } from '../../../src/runtime/profile/read-profile.ts';
import { unwrap } from '../../support/unwrap.ts';

interface Event {
  readonly cat: 'Session' | 'Node';
  readonly name: string;
  readonly ts: number;
  readonly dur: number;
  readonly op?: string;
}

function node(op: string, ts: number, dur: number): Event {
  return { cat: 'Node', name: `${op}_0_kernel_time`, ts, dur, op };
}

function run(ts: number, dur: number): Event {
  return { cat: 'Session', name: 'model_run', ts, dur };
}

function partOf(modelId: string, events: readonly Event[], more: Partial<ReadPart> = {}): ReadPart {
  const json = events.map(({ op, ...event }) => ({
    ...event,
    pid: 1,
    tid: 1,
    ph: 'X',
    args: op === undefined ? {} : { op_name: op, provider: 'CPUExecutionProvider' },
  }));
  const runs = events.filter(({ name }) => name === 'model_run');
  return {
    part: {
      modelId,
      phase: 'bench',
      device: 'cpu',
      pid: 1,
      thread: modelId,
      baseNs: '0',
      startsNs: runs.map(({ ts }) => ts * 1000),
      endsNs: runs.map(({ ts, dur }) => (ts + dur) * 1000),
      firstRequest: 1,
    },
    events: unwrap(parseProfile(Buffer.from(JSON.stringify(json)))),
    flopsOf: () => null,
    ...more,
  };
}

const WARM_UP = [node('Conv', 0, 1000), run(0, 1100)];

describe('what operators of a trace took', () => {
  it('adds up those of a model over its lanes, without the runs that warmed it up', () => {
    const first = partOf('m:int8', [
      ...WARM_UP,
      node('Conv', 2000, 30),
      node('Relu', 2030, 10),
      run(2000, 45),
    ]);
    const second = partOf('m:int8', [...WARM_UP, node('Conv', 2000, 40), run(2000, 45)]);
    const other = partOf('m:fp32', [...WARM_UP, run(2000, 45)]);
    const [int8, fp32] = summarizeOperators([first, second, other]);
    expect(int8).toMatchObject({ modelId: 'm:int8', requests: 2 });
    expect(int8?.operatorSeconds).toBeCloseTo(80e-6, 12);
    expect(int8?.operators).toEqual([
      { op: 'Conv', calls: 2, seconds: expect.closeTo(70e-6, 12), timeRatio: 0.875, flopsPerSecond: null },
      { op: 'Relu', calls: 1, seconds: expect.closeTo(10e-6, 12), timeRatio: 0.125, flopsPerSecond: null },
    ]);
    expect(fp32).toEqual({
      modelId: 'm:fp32',
      device: 'cpu',
      requests: 1,
      operatorSeconds: 0,
      deviceKernels: 0,
      operators: [],
    });
  });

  it('counts what is in a body once, and not the node that holds it', () => {
    const [model] = summarizeOperators([
      partOf('m', [...WARM_UP, node('Conv', 2005, 20), node('If', 2000, 30), run(2000, 45)]),
    ]);
    expect(model?.operators).toMatchObject([{ op: 'Conv', timeRatio: 1 }]);
  });

  it('takes rates from the calls whose work is known', () => {
    const events = [...WARM_UP, node('Conv', 2000, 10), node('Relu', 2010, 10), run(2000, 45)];
    const part = partOf('m', events);
    const kinds = part.events?.kindList ?? [];
    const flopsOf = (kind: number) => (kinds[kind]?.op === 'Conv' ? 2e6 : null);
    const [model] = summarizeOperators([{ ...part, flopsOf }]);
    expect(model?.operators.map(({ op, flopsPerSecond }) => [op, flopsPerSecond])).toEqual([
      ['Conv', expect.closeTo(2e11, 0)],
      ['Relu', null],
    ]);
  });

  it('knows no rates of a device, as the time is that of handing the work over', () => {
    const part = partOf('m', [...WARM_UP, node('Conv', 2000, 10), run(2000, 45)], { flopsOf: () => 1e6 });
    const kindList = part.events?.kindList.map((kind) => ({ ...kind, provider: 'WebGpuExecutionProvider' }));
    const events = { ...(part.events as NonNullable<ReadPart['events']>), kindList: kindList ?? [] };
    const [model] = summarizeOperators([{ ...part, part: { ...part.part, device: 'webgpu' }, events }]);
    expect(model).toMatchObject({ device: 'webgpu', operators: [{ op: 'Conv', flopsPerSecond: null }] });
  });

  it('keeps apart what a model took on one device and on another', () => {
    const part = partOf('m', [...WARM_UP, node('Conv', 2000, 10), run(2000, 45)]);
    const onGpu = { ...part, part: { ...part.part, device: 'cuda' as const } };
    expect(summarizeOperators([part, onGpu, part])).toMatchObject([
      { modelId: 'm', device: 'cpu', requests: 2, operators: [{ op: 'Conv', calls: 2 }] },
      { modelId: 'm', device: 'cuda', requests: 1, operators: [{ op: 'Conv', calls: 1 }] },
    ]);
  });

  it('knows requests of what was not profiled', () => {
    const part = partOf('m', [run(0, 10), run(20, 10), run(40, 10)]);
    expect(summarizeOperators([{ ...part, events: undefined }])).toEqual([
      { modelId: 'm', device: 'cpu', requests: 2, operatorSeconds: 0, deviceKernels: 0, operators: [] },
    ]);
  });
});
