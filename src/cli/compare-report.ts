import { formatRatio } from '../benchmark/compare.ts';
import type { CurvePoint } from '../benchmark/percentile-curve.ts';
import type { BenchFileResult } from '../config/bench-file-schema.ts';
import { formatBytes, formatSeconds } from '../core/units.ts';
import type { FileComparison, ResultComparison } from '../jobs/compare-bench-files.ts';
import { shortNames } from './compare-figure.ts';
import { decimal, renderTable } from './table.ts';

const SEPARATE_RUNS =
  'these are two runs: whatever differed on the host between them is part of the ratio, and no interval knows of it';

/** For every pair of results its ratio and verdict, then the percentiles, and what else differs. */
export function renderComparison({ comparisons, differences }: FileComparison): string {
  const rows = comparisons.map((comparison) => {
    const { suite, measurement, base, candidate, speedUp, paired } = comparison;
    const [one, other] = shortNames(base.variant, candidate.variant);
    return [
      suite === null ? measurement : `${suite}: ${measurement}`,
      one,
      other,
      speedUp.metric.replace('-', ' '),
      figure(base),
      figure(candidate),
      formatRatio(speedUp),
      `${speedUp.outcome.replaceAll('-', ' ')}${paired ? '' : ' *'}`,
    ];
  });
  const header = [
    'measurement',
    'base',
    'candidate',
    'metric',
    'of the base',
    'of the candidate',
    'times as fast',
    'verdict',
  ];
  const isSeparate = comparisons.some(({ paired }) => !paired);
  return [
    renderTable(header, rows),
    ...comparisons.flatMap((comparison) => ['', ...percentileTable(comparison)]),
    ...comparisons.flatMap((comparison) => memoryTable(comparison)),
    ...notes(comparisons, differences, isSeparate),
  ].join('\n');
}

function figure({ scenario, throughput, latencySeconds }: BenchFileResult): string {
  if (scenario === 'offline') return throughput === null ? '–' : `${decimal(throughput, 1)} samples/s`;
  return latencySeconds?.p50 == null ? '–' : formatSeconds(latencySeconds.p50);
}

function percentileTable({ measurement, base, candidate, percentiles }: ResultComparison): string[] {
  if (percentiles.length === 0) return [`${measurement}: too few rounds for ratios by percentile`];
  const rows = percentiles.map(({ percentile, ...ratio }) => [
    `p${percentile}`,
    latencyAt(base.latencyCurve, percentile),
    latencyAt(candidate.latencyCurve, percentile),
    formatRatio(ratio),
  ]);
  const [one, other] = shortNames(base.variant, candidate.variant);
  return [renderTable([measurement, one, other, 'times as fast'], rows)];
}

const MEMORY_FIGURES = [
  ['peak memory', 'peakRssBytes'],
  ['peak GPU memory', 'peakGpuMemoryBytes'],
  ['arena of a session', 'arenaBytes'],
] as const;

/** Figures that at least one of the two has; files of older versions have fewer. */
function memoryTable({ measurement, base, candidate }: ResultComparison): string[] {
  const rows = MEMORY_FIGURES.flatMap(([name, field]) => {
    const [of, other] = [base[field] ?? null, candidate[field] ?? null];
    if (of === null && other === null) return [];
    const ratio = of === null || other === null || of === 0 ? '–' : `${(other / of).toFixed(2)}x`;
    return [[name, bytes(of), bytes(other), ratio]];
  });
  if (rows.length === 0) return [];
  const [one, other] = shortNames(base.variant, candidate.variant);
  return ['', renderTable([measurement, one, other, 'times as much'], rows)];
}

function bytes(count: number | null): string {
  return count === null ? '–' : formatBytes(count);
}

/** Between the two points of the curve around a percentile. */
function latencyAt(curve: readonly CurvePoint[], percentile: number): string {
  const after = curve.findIndex((point) => point.percentile >= percentile);
  const [low, high] = [curve[after - 1], curve[after]];
  if (high === undefined) return '–';
  if (low === undefined || high.percentile === percentile) return formatSeconds(high.seconds);
  const share = (percentile - low.percentile) / (high.percentile - low.percentile);
  return formatSeconds(low.seconds + share * (high.seconds - low.seconds));
}

function notes(
  comparisons: readonly ResultComparison[],
  differences: readonly string[],
  isSeparate: boolean,
): string[] {
  const lines = [
    ...(isSeparate ? [`* ${SEPARATE_RUNS}`] : []),
    ...differences.map((difference) => `differs: ${difference}`),
    ...comparisons.flatMap(({ measurement, differences: own }) =>
      own.map((difference) => `differs in ${measurement}: ${difference}`),
    ),
    ...comparisons.flatMap(({ measurement, base, candidate }) =>
      [base, candidate].flatMap(({ variant, invalidReasons }) =>
        invalidReasons.map((reason) => `invalid: ${measurement}, ${variant}: ${reason}`),
      ),
    ),
  ];
  return lines.length === 0 ? [] : ['', ...new Set(lines)];
}
