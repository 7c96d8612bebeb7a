import { basename } from 'node:path';
import { describeConfiguration, type SweepConfiguration } from '../benchmark/sweep/configurations.ts';
import type { SweepMeasurements } from '../benchmark/sweep/run-sweep.ts';
import type { LanesGain, SweepFindings } from '../benchmark/sweep/sweep-findings.ts';
import type { SweepRow } from '../benchmark/sweep/sweep-row.ts';
import { formatBytes, formatRate, formatSeconds } from '../core/units.ts';
import { renderTable } from './table.ts';

export interface SweepReport extends SweepMeasurements {
  readonly scenario: string;
  readonly cores: number;
  readonly findings: SweepFindings;
  readonly madeUpInputs?: boolean;
}

const HEADER = [
  'batch',
  'threads',
  'lanes',
  'samples/s',
  '95 % interval',
  'p50',
  'p99',
  'CPU/sample',
  'peak memory',
  '',
];

/** How many configurations are named one by one. */
const FEW = 3;

/** A table of the configurations with the front marked by `*`, then what it says in words. */
export function renderSweep(report: SweepReport): string {
  const { rows, findings } = report;
  const models = modelsOf(report);
  const named = models.length > 1;
  const shortOf = shortNames(models);
  const table = renderTable(
    ['', ...(named ? ['model'] : []), ...HEADER],
    rows.map((row, index) => [
      findings.front.includes(index) ? '*' : '',
      ...(named ? [shortOf(row.model)] : []),
      ...columnsOf(row),
    ]),
  );
  const name = (row: SweepRow) =>
    named ? `${shortOf(row.model)}, ${describeConfiguration(row)}` : describeConfiguration(row);
  return [
    ...(rows.length === 0 ? [] : [table, '']),
    ...findingSentences(report, name),
    ...skippedSentences(report, shortOf),
    ...noteSentences(report),
    ...complaints(rows, name),
  ].join('\n');
}

function modelsOf({ rows, skipped }: SweepReport): readonly string[] {
  const ofSkipped = skipped.flatMap(({ configurations }) => configurations.map(({ model }) => model));
  return [...new Set([...rows.map(({ model }) => model), ...ofSkipped])];
}

/** The names of the files, where those tell the models apart. */
function shortNames(models: readonly string[]): (model: string) => string {
  const isDistinct = new Set(models.map((model) => basename(model))).size === models.length;
  return (model) => (isDistinct ? basename(model) : model);
}

function columnsOf(row: SweepRow): string[] {
  const { throughputInterval: interval, failure, valid, oversubscribed } = row;
  const marks = [
    ...(oversubscribed ? ['oversubscribed'] : []),
    ...(failure === null ? (valid ? [] : ['invalid']) : [`failed: ${failure.kind}`]),
  ];
  return [
    String(row.batch),
    row.threads === 0 ? 'all' : String(row.threads),
    String(row.concurrency),
    row.throughput === null ? '–' : formatRate(row.throughput),
    interval === null ? '–' : `${formatRate(interval.lower)}–${formatRate(interval.upper)}`,
    time(row.latencySeconds.p50),
    time(row.latencySeconds.p99),
    time(row.cpuSecondsPerSample),
    row.peakRssBytes === null ? '–' : formatBytes(row.peakRssBytes),
    marks.join(', '),
  ];
}

function findingSentences({ rows, findings }: SweepReport, name: (row: SweepRow) => string): string[] {
  const { front, objectives, highestThroughput, lowestLatency, asHighThroughput, lanes } = findings;
  const rowOf = (index: number | null) => (index === null ? undefined : rows[index]);
  const highest = rowOf(highestThroughput);
  const lowest = rowOf(lowestLatency);
  const alike = asHighThroughput.flatMap((index) => rowOf(index) ?? []);
  return [
    ...(front.length === 0
      ? []
      : [`* no other is better in ${objectives.join(', ')} without being worse in another`]),
    ...(highest === undefined
      ? []
      : [
          `highest throughput: ${name(highest)}, with ${formatRate(highest.throughput ?? 0)} samples/s` +
            (alike.length === 0 ? '' : `; not told apart from it: ${someOf(alike, name)}`),
        ]),
    ...(lowest === undefined ? [] : [`lowest p99: ${name(lowest)}, with ${time(lowest.latencySeconds.p99)}`]),
    ...lanes.map((gain) => lanesSentence(gain, rows, name)),
  ];
}

