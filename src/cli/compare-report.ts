import { formatRatio } from '../benchmark/compare.ts';
import type { CurvePoint } from '../benchmark/percentile-curve.ts';
import type { BenchFileResult } from '../config/bench-file-schema.ts';
import { formatSeconds } from '../core/units.ts';
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
