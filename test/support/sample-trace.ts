import type { Trace } from '../../src/trace/trace.ts';
import { type HandMadeEvent, lineOf, planeOf, traceOf } from './hand-made-trace.ts';

/** What a viewer must find in `sampleTrace`, added up by hand. */
export const SAMPLE = {
  models: ['net:fp32', 'net:int8'],
  stepsPerModel: 3,
  /** Of one operator in one step. */
  convNs: 600_000,
  reluNs: 120_000,
  kernelNs: 400_000,
  copyBytes: 4096,
  /** What is in use after each of the three allocations of a step, and at last. */
  inUseBytes: [1_000_000, 3_000_000, 2_000_000, 0],
  watts: [40.5, 41.25, 42],
} as const;

const STEP_NS = 1_000_000;
const KIND = { infer: 0, run: 1, conv: 3, relu: 4, allocate: 5, free: 6, launch: 7 } as const;
const PROVIDER = { provider: 'CPUExecutionProvider' };
const ALLOCATOR = { allocator_name: 'CPU' };

/**
 * Three steps of two variants, one after the other on two threads, with kernels, memory and a meter: everything that the
 * tools look for, small enough to be checked by eye.
 */
export function sampleTrace(): Trace {
  const host = planeOf(
    '/host:CPU',
    [
      { name: 'infer', stats: { _r: { int: 1 } } },
      ...SAMPLE.models.map((model) => ({ name: 'SessionRun', stats: { model_id: model } })),
      {
        name: 'features/conv_0/Conv:Conv',
        displayName: 'Conv',
        stats: { ...PROVIDER, FLOPs: { double: 1e6 } },
      },
      { name: 'features/relu_0/Relu:Relu', displayName: 'Relu', stats: PROVIDER },
      {
        name: 'MemoryAllocation',
        stats: {
          ...ALLOCATOR,
          tf_op: 'alloc of features/conv_0/Conv',
          region_type: 'output',
          data_type: { int: 1 },
          shape: '1x8x16x16',
        },
      },
      { name: 'MemoryDeallocation', stats: ALLOCATOR },
      { name: 'launch' },
    ],
    SAMPLE.models.map((model, place) =>
      lineOf(
        place + 1,
        `bench ${model}, Läufer ${place}`,
        Array.from({ length: SAMPLE.stepsPerModel }, (_, step) => stepEvents(place, step)).flat(),
      ),
    ),
  );
  const gpu = planeOf(
    '/device:GPU:0',
    [
      {
        name: 'void conv_kernel<float>(float const*, "x")',
        stats: {
          tf_op: 'features/conv_0/Conv:Conv',
          kernel_details: 'regs:32 static_shared:0 dynamic_shared:0 grid:128,1,1 block:256,1,1 occ_pct:50.0',
        },
      },
      { name: 'MemcpyHToD', stats: { memcpy_details: `num_bytes:${SAMPLE.copyBytes}\nkind:pageable` } },
    ],
    [
      lineOf(
        1,
        'Stream #7(Compute)',
        stepStarts().map((startNs, place) => ({
          kind: 0,
          startNs: startNs + 150_000,
          durationNs: SAMPLE.kernelNs,
          ints: { correlation_id: place + 1 },
        })),
      ),
      lineOf(2, 'Stream #8(MemcpyH2D)', [
        { kind: 1, startNs: 90_000, durationNs: 10_000, ints: { correlation_id: 100 } },
      ]),
    ],
    {
      device_vendor: 'Nvidia',
      gpu_device_name: 'NVIDIA H100',
      clock_rate: { int: 1_755_000 },
      core_count: { int: 132 },
      memory_bandwidth: { int: 3_350_000_000_000 },
      memory_size: { int: 85_899_345_920 },
      compute_cap_major: { int: 9 },
      compute_cap_minor: { int: 0 },
    },
  );
  const telemetry = planeOf(
    '/device:CUSTOM:telemetry',
    [{ name: 'GPU 0 power, W' }, { name: 'NVMe nvme0n1 read, B/s' }],
    [
      lineOf(1, '_counters_', [
        ...SAMPLE.watts.map((watts, place) => ({ kind: 0, startNs: place * 2e6, doubles: { value: watts } })),
        { kind: 1, startNs: 5e6, doubles: { value: 2 ** 40 } },
      ]),
    ],
  );
  return traceOf([gpu, telemetry, host], { durationNs: 6 * STEP_NS, hostname: 'node-7:rack/ü' });
}

/** The beginnings of all steps, of all models. */
function stepStarts(): number[] {
  return Array.from({ length: SAMPLE.models.length * SAMPLE.stepsPerModel }, (_, place) => place * STEP_NS);
}

function stepEvents(model: number, step: number): HandMadeEvent[] {
  const number = model * SAMPLE.stepsPerModel + step;
  const start = number * STEP_NS;
  const [first, second, third, last] = SAMPLE.inUseBytes;
  const memory = (kind: number, at: number, bytes: number, allocated: number): HandMadeEvent => ({
    kind,
    startNs: start + at,
    ints: {
      bytes_reserved: 0,
      bytes_allocated: bytes,
      bytes_available: 4_000_000 - bytes,
      peak_bytes_in_use: SAMPLE.inUseBytes[1],
      requested_bytes: allocated,
      allocation_bytes: allocated,
      addr: 0x1000,
    },
  });
  return [
    { kind: KIND.infer, startNs: start, durationNs: 950_000, ints: { step_num: number } },
    { kind: KIND.run + model, startNs: start + 10_000, durationNs: 930_000, ints: { id: number } },
    { kind: KIND.conv, startNs: start + 100_000, durationNs: SAMPLE.convNs },
    ...(model === 0 && step === 0
      ? [{ kind: KIND.launch, startNs: start + 105_000, durationNs: 1_000, ints: { correlation_id: 100 } }]
      : []),
    { kind: KIND.launch, startNs: start + 110_000, durationNs: 5_000, ints: { correlation_id: number + 1 } },
    memory(KIND.allocate, 120_000, first, first),
    memory(KIND.allocate, 700_000, second, second - first),
    { kind: KIND.relu, startNs: start + 710_000, durationNs: SAMPLE.reluNs },
    memory(KIND.free, 830_000, third, second - third),
    memory(KIND.free, 900_000, last, third),
  ];
}
