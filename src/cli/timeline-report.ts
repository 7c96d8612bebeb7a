import { formatBytes, formatJoules, formatSeconds } from '../core/units.ts';
import type { KeptTimeline } from '../jobs/find-timeline.ts';
import type { TimelineSummary } from '../jobs/summarize-timeline-file.ts';
import type { GpuSummary } from '../telemetry/summary/gpus.ts';
import type { PhaseSummary } from '../telemetry/summary/phase-summary.ts';
import { percent, renderTable } from './table.ts';

/** The timelines of a data directory. */
export function renderTimelines(dataDir: string, timelines: readonly KeptTimeline[]): string {
  if (timelines.length === 0) return `${dataDir} has no run with a timeline; ptq-agent run makes one`;
  const rows = timelines.map(({ run, model, orderedAt, seconds, snapshots, sizeBytes, complete }) => [
    run,
    model ?? '–',
    orderedAt.replace('T', ' ').slice(0, 19),
    formatSeconds(seconds),
    String(snapshots),
    formatBytes(sizeBytes),
    complete ? '' : 'not closed',
  ]);
  return renderTable(['run', 'model', 'ordered (UTC)', 'time', 'snapshots', 'size', ''], rows);
}

/** What a run took of the host, phase by phase. */
export function renderTimeline(summary: TimelineSummary): string {
  const { run, model, file, seconds, snapshots, droppedSnapshots, sizeBytes, complete, truncated, phases } =
    summary;
  const title = [model, run].filter((part) => part !== undefined).join(', ');
  const notes = [
    ...(droppedSnapshots > 0
      ? [`${droppedSnapshots} snapshots were left out, as the disk did not keep up`]
      : []),
    ...(truncated ? ['its end is torn: its writer or the host died in the middle of it'] : []),
    ...(complete || truncated ? [] : ['it was not closed: it is still being written, or its writer died']),
  ];
  return [
    `${title === '' ? file : title}: ${formatSeconds(seconds)}, ${snapshots} snapshots in ${formatBytes(sizeBytes)}`,
    ...notes.map((note) => `  note  ${note}`),
    '',
    phases.length === 0 ? 'no phase was recorded' : renderPhases(phases),
  ].join('\n');
}

interface PhaseColumn {
  readonly title: string;
  /** Undefined where the phase does not have it. A column that no phase has is not shown. */
  readonly text: (phase: PhaseSummary) => string | undefined;
}

const COLUMNS: readonly PhaseColumn[] = [
  {
    title: 'time',
    text: ({ seconds, unfinished }) => `${formatSeconds(seconds)}${unfinished === true ? '+' : ''}`,
  },
  { title: 'CPU busy', text: ({ cpu }) => cpu && percent(cpu.busyRatio) },
  { title: 'workers peak', text: ({ processes }) => processes && formatBytes(processes.rssPeakBytes) },
  { title: 'mean', text: ({ processes }) => processes && formatBytes(processes.rssMeanBytes) },
  { title: 'RAM left', text: ({ memory }) => memory && formatBytes(memory.availableMinBytes) },
  { title: 'read', text: ({ processes }) => processes?.io && formatBytes(processes.io.readBytes) },
  { title: 'written', text: ({ processes }) => processes?.io && formatBytes(processes.io.writtenBytes) },
  {
    title: 'disks read/s',
    text: ({ disks }) => disks && `${formatBytes(Math.round(disks.readBytesPerSecond))}/s`,
  },
  {
    title: 'written/s',
    text: ({ disks }) => disks && `${formatBytes(Math.round(disks.writtenBytesPerSecond))}/s`,
  },
  { title: 'queue', text: ({ disks }) => disks?.meanQueueDepth.toFixed(2) },
  { title: 'GPU busy', text: ({ gpus }) => joined(gpus, (gpu) => gpu.utilizationMeanRatio, percent) },
  { title: 'VRAM ours', text: ({ gpus }) => joined(gpus, (gpu) => gpu.processMemoryPeakBytes, formatBytes) },
  { title: 'VRAM peak', text: ({ gpus }) => joined(gpus, (gpu) => gpu.memoryPeakBytes, formatBytes) },
  { title: 'GPU energy', text: ({ gpus }) => joined(gpus, (gpu) => gpu.energyJoules, formatJoules) },
  {
    title: 'GPU peak',
    text: ({ gpus }) =>
      joined(
        gpus,
        (gpu) => gpu.powerPeakWatts,
        (watts) => `${watts.toFixed(0)} W`,
      ),
  },
  { title: 'CPU energy', text: ({ rapl }) => rapl && formatJoules(rapl.joules) },
  { title: 'hottest', text: ({ thermal, gpus }) => hottest(thermal?.maxCelsius, gpus) },
  { title: 'swapped in', text: ({ paging }) => pagesIn(paging?.swappedInPages) },
  { title: 'throttled', text: throttledBy },
];

/** The columns that some of the phases have. */
export function columnsOf(phases: readonly PhaseSummary[]): readonly PhaseColumn[] {
  return COLUMNS.filter(({ text }) => phases.some((phase) => text(phase) !== undefined));
}

/** A table of phases, with the columns that some phase has. */
function renderPhases(phases: readonly PhaseSummary[]): string {
  const shown = columnsOf(phases);
  const rows = phases.map((phase) => [nameOf(phase), ...shown.map(({ text }) => text(phase) ?? '–')]);
  return renderTable(['phase', ...shown.map(({ title }) => title)], rows);
}

function nameOf({ phase, subject }: PhaseSummary): string {
  return subject === undefined ? phase : `${phase} ${subject}`;
}

/** Of several GPUs, one after the other. */
function joined(
  gpus: readonly GpuSummary[] | undefined,
  read: (gpu: GpuSummary) => number | undefined,
  format: (value: number) => string,
): string | undefined {
  const values = (gpus ?? []).flatMap((gpu) => read(gpu) ?? []);
  return values.length === 0 ? undefined : values.map(format).join(', ');
}

/** 1234 → `1.23 kJ`. */
function hottest(celsius: number | undefined, gpus: readonly GpuSummary[] | undefined): string | undefined {
  const all = [celsius, ...(gpus ?? []).map((gpu) => gpu.temperatureMaxCelsius)].filter(
    (value) => value !== undefined,
  );
  return all.length === 0 ? undefined : `${Math.max(...all).toFixed(0)} °C`;
}

function pagesIn(pages: number | undefined): string | undefined {
  return pages === undefined || pages === 0 ? undefined : `${pages} pages`;
}

function throttledBy({ gpus, cpuThrottleEvents }: PhaseSummary): string | undefined {
  const reasons = [
    ...(cpuThrottleEvents !== undefined && cpuThrottleEvents > 0 ? ['cpu heat'] : []),
    ...new Set((gpus ?? []).flatMap((gpu) => gpu.throttledBy)),
  ];
  return reasons.length === 0 ? undefined : reasons.join(', ');
}
