import type { PhaseSpan } from '../core/phase.ts';
import type { GpuReading } from '../telemetry/collectors/gpu/gpu-reading.ts';
import { readSeries } from '../telemetry/timeline/read-series.ts';
import { readTimeline, readTimelineIndex, type TimeRange } from '../telemetry/timeline/read-timeline.ts';
import type { TimelineIndex } from '../telemetry/timeline/timeline-index.ts';
import type { CounterColumns, TraceGpu } from '../trace/trace-input.ts';
import type { TraceTask } from './trace-task.ts';

/** What a timeline gives to a trace. */
export interface TraceTimeline {
  readonly phases: readonly PhaseSpan[];
  readonly counters?: CounterColumns;
  readonly gpus: readonly TraceGpu[];
}

/** Tracks of a long run would be more than all else; they are as fine as the sampler where that is less than this. */
const MOST_POINTS = 5_000;
const LEAST_STEP_NS = 10_000_000n;

/** Reads what the host did, and phases. What cannot be read is a warning. */
export async function readTraceTimeline(
  { timeline: file, window }: Pick<TraceTask, 'timeline' | 'window'>,
  warn: (warning: string) => void,
): Promise<TraceTimeline> {
  if (file === undefined) return { phases: [], gpus: [] };
  const index = await readTimelineIndex(file);
  if (!index.ok) {
    warn(`Phases and readings of the host are missing: ${index.error.message}`);
    return { phases: [], gpus: [] };
  }
  const { phases, snapshots } = index.value;
  if (snapshots === 0) return { phases, gpus: [] };
  const range = window ?? {};
  const series = await readSeries(file, {
    ...range,
    points: MOST_POINTS,
    stepNs: stepOf(index.value, range),
    rates: true,
  });
  if (!series.ok) warn(`Readings of the host are missing: ${series.error.message}`);
  return {
    phases,
    ...(series.ok ? { counters: series.value } : {}),
    gpus: await gpusOf(file, range),
  };
}

function stepOf({ segments }: TimelineIndex, { fromNs, toNs }: TimeRange): bigint {
  const startNs = fromNs ?? segments[0]?.startNs ?? 0n;
  const endNs = toNs ?? segments.at(-1)?.endNs ?? startNs;
  const step = (endNs - startNs) / BigInt(MOST_POINTS);
  return step > LEAST_STEP_NS ? step : LEAST_STEP_NS;
}

/** As the last snapshot has them. */
async function gpusOf(file: string, range: TimeRange): Promise<readonly TraceGpu[]> {
  let gpus: readonly TraceGpu[] = [];
  await readTimeline(file, range, ({ gpus: reading }) => {
    if (reading !== undefined) gpus = reading.gpus.map(toTraceGpu);
  });
  return gpus;
}

function toTraceGpu({ name, memory, clockHertz }: GpuReading): TraceGpu {
  return {
    name,
    ...(memory === undefined ? {} : { memoryBytes: memory.totalBytes }),
    ...(clockHertz?.sm === undefined ? {} : { clockHertz: clockHertz.sm }),
  };
}
