import type { BenchResult } from '../benchmark/bench-result.ts';
import { minimumQueries } from '../benchmark/early-stopping.ts';
import { earlyStoppingEstimate, percentile } from '../benchmark/latency-statistics.ts';
import type { RoundResult } from '../benchmark/round-result.ts';
import { isScheduled, judgedPermille } from '../benchmark/scenario.ts';
import type { BenchSettings } from '../benchmark/settings.ts';
import { formatBytes, formatSeconds } from '../core/units.ts';
import { pooledLatencies } from '../jobs/bench-file.ts';
import type { SuiteRun } from '../jobs/bench-suite.ts';
import type { ReadyMeasurement } from '../jobs/ready-measurement.ts';

const LABEL_WIDTH = 24;

/**
 * For each result what LoadGen's summary tells of a run: the verdict, the figure that the scenario is judged by with its
 * early-stopping estimate, whether the minima were reached, and the distribution.
 */
export function renderSummaries(runs: readonly SuiteRun[]): string {
  return runs
    .flatMap(({ suite, measurement, run }) =>
      run.results.map((result, index) =>
        summaryOf(suite, measurement, result, run.records[index]?.rounds ?? []),
      ),
    )
    .join('\n\n');
}

function summaryOf(
  suite: string,
  { name, settings }: ReadyMeasurement,
  result: BenchResult,
  rounds: readonly RoundResult[],
): string {
  const sortedNs = pooledLatencies(rounds);
  const subject = suite === '' ? name : `${suite}: ${name}`;
  return [
    `${subject} – ${result.variant}`,
    line('scenario', settings.scenario),
    line('result', result.valid ? 'VALID' : 'INVALID'),
    ...result.invalidReasons.map((reason) => line('', reason)),
    ...judgedLines(settings, result, sortedNs),
    line('throughput', result.throughput === null ? '–' : `${result.throughput.toFixed(2)} samples/s`),
    ...scheduleLines(result),
    ...minimumLines(settings, result),
    ...distributionLines(result, sortedNs),
    ...memoryLines(result),
  ].join('\n');
}

/** The figure that MLPerf reports of the scenario. */
function judgedLines(
  { scenario }: BenchSettings,
  { queries, bound }: BenchResult,
  sortedNs: Float64Array,
): string[] {
  const permille = bound?.permille ?? judgedPermille(scenario);
  if (permille === null) return [line('judged by', 'throughput')];
  const estimateNs = earlyStoppingEstimate(sortedNs, permille);
  const estimate =
    estimateNs === null
      ? `– (takes ${minimumQueries(permille)} queries, and there are ${queries})`
      : `at most ${formatSeconds(estimateNs / 1e9)} with 99 % confidence`;
  return [
    line('judged by', `${permille / 10}th percentile latency`),
    line('  measured', time(percentile(sortedNs, permille))),
    line('  early stopping', estimate),
    ...(bound === null
      ? []
      : [line('latency bound', `${formatSeconds(bound.boundNs / 1e9)} (${bound.outcome})`)]),
  ];
}

/** How well the generator kept to its schedule, and the system to it. */
function scheduleLines({ schedule }: BenchResult): string[] {
  if (schedule === null) return [];
  const { offeredPerSecond, achievedPerSecond, lagSeconds, lateRatio } = schedule;
  const rate = (perSecond: number | null) => (perSecond === null ? '–' : `${perSecond.toFixed(1)}/s`);
  return [
    line('queries offered', `${rate(offeredPerSecond)}, completed ${rate(achievedPerSecond)}`),
    line(
      'generator late by',
      `p99 ${seconds(lagSeconds.p99)}, ${(lateRatio * 100).toFixed(1)} % of queries by over 1 ms`,
    ),
  ];
}

function minimumLines(settings: BenchSettings, { queries, durationSeconds }: BenchResult): string[] {
  const { scenario, minQueries, minDurationSeconds } = settings;
  if (scenario === 'replay')
    return [line('queries', String(queries)), line('measured for', formatSeconds(durationSeconds))];
  const unit = scenario === 'offline' ? 'runs of the model' : 'queries';
  const isLongEnough = isScheduled(scenario) || durationSeconds >= minDurationSeconds;
  return [
    line(unit, `${queries} of at least ${minQueries} ${metWord(queries >= minQueries)}`),
    line(
      'measured for',
      `${formatSeconds(durationSeconds)} of at least ${formatSeconds(minDurationSeconds)} ${metWord(isLongEnough)}`,
    ),
  ];
}

function distributionLines(
  { scenario, latencySeconds, serviceTimeSeconds }: BenchResult,
  sortedNs: Float64Array,
) {
  if (latencySeconds === null) return [];
  const subject = scenario === 'offline' ? 'latency of a run' : 'latency';
  const points = [500, 900, 950, 970, 990, 999].map(
    (permille) => [`p${permille / 10}`, percentile(sortedNs, permille)] as const,
  );
  const { min, mean, max } = latencySeconds;
  return [
    line(subject, `min ${formatSeconds(min)}, mean ${formatSeconds(mean)}, max ${formatSeconds(max)}`),
    ...points.map(([name, ns]) => line(`  ${name}`, time(ns))),
    ...(serviceTimeSeconds === null
      ? []
      : [
          line(
            'service time',
            `mean ${formatSeconds(serviceTimeSeconds.mean)}, p50 ${seconds(serviceTimeSeconds.p50)}`,
          ),
        ]),
  ];
}

/** What is not known has no line. */
function memoryLines({ peakRssBytes, peakGpuMemoryBytes, arenaBytes }: BenchResult): string[] {
  const figures = [
    ['peak memory', peakRssBytes],
    ['peak GPU memory', peakGpuMemoryBytes],
    ['arena of a session', arenaBytes],
  ] as const;
  return figures.flatMap(([name, bytes]) => (bytes === null ? [] : [line(name, formatBytes(bytes))]));
}

function metWord(isMet: boolean): string {
  return isMet ? '(satisfied)' : '(NOT satisfied)';
}

function time(ns: number | null): string {
  return seconds(ns === null ? null : ns / 1e9);
}

function seconds(value: number | null): string {
  return value === null ? '–' : formatSeconds(value);
}

function line(label: string, value: string): string {
  return `  ${label.padEnd(LABEL_WIDTH)}${value}`;
}