/** The fastest of them, and how many more there are. */
function someOf(alike: readonly SweepRow[], name: (row: SweepRow) => string): string {
  const sorted = [...alike].sort((a, b) => (b.throughput ?? 0) - (a.throughput ?? 0));
  const rest = sorted.length - FEW;
  return sorted.slice(0, FEW).map(name).join('; ') + (rest > 0 ? `; and ${rest} more` : '');
}

/** Reasons that differ in their figures alone are said once, with those of the first row. */
function complaints(rows: readonly SweepRow[], name: (row: SweepRow) => string): string[] {
  const said = new Map<string, { readonly row: SweepRow; readonly reason: string; count: number }>();
  for (const row of rows) {
    // Of what was never measured, there is nothing to say but why.
    const reasons = row.throughput === null ? row.invalidReasons.slice(0, 1) : row.invalidReasons;
    for (const reason of reasons) {
      const kind = reason.replace(/[\d.,]+/g, '#');
      const known = said.get(kind);
      if (known === undefined) said.set(kind, { row, reason, count: 1 });
      else known.count += 1;
    }
  }
  return [...said.values()].map(
    ({ row, reason, count }) =>
      `invalid: ${name(row)}${count === 1 ? '' : ` and ${count - 1} more alike`}: ${reason}`,
  );
}

function lanesSentence(
  { ownThreads, lanes, ratio, interval }: LanesGain,
  rows: readonly SweepRow[],
  name: (row: SweepRow) => string,
): string {
  const ends = interval === null ? '' : ` [${interval.lower.toFixed(2)}, ${interval.upper.toFixed(2)}]`;
  return (
    `lanes against the runtime's own threads: the best with lanes (${name(rows[lanes] as SweepRow)}) has ` +
    `${ratio.toFixed(2)}x${ends} the throughput of the best in one session (${name(rows[ownThreads] as SweepRow)})`
  );
}

function skippedSentences({ skipped }: SweepReport, shortOf: (model: string) => string): string[] {
  return skipped.map(({ model, configurations, problem }) => {
    const what = configurations.length === 1 ? '1 configuration' : `${configurations.length} configurations`;
    return `skipped: ${what}${model === null ? '' : ` of ${shortOf(model)}`} (${valuesOf(configurations)}): ${problem.message}`;
  });
}

function valuesOf(configurations: readonly SweepConfiguration[]): string {
  const values = (of: (configuration: SweepConfiguration) => number) =>
    [...new Set(configurations.map(of))].sort((a, b) => a - b).join(', ');
  return `batch ${values(({ batch }) => batch)}; threads ${values(({ threads }) => threads)}; lanes ${values(({ concurrency }) => concurrency)}`;
}

function noteSentences({ rows, findings, cores, cancelled, madeUpInputs }: SweepReport): string[] {
  const missing = findings.withoutFigure.length;
  return [
    ...(findings.validOnly
      ? []
      : ['no configuration is valid: what is said above is of what was measured all the same']),
    ...(missing === 0
      ? []
      : [
          `${missing} configurations had too few queries for a p99 and are not on the front: a longer --duration gives them one`,
        ]),
    ...(rows.some(({ oversubscribed }) => oversubscribed)
      ? [`oversubscribed: threads times lanes are more than the ${cores} cores of this host`]
      : []),
    ...(cancelled ? ['cancelled: what is above was measured before'] : []),
    ...(madeUpInputs === true ? ['inputs are made up: real ones may take another time'] : []),
  ];
}

function time(seconds: number | null): string {
  return seconds === null ? '–' : formatSeconds(seconds);
}
