import { counterPlane } from './build/counter-plane.ts';
import { gpuPlane } from './build/gpu-plane.ts';
import { hostPlane, type NamedSpan } from './build/host-plane.ts';
import { OpNames, shortModelNames } from './build/op-names.ts';
import { extentOf, findRuns, type PreparedPart, preparePart } from './build/prepared-part.ts';
import { sessionLabels } from './build/session-labels.ts';
import type { Trace } from './trace.ts';
import type { CounterColumns, TraceInput } from './trace-input.ts';

interface Extent {
  readonly startNs: bigint;
  readonly endNs: bigint;
}

/**
 * Puts everything that was recorded on one clock and into one trace:
 * - `/host:CPU`: our phases; for each thread that called a model a line with a step for each request, in it the run of the
 *   session and in that the operators, those of bodies within their If, Loop or Scan; waits in the queue; threads of the pool; the
 *   session's memory. Operators of runs that warmed up are shown, and named so that tools do not count them;
 * - `/device:GPU:0`: what shaders and kernels ran, where the runtime tells;
 * - `/device:CUSTOM:telemetry`: counters of the host.
 */
export function buildTrace(input: TraceInput): Trace {
  const window =
    input.window === undefined ? undefined : { startNs: input.window.fromNs, endNs: input.window.toNs };
  const found = input.parts.map(findRuns);
  const extents = found.map((part) => extentOf(part, window)).filter((extent) => extent !== undefined);
  const extent =
    window === undefined ? widest([...extents, ...othersOf(input)]) : widest([window, ...extents]);
  const { startNs, endNs } = extent ?? { startNs: input.host.nowNs, endNs: input.host.nowNs };
  const prefixes = shortModelNames(input.parts.map(({ part }) => part.modelId));
  const labels = sessionLabels(
    input.parts.map(({ part }) => part),
    prefixes,
  );
  const parts = found.map((part, index) =>
    preparePart(part, {
      label: labels[index] as string,
      prefix: prefixes.size < 2 ? '' : (prefixes.get(part.input.part.modelId) as string),
      startNs,
      window,
    }),
  );
  const names = new OpNames();
  const gpu = gpuPlane(parts, input.host.gpus?.[0], names);
  const counters = input.counters && counterPlane(input.counters, startNs, endNs);
  return {
    startNs,
    startWallMs: input.host.wallMs - Number(input.host.nowNs - startNs) / 1e6,
    durationNs: Number(endNs - startNs),
    hostname: input.host.hostname,
    warnings: [...input.warnings, ...parts.flatMap(warningsOf)],
    planes: [
      hostPlane(parts, phaseSpans(input, startNs, endNs), names, gpu?.launches ?? new Map()),
      ...(gpu === undefined ? [] : [gpu.plane]),
      ...(counters === undefined ? [] : [counters]),
    ],
  };
}

function widest(extents: readonly Extent[]): Extent | undefined {
  const [first, ...others] = extents;
  if (first === undefined) return undefined;
  let { startNs, endNs } = first;
  for (const other of others) {
    if (other.startNs < startNs) startNs = other.startNs;
    if (other.endNs > endNs) endNs = other.endNs;
  }
  return { startNs, endNs };
}

function othersOf({ phases, counters }: TraceInput): readonly Extent[] {
  return [
    ...phases,
    ...(counters === undefined || counters.points === 0 ? [] : [extentOfCounters(counters)]),
  ];
}

function extentOfCounters({ startNs, stepNs, points }: CounterColumns): Extent {
  return { startNs, endNs: startNs + stepNs * BigInt(points) };
}

function phaseSpans({ phases }: TraceInput, startNs: bigint, endNs: bigint): readonly NamedSpan[] {
  return phases
    .filter((phase) => phase.startNs <= endNs && phase.endNs >= startNs)
    .map(({ phase, subject, ...span }) => ({
      name: subject === undefined ? phase : `${phase} ${subject.replaceAll(':', ' ')}`,
      startNs: Math.max(0, Number(span.startNs - startNs)),
      endNs: Number((span.endNs < endNs ? span.endNs : endNs) - startNs),
    }));
}

/** ONNX Runtime stops at this many events. Source: onnxruntime/core/common/profiler.h. */
const MOST_EVENTS = 1_000_000;

function warningsOf({ input, runs }: PreparedPart): readonly string[] {
  const { part, events } = input;
  if (events === undefined) return [];
  const of = `${part.modelId} (${part.thread})`;
  const requests = runs.filter(({ isRequest }) => isRequest);
  const known = requests.filter(({ runRow }) => runRow >= 0);
  const reason =
    events.count >= MOST_EVENTS - 1
      ? `ONNX Runtime stops recording after ${MOST_EVENTS.toLocaleString('en')} events`
      : events.isTruncated
        ? 'its profile ends in the middle'
        : 'its profile has no more';
  return [
    ...(known.length === requests.length
      ? []
      : [`${known.length} of ${requests.length} requests of ${of} have operators: ${reason}`]),
    ...(events.unreadable === 0
      ? []
      : [`${events.unreadable} events in the profile of ${of} could not be read`]),
  ];
}
