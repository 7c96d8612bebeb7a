import type { BenchResult, TraceSummary } from '../benchmark/bench-result.ts';
import { formatSpeedUp } from '../benchmark/compare.ts';
import { isScheduled } from '../benchmark/scenario.ts';
import { formatBytes, formatJoules, formatSeconds } from '../core/units.ts';
import type { SuiteRun } from '../jobs/bench-suite.ts';
import type { ReadyMeasurement } from '../jobs/ready-measurement.ts';
import { decimal, renderTable } from './table.ts';

const HEADER = ['model', 'queries', 'mean', 'p50', 'p90', 'p99', 'p99.9', 'samples/s', 'peak memory'];

/** A table for every measurement, under its name where there are several, and what is wrong with the results. */
export function renderBench(runs: readonly SuiteRun[], { isMadeUp }: { readonly isMadeUp: boolean }): string {
  const notes = isMadeUp ? ['inputs are made up: real ones may take another time'] : [];
  const tables = runs.map((run) => tableOf(run, runs.length > 1 || run.suite !== ''));
  return [tables.join('\n\n'), ...(notes.length === 0 ? [] : ['', ...notes])].join('\n');
}

function tableOf(suiteRun: SuiteRun, isNamed: boolean): string {
  const { measurement, run } = suiteRun;
  const isQueued = isScheduled(measurement.settings.scenario);
  // Most measurements are on no GPU.
  const isOnGpu = run.results.some(({ peakGpuMemoryBytes }) => peakGpuMemoryBytes !== null);
  const isMetered = run.results.some((result) => (result.energy?.millijoulesPerQuery ?? null) !== null);
  const rows = run.results.map((result, index) => {
    const speedUp = run.speedUps[index - 1];
    return [
      ...latencyColumns(result),
      ...(isOnGpu ? [bytes(result.peakGpuMemoryBytes)] : []),
      ...(isMetered ? [energy(result.energy?.millijoulesPerQuery)] : []),
      speedUp === undefined ? '–' : formatSpeedUp(speedUp),
      ...(isQueued ? [time(result.serviceTimeSeconds?.p50)] : []),
    ];
  });
  const header = [
    ...HEADER,
    ...(isOnGpu ? ['GPU memory'] : []),
    ...(isMetered ? ['energy/query'] : []),
    'speed-up',
    ...(isQueued ? ['service p50'] : []),
  ];
  const complaints = run.results.flatMap(({ variant, invalidReasons }) =>
    invalidReasons.map((reason) => `invalid: ${variant}: ${reason}`),
  );
  const title = titleOf(suiteRun, isNamed);
  return [
    ...(title === undefined ? [] : [title]),
    renderTable(header, rows),
    ...(complaints.length === 0 ? [] : ['', ...complaints]),
    ...costsOfTracing(run.results),
  ].join('\n');
}

function costsOfTracing(results: readonly BenchResult[]): string[] {
  const lines = results.flatMap(({ variant, trace }) =>
    trace === null ? [] : [costOfTracing(variant, trace)],
  );
  return lines.length === 0 ? [] : ['', ...lines];
}

function costOfTracing(
  variant: string,
  { queries, p50Seconds, costRatio, extraRssBytes }: TraceSummary,
): string {
  const { traced, untraced } = p50Seconds;
  const change = `${((costRatio - 1) * 100).toFixed(1)} %`;
  const memory = extraRssBytes === null ? '' : `, and ${formatBytes(extraRssBytes)} for a second session`;
  return (
    `traced: ${variant}: ${queries} queries after those above; it cost ${change} of p50 ` +
    `(${formatSeconds(traced)} instead of ${formatSeconds(untraced)})${memory}`
  );
}

/** `standard: server, 642 queries/s` — what the columns do not tell. */
function titleOf({ suite, measurement, run }: SuiteRun, isNamed: boolean): string | undefined {
  const { name, settings } = measurement;
  const details = detailsOf(measurement, run.results[0]?.schedule?.offeredPerSecond ?? null);
  if (!isNamed && details.length === 0) return undefined;
  const subject = suite === '' ? name : `${suite}: ${name}`;
  const scenario = name === settings.scenario ? [] : [settings.scenario];
  return [subject, ...scenario, ...details].join(', ');
}

function detailsOf({ settings, batch, trace }: ReadyMeasurement, offeredPerSecond: number | null): string[] {
  const { scenario, ratePerSecond, capacityShare, rampFromPerSecond, concurrency, samplesPerQuery } =
    settings;
  const offered = offeredPerSecond === null ? '' : `: ${offeredPerSecond.toPrecision(3)} queries/s`;
  const rate =
    ratePerSecond === null
      ? `${capacityShare} of the first model's throughput${offered}`
      : `${ratePerSecond} queries/s`;
  return [
    ...(scenario === 'server' || scenario === 'constant-rate' ? [rate] : []),
    ...(scenario === 'ramp' ? [`from ${rampFromPerSecond ?? 0} queries/s to ${rate}`] : []),
    ...(scenario === 'multi-stream' ? [`${samplesPerQuery} samples a query`] : []),
    ...(trace === undefined
      ? []
      : [
          `${trace.count} queries in ${formatSeconds(trace.durationSeconds)} from ${trace.file}`,
          ...trace.changes,
        ]),
    ...(concurrency > 1 ? [`${concurrency} sessions`] : []),
    ...(batch > 1 ? [`batches of ${batch}`] : []),
  ];
}

function latencyColumns(result: BenchResult): string[] {
  const { variant, queries, latencySeconds, throughput, peakRssBytes } = result;
  return [
    variant,
    String(queries),
    time(latencySeconds?.mean),
    time(latencySeconds?.p50),
    time(latencySeconds?.p90),
    time(latencySeconds?.p99),
    time(latencySeconds?.p999),
    decimal(throughput, 1),
    bytes(peakRssBytes),
  ];
}

function time(seconds: number | null | undefined): string {
  return seconds == null ? '–' : formatSeconds(seconds);
}

function energy(millijoules: number | null | undefined): string {
  return millijoules == null ? '–' : formatJoules(millijoules / 1000);
}

function bytes(count: number | null): string {
  return count === null ? '–' : formatBytes(count);
}
