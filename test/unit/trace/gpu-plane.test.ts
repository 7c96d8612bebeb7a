import { describe, expect, it } from 'vitest';
import { buildTrace } from '../../../src/trace/build-trace.ts';
import type { TraceInput } from '../../../src/trace/trace-input.ts';
import { graphRun, modelRun, nodeEvent, type ProfileEvent, partOf } from '../../support/profile-events.ts';
import { eventsOf, lineNamed, nested, partEvents, planeNamed } from '../../support/trace-events.ts';

const HOST = { hostname: 'host', nowNs: 2_000_000_000n, wallMs: 1_700_000_000_000 };
const RUNS = [
  [1000, 100],
  [1200, 100],
] as const;

function traceOf(events: readonly ProfileEvent[], more: Partial<TraceInput> = {}, part = {}) {
  const parts = [{ part: partOf(RUNS, { device: 'webgpu', ...part }), events: partEvents(events) }];
  return buildTrace({ parts, phases: [], host: HOST, warnings: [], ...more });
}

const hostRun = (ts: number): readonly ProfileEvent[] => [
  nodeEvent('/conv&1', 'Conv', [ts + 10, 5]),
  nodeEvent('/relu', 'Relu', [ts + 20, 5]),
  graphRun([ts + 5, 25]),
  modelRun([ts, 100]),
];

const shader = (name: string, [ts, dur]: readonly [number, number]): ProfileEvent => ({
  cat: 'Api',
  tid: -1,
  ts,
  dur,
  name,
  args: {
    shapes: 'inputs[0] = {1,4} outputs[0] = {1,4} ',
    cache_key: 'Conv2dMM[ActivationKind: 1;|1]:8,8,1:1|1|1|4:0;4',
  },
});

/** As the runtime writes them: after all runs. */
const shaders = (shiftUs: number) =>
  [1000, 1200].flatMap((ts) => [
    shader('/conv&1&Conv&Transpose', [ts + shiftUs + 30, 5]),
    shader('/conv&1&Conv&Conv2dMM', [ts + shiftUs + 36, 20]),
    shader('/relu&Relu&Relu', [ts + shiftUs + 57, 6]),
  ]);

function kernelsOf(trace: ReturnType<typeof traceOf>) {
  const plane = planeNamed(trace, '/device:GPU:0');
  return eventsOf(plane, lineNamed(plane, 'Stream #0(Compute) of net:fp32'));
}

describe('shaders of WebGPU', () => {
  it('are kernels on a plane of the GPU, each with its operator and the event that launched it', () => {
    const trace = traceOf([...hostRun(1000), ...hostRun(1200), ...shaders(0)]);
    const kernels = kernelsOf(trace);
    expect(kernels.map(({ name, startNs, endNs }) => [name, startNs, endNs - startNs])).toEqual([
      ['Transpose', 32_000, 5000],
      ['Conv2dMM', 38_000, 20_000],
      ['Relu', 59_000, 6000],
      ['Transpose', 232_000, 5000],
      ['Conv2dMM', 238_000, 20_000],
      ['Relu', 259_000, 6000],
    ]);
    expect(kernels[1]?.kind.stats).toEqual({
      tf_op: 'conv_1:Conv',
      kernel_details: 'regs:0 static_shared:0 dynamic_shared:0 block:8,8,1',
      shapes: 'inputs[0] = {1,4} outputs[0] = {1,4}',
      'cache key': 'Conv2dMM[ActivationKind: 1;|1]:8,8,1:1|1|1|4:0;4',
    });
    const host = planeNamed(trace, '/host:CPU');
    const events = nested(eventsOf(host, lineNamed(host, 'bench fp32, lane 1')));
    const launches = events.filter(({ stats }) => stats['correlation_id'] !== undefined);
    expect(launches.map(({ stats }) => stats['correlation_id'])).toEqual([1, 2, 3, 4, 5, 6]);
    expect(kernels.map(({ stats }) => stats['correlation_id'])).toEqual([1, 2, 3, 4, 5, 6]);
    const parents = launches.map(
      ({ startNs, depth }) =>
        events.find(
          (event) =>
            event.depth === depth - 1 &&
            event.startNs <= startNs &&
            event.endNs >= startNs &&
            event.kind.displayName !== undefined,
        )?.name,
    );
    expect(parents).toEqual([
      'conv_1:Conv',
      'conv_1:Conv',
      'relu:Relu',
      'conv_1:Conv',
      'conv_1:Conv',
      'relu:Relu',
    ]);
  });

  it('on a clock of their own are moved to their operators', () => {
    // The first shader is at zero; none may begin before its operator does.
    const trace = traceOf([...hostRun(1000), ...hostRun(1200), ...shaders(-1030)]);
    expect(kernelsOf(trace).map(({ startNs }) => startNs)).toEqual(
      [12, 18, 39, 212, 218, 239].map((us) => us * 1000),
    );
  });

  it('that begin before their operators are moved as little as possible, run by run where they must', () => {
    const late = [
      // 2 us are enough, and more than 12 would bring it out of its run.
      shader('/conv&1&Conv&Conv2dMM', [1008, 80]),
      // Here it takes 18.
      shader('/relu&Relu&Relu', [1202, 80]),
    ];
    const starts = kernelsOf(traceOf([...hostRun(1000), ...hostRun(1200), ...late])).map(
      ({ startNs }) => startNs,
    );
    expect(starts).toEqual([12_000, 222_000]);
  });

  it('of runs that warmed up are shown, and not counted', () => {
    const events = [...hostRun(1000), ...hostRun(1200), ...shaders(0)];
    const kernels = kernelsOf(traceOf(events, {}, { firstRequest: 1 }));
    expect(kernels[0]?.name).toBe('warm-up Transpose');
    expect(kernels[0]?.kind.stats).not.toHaveProperty('tf_op');
    expect(kernels[0]?.kind.stats).not.toHaveProperty('kernel_details');
    expect(kernels[3]?.name).toBe('Transpose');
  });

  it('of nodes that nobody knows are left out', () => {
    const events = [...hostRun(1000), ...hostRun(1200), shader('other&Conv&Conv2dMM', [1040, 3])];
    expect(traceOf(events).planes.map(({ name }) => name)).toEqual(['/host:CPU']);
  });
});

