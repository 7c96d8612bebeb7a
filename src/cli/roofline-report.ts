import { formatSeconds, formatSi } from '../core/units.ts';
import type { HostPeaks } from '../jobs/host-peaks.ts';
import type { RooflineReport } from '../jobs/roofline-models.ts';
import { ARITHMETICS, type Arithmetic } from '../trace/roofline/peaks.ts';
import { type OperatorUnderRoof, operatorName, type Roofline } from '../trace/roofline/roofline.ts';
import { renderTable } from './table.ts';

const HEADER = [
  'operator',
  'in',
  'calls',
  'time a run',
  'share',
  'FLOP',
  'bytes',
  'FLOP/B',
  'FLOP/s',
  'B/s',
  'of roof',
  '',
  'bound by',
];

/** Operators that take less of the time together are one line: they decide nothing. */
const REST_RATIO = 0.005;

/** Roofs and models as text: what the host can do, and for each model its operators by their time. */
export function renderRoofline(report: RooflineReport, isMadeUp: boolean): string {
  const models = report.variants.flatMap(({ variant, roofline, doubts }) =>
    roofline === null ? [] : ['', ...renderModel(variant, roofline), ...untrusted(doubts)],
  );
  return [
    ...report.peaks.flatMap((peaks) => [...describePeaks(peaks), ...untrusted(peaks.doubts)]),
    ...models,
    ...(isMadeUp ? ['', 'inputs are made up: real ones may take another time'] : []),
  ].join('\n');
}

/** What a device can do, in a few lines, and what limits the meaning of that. */
export function describePeaks(peaks: HostPeaks): readonly string[] {
  const { device, threads, levels, notes } = peaks;
  const rates = ARITHMETICS.map((arithmetic) => describeRate(peaks, arithmetic)).join(', ');
  const bandwidths = levels.map(({ name, bytesPerSecond }) => `${name} ${formatSi(bytesPerSecond, 'B/s')}`);
  const title = device === 'cpu' ? `cpu, ${threads} ${threads === 1 ? 'thread' : 'threads'}` : device;
  return [
    `peaks of ${title}: ${rates}`,
    `  ${bandwidths.join(', ')}`,
    ...notes.map((note) => `  ${lowerFirst(note)}`),
  ];
}

function untrusted(doubts: readonly string[]): readonly string[] {
  return doubts.map((doubt) => `  not to be trusted: ${lowerFirst(doubt)}`);
}

function describeRate({ operationsPerSecond, kernels }: HostPeaks, arithmetic: Arithmetic): string {
  const rate = operationsPerSecond[arithmetic];
  if (rate === null) return `${arithmetic} none of its own`;
  return `${arithmetic} ${formatSi(rate, arithmetic === 'int8' ? 'OP/s' : 'FLOP/s')} (${kernels[arithmetic]})`;
}

function renderModel(variant: string, { model, operators }: Roofline): readonly string[] {
  const shown = operators.filter(({ timeRatio }) => timeRatio >= REST_RATIO);
  const rest = operators.filter(({ timeRatio }) => timeRatio < REST_RATIO);
  const { compute, memory, overhead } = model.timeRatioByBound;
  return [
    `${variant}: ${describeModel(model)}`,
    renderTable(HEADER, [...shown.map(columnsOf), ...restOf(rest)]),
    `time of kernels: ${share(compute)} bound by compute, ${share(memory)} by memory, ${share(overhead)} by neither; ` +
      `between kernels ${formatSeconds(model.outsideKernelsSeconds)} a run`,
  ];
}

function describeModel(model: Roofline['model']): string {
  const { secondsPerRun, flopsPerRun, bytesPerRun, intensity, flopsPerSecond, bytesPerSecond, roofRatio } =
    model;
  const parts = [
    `${formatSeconds(secondsPerRun)} a run`,
    ...(flopsPerRun === null ? [] : [formatSi(flopsPerRun, 'FLOP')]),
    ...(bytesPerRun === null ? [] : [formatSi(bytesPerRun, 'B')]),
    ...(intensity === null ? [] : [`${formatIntensity(intensity)} FLOP/B`]),
  ];
  const rates = [
    ...(flopsPerSecond === null ? [] : [formatSi(flopsPerSecond, 'FLOP/s')]),
    ...(bytesPerSecond === null ? [] : [formatSi(bytesPerSecond, 'B/s')]),
    ...(roofRatio === null ? [] : [`${share(roofRatio)} of its roof`]),
  ];
  return `${parts.join(', ')}: ${rates.join(', ')}`;
}

function columnsOf(operator: OperatorUnderRoof): string[] {
  const { arithmetic, roofRatio, bound, memory } = operator;
  return [
    operatorName(operator),
    arithmetic,
    ...figuresOf(operator),
    bar(roofRatio),
    bound === 'memory' && memory !== null ? memory : bound,
  ];
}

/** Calls, time, share, FLOPs, bytes, intensity, both rates and the share of the roof, as tables show them. */
export function figuresOf(operator: OperatorUnderRoof): string[] {
  const { callsPerRun, secondsPerRun, timeRatio, roofRatio } = operator;
  const { flopsPerRun, bytesPerRun, intensity, flopsPerSecond, bytesPerSecond } = operator;
  return [
    String(Number(callsPerRun.toFixed(1))),
    formatSeconds(secondsPerRun),
    share(timeRatio),
    orDash(flopsPerRun, (value) => formatSi(value, '')),
    orDash(bytesPerRun, (value) => formatSi(value, '')),
    orDash(intensity, formatIntensity),
    orDash(flopsPerSecond, (value) => formatSi(value, '')),
    orDash(bytesPerSecond, (value) => formatSi(value, '')),
    orDash(roofRatio, share),
  ];
}

function restOf(operators: readonly OperatorUnderRoof[]): string[][] {
  if (operators.length === 0) return [];
  const total = (of: (operator: OperatorUnderRoof) => number) =>
    operators.reduce((sum, operator) => sum + of(operator), 0);
  const calls = total(({ callsPerRun }) => callsPerRun);
  return [
    [
      operators.length === 1 ? '1 other' : `${operators.length} others`,
      '',
      String(Number(calls.toFixed(1))),
      formatSeconds(total(({ secondsPerRun }) => secondsPerRun)),
      share(total(({ timeRatio }) => timeRatio)),
      ...HEADER.slice(5).map(() => ''),
    ],
  ];
}

const BAR_CELLS = 10;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar that is full at the roof, to an eighth of a cell. */
function bar(ratio: number | null): string {
  const eighths = Math.round(Math.min(1, ratio ?? 0) * BAR_CELLS * 8);
  const drawn = '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
  return drawn.padEnd(BAR_CELLS, '·');
}

/** 0.5 → `50 %`, 0.012 → `1.2 %`. */
export function share(ratio: number): string {
  const percent = ratio * 100;
  return `${percent >= 9.95 || percent === 0 ? percent.toFixed(0) : percent.toFixed(1)} %`;
}

/** FLOP a byte, in three significant digits at most. */
export function formatIntensity(intensity: number): string {
  return intensity >= 100 ? intensity.toFixed(0) : intensity.toPrecision(3);
}

function orDash<T>(value: T | null, format: (value: T) => string): string {
  return value === null ? '–' : format(value);
}

function lowerFirst(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
