import type { EventKind, TracePlane, TraceStats } from '../trace.ts';
import type { TraceGpu } from '../trace-input.ts';
import { type DeviceCall, deviceCalls } from './device-calls.ts';
import { KindTable } from './kind-table.ts';
import { LineBuilder } from './line-builder.ts';
import type { OpNames } from './op-names.ts';
import type { PreparedPart } from './prepared-part.ts';

export interface GpuPlane {
  readonly plane: TracePlane;
  /** By part and row of its operators: the numbers of the kernels that they launched. */
  readonly launches: ReadonlyMap<PreparedPart, ReadonlyMap<number, readonly number[]>>;
}

/** What ran on the GPU, a line for each stream of each session; undefined where nothing did. */
export function gpuPlane(
  parts: readonly PreparedPart[],
  gpu: TraceGpu | undefined,
  names: OpNames,
): GpuPlane | undefined {
  const table = new KindTable();
  const launches = new Map<PreparedPart, Map<number, number[]>>();
  const lines: LineBuilder[] = [];
  let number = 0;
  for (const part of parts) {
    const kinds = new Map<string, number>();
    const streams = new Map<string, { readonly line: LineBuilder; endNs: number }>();
    for (const call of deviceCalls(part)) {
      const made = kindOf(call, part, names);
      const key = JSON.stringify(made);
      let kind = kinds.get(key);
      if (kind === undefined) {
        kind = table.add(made);
        kinds.set(key, kind);
      }
      let stream = streams.get(call.stream);
      if (stream === undefined) {
        const title = `Stream #${call.stream}(Compute) of ${part.input.part.modelId}`;
        stream = { line: new LineBuilder(title, [{ name: 'correlation_id', type: 'int' }]), endNs: 0 };
        streams.set(call.stream, stream);
        lines.push(stream.line);
      }
      // Times are whole microseconds, so that one may seem to begin before the last has ended.
      const startNs = Math.max(call.startNs, stream.endNs);
      stream.line.push(kind, startNs, call.durationNs);
      stream.line.set(0, ++number);
      stream.endNs = startNs + call.durationNs;
      note(launches, part, call.row, number);
    }
  }
  if (number === 0) return undefined;
  return {
    plane: {
      name: '/device:GPU:0',
      stats: gpuStats(gpu),
      kinds: table.kinds,
      lines: lines.map((line, index) => line.finish(index + 1)),
    },
    launches,
  };
}

/** Kernels of runs that warmed up are shown without what tools would count them by. */
function kindOf(call: DeviceCall, part: PreparedPart, names: OpNames): EventKind {
  const { kernel, node, details, isWarmUp } = call;
  const label = names.labelOf(part.prefix, node.name, node.op);
  const { kernel_details: counted, ...shown } = details;
  if (isWarmUp) return { name: `warm-up ${kernel}`, stats: { operator: label, ...shown } };
  return {
    name: kernel,
    stats: { tf_op: label, ...(counted === undefined ? {} : { kernel_details: counted }), ...shown },
  };
}

function note(
  launches: Map<PreparedPart, Map<number, number[]>>,
  part: PreparedPart,
  row: number,
  number: number,
): void {
  let ofPart = launches.get(part);
  if (ofPart === undefined) {
    ofPart = new Map();
    launches.set(part, ofPart);
  }
  const ofRow = ofPart.get(row);
  if (ofRow === undefined) ofPart.set(row, [number]);
  else ofRow.push(number);
}

/** As the device tracer of TensorFlow names them. Source: tsl/profiler/utils/xplane_schema.cc. */
function gpuStats(gpu: TraceGpu | undefined): TraceStats {
  if (gpu === undefined) return {};
  const int = (name: string, value: number | undefined): TraceStats =>
    value === undefined ? {} : { [name]: { int: Math.round(value) } };
  return {
    gpu_device_name: gpu.name,
    ...(gpu.vendor === undefined ? {} : { device_vendor: gpu.vendor }),
    ...int('memory_size', gpu.memoryBytes),
    ...int('memory_bandwidth', gpu.memoryBytesPerSecond),
    ...int('clock_rate', gpu.clockHertz === undefined ? undefined : gpu.clockHertz / 1000),
    ...int('core_count', gpu.coreCount),
    ...int('compute_cap_major', gpu.computeCapability?.major),
    ...int('compute_cap_minor', gpu.computeCapability?.minor),
    ...(gpu.peakFlopsPerSecond === undefined
      ? {}
      : { peak_teraflops_per_second: { double: gpu.peakFlopsPerSecond / 1e12 } }),
  };
}