describe('kernels of CUDA', () => {
  it('stand behind their operator, and begin with it, one after another', () => {
    const kernel = (name: string, dur: number, stream: string, grid: string) => ({
      cat: 'Kernel',
      tid: -1,
      ts: 1,
      dur,
      name,
      args: { stream, grid_x: grid, grid_y: '1', grid_z: '1', block_x: '256', block_y: '1', block_z: '1' },
    });
    const trace = traceOf(
      [
        nodeEvent('conv', 'Conv', [1010, 5]),
        kernel('implicit_gemm', 8, '7', '128'),
        kernel('add_bias', 2, '7', '4'),
        nodeEvent('relu', 'Relu', [1030, 5]),
        kernel('MemcpyHostToDevice', 3, '7', '-1'),
        graphRun([1005, 40]),
        modelRun([1000, 100]),
      ],
      {},
      { device: 'cuda' },
    );
    const plane = planeNamed(trace, '/device:GPU:0');
    const kernels = eventsOf(plane, lineNamed(plane, 'Stream #7(Compute) of net:fp32'));
    expect(kernels.map(({ name, startNs, kind }) => [name, startNs, kind.stats])).toEqual([
      [
        'implicit_gemm',
        12_000,
        {
          tf_op: 'conv:Conv',
          kernel_details: 'regs:0 static_shared:0 dynamic_shared:0 grid:128,1,1 block:256,1,1',
        },
      ],
      ['add_bias', 20_000, expect.objectContaining({ tf_op: 'conv:Conv' })],
      ['MemcpyHToD', 32_000, { tf_op: 'relu:Relu' }],
    ]);
  });
});

describe('the plane of a GPU', () => {
  it('has what is known of the device', () => {
    const gpus = [
      {
        name: 'H200',
        vendor: 'Nvidia',
        memoryBytes: 150e9,
        memoryBytesPerSecond: 4.8e12,
        clockHertz: 1.98e9,
        coreCount: 132,
        computeCapability: { major: 9, minor: 0 },
        peakFlopsPerSecond: 67e12,
      },
    ];
    const trace = traceOf([...hostRun(1000), ...hostRun(1200), ...shaders(0)], { host: { ...HOST, gpus } });
    expect(planeNamed(trace, '/device:GPU:0').stats).toEqual({
      gpu_device_name: 'H200',
      device_vendor: 'Nvidia',
      memory_size: { int: 150e9 },
      memory_bandwidth: { int: 4.8e12 },
      clock_rate: { int: 1.98e6 },
      core_count: { int: 132 },
      compute_cap_major: { int: 9 },
      compute_cap_minor: { int: 0 },
      peak_teraflops_per_second: { double: 67 },
    });
    const unknown = traceOf([...hostRun(1000), ...hostRun(1200), ...shaders(0)]);
    expect(planeNamed(unknown, '/device:GPU:0').stats).toEqual({});
  });
});
