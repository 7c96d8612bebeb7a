import type { Creep, CreepFigure } from '../benchmark/soak/creep.ts';
import type { SoakResult } from '../benchmark/soak/soak.ts';
import type { SoakWindow } from '../benchmark/soak/soak-window.ts';
import type { TrendInterval } from '../benchmark/statistics/trend-interval.ts';
import { formatBytes, formatSeconds } from '../core/units.ts';
import { decimal, renderTable } from './table.ts';

/** Rows that are shown of a long soak; JSON has all windows. */
const MOST_ROWS = 12;

const NAMES: Readonly<Record<CreepFigure, string>> = {
  'median-latency': 'median latency',
  'p99-latency': 'p99 latency',
  'resident-memory': 'resident memory',
};

/** Soaks of models as text: some of the windows, and a sentence for each figure that could creep. */
export function renderSoaks(results: readonly SoakResult[], isMadeUp: boolean): string {
  const note = isMadeUp ? ['', 'inputs are made up: real ones may take another time'] : [];
  return [results.map(renderSoak).join('\n\n'), ...note].join('\n');
}

function renderSoak(result: SoakResult): string {
  const { variant, scenario, windows, plannedWindows, warnings, otherOutputs, creep } = result;
  const seconds = (windows.at(-1)?.startSeconds ?? 0) + (windows.at(-1)?.durationSeconds ?? 0);
  const whole = windows.filter(({ complete }) => complete).length;
  const outputs = otherOutputs === 0 ? [] : [`wrong: ${otherOutputs} outputs differ from those without load`];
  return [
    `${variant}: ${scenario} for ${formatSeconds(seconds)}, ${whole} of ${plannedWindows} windows`,
    '',
    renderTable(['at', 'queries', 'samples/s', 'p50', 'p99', 'memory', 'preempted'], rowsOf(windows)),
    '',
    ...creep.map(describeCreep),
    ...outputs,
    ...warnings.map((warning) => `note: ${warning}`),
  ].join('\n');
}

/** Evenly over the soak, the first and the last among them. */
function rowsOf(windows: readonly SoakWindow[]): string[][] {
  const count = Math.min(MOST_ROWS, windows.length);
  const at = (row: number) => Math.round((row * (windows.length - 1)) / Math.max(1, count - 1));
  return Array.from({ length: count }, (_, row) => columnsOf(windows[at(row)] as SoakWindow));
}

function columnsOf(window: SoakWindow): string[] {
  const time = (value: number | null) => (value === null ? '–' : formatSeconds(value));
  return [
    window.startSeconds === 0 ? '0 s' : formatSeconds(window.startSeconds),
    String(window.queries),
    decimal(window.throughput, 1),
    time(window.p50Seconds),
    time(window.p99Seconds),
    window.rssBytes === null ? '–' : formatBytes(window.rssBytes),
    window.contextSwitches === null ? '–' : String(window.contextSwitches.involuntary),
  ];
}

/** `leak suspected: resident memory grows by 12.0 MiB/h [8.00, 16.0], 30 % in 58 windows`. */
export function describeCreep(creep: Creep): string {
  const name = NAMES[creep.figure];
  const { perHour, change, outcome, windows } = creep;
  if (perHour === null || change === null) {
    const why =
      outcome === 'too-few-windows'
        ? `${windows} whole windows after the first are too few for a trend`
        : 'it could not be measured in every window';
    return `not known: ${name}: ${why}`;
  }
  const isMemory = creep.figure === 'resident-memory';
  const growth = isMemory ? bytesPerHour(perHour) : `${percents(change)} over the soak`;
  const share = isMemory ? `, ${percent(change.estimate)} over the soak` : '';
  switch (outcome) {
    case 'creeps':
      return `${isMemory ? 'leak suspected' : 'creep suspected'}: ${name} ${growth}${share}`;
    case 'levelled-off':
      return `levelled off: ${name} ${growth}${share}, but not in the second half`;
    default:
      return `no creep found: ${name} ${growth}${share}`;
  }
}

function bytesPerHour({ estimate, lower, upper }: TrendInterval): string {
  const mebibytes = (bytes: number) => signed(bytes / 2 ** 20, decimalsFor(estimate / 2 ** 20));
  return `${mebibytes(estimate)} MiB/h [${mebibytes(lower)}, ${mebibytes(upper)}]`;
}

function percents({ estimate, lower, upper }: TrendInterval): string {
  return `${percent(estimate)} [${signed(lower * 100, 1)}, ${signed(upper * 100, 1)}]`;
}

function percent(ratio: number): string {
  return `${signed(ratio * 100, 1)} %`;
}

function decimalsFor(value: number): number {
  return Math.abs(value) >= 100 ? 0 : 1;
}

/** The sign in front also where the number is above 0, but not where it is rounded to 0. */
function signed(value: number, decimals: number): string {
  const text = Math.abs(value).toFixed(decimals);
  if (Number(text) === 0) return text;
  return `${value < 0 ? '−' : '+'}${text}`;
}
