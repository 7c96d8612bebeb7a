import { formatRatio } from '../benchmark/compare.ts';
import type { CurvePoint } from '../benchmark/percentile-curve.ts';
import { formatSeconds } from '../core/units.ts';
import type { ResultComparison } from '../jobs/compare-bench-files.ts';
import { type Axis, linearAxis, logAxis } from './figure-axis.ts';

const WIDTH = 760;
const LEFT = 84;
const RIGHT = 28;
const TITLE_HEIGHT = 74;
const LATENCY_HEIGHT = 250;
const GAP = 34;
const RATIO_HEIGHT = 130;
const FOOT = 52;
const BLOCK_HEIGHT = TITLE_HEIGHT + LATENCY_HEIGHT + GAP + RATIO_HEIGHT + FOOT;

/** Dark and light, so that they differ in grey too; the second is dashed besides. */
const BASE = { color: '#1f3b73', dash: '' };
const CANDIDATE = { color: '#d9730d', dash: '7 4' };

const PERCENTILE_TICKS = [0, 50, 75, 90, 95, 99, 99.9, 99.99, 99.999];

/** A wide spread of latencies is shown on a logarithmic axis. */
const LOG_FROM_RATIO = 8;

/**
 * A picture of comparisons, one below the other: the latency of both models by percentile, on an axis that gives every
 * tenfold rarer latency the same room, and below it the ratio at percentiles with its interval. SVG with no reference to
 * anything outside.
 */
export function renderFigure(comparisons: readonly ResultComparison[]): string {
  const height = BLOCK_HEIGHT * comparisons.length;
  const blocks = comparisons.map(
    (comparison, index) => `<g transform="translate(0 ${index * BLOCK_HEIGHT})">${block(comparison)}</g>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="Helvetica, Arial, sans-serif" font-size="12" fill="#222">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    ...blocks,
    '</svg>\n',
  ].join('\n');
}

function block(comparison: ResultComparison): string {
  const { base, candidate } = comparison;
  const x = percentileAxis(comparison);
  const ratioTop = TITLE_HEIGHT + LATENCY_HEIGHT + GAP;
  return [
    ...heading(comparison),
    `<g transform="translate(0 ${TITLE_HEIGHT})">`,
    ...latencyPlot(base.latencyCurve, candidate.latencyCurve, x),
    '</g>',
    `<g transform="translate(0 ${ratioTop})">`,
    ...ratioPlot(comparison, x),
    ...tickLabels(x, RATIO_HEIGHT),
    label((LEFT + WIDTH - RIGHT) / 2, RATIO_HEIGHT + 38, 'percentile of latency', 'middle'),
    '</g>',
  ].join('\n');
}

function heading({ suite, measurement, base, candidate, speedUp, paired }: ResultComparison): string[] {
  const subject = suite === null ? measurement : `${suite}: ${measurement}`;
  const kind = paired ? 'paired by round' : 'separate runs';
  const verdict = `${speedUp.outcome.replaceAll('-', ' ')}, ${formatRatio(speedUp)} in ${speedUp.metric.replace('-', ' ')}, ${kind}`;
  const [one, other] = shortNames(base.variant, candidate.variant);
  return [
    `<text x="${LEFT}" y="22" font-size="15" font-weight="bold">${escaped(shortened(subject, 70))}</text>`,
    label(LEFT, 40, shortened(verdict, 100)),
    ...key(LEFT, 60, one, BASE),
    ...key(LEFT + (WIDTH - LEFT - RIGHT) / 2, 60, other, CANDIDATE),
  ];
}

function key(x: number, y: number, name: string, style: typeof BASE): string[] {
  return [
    `<line x1="${x}" y1="${y - 4}" x2="${x + 30}" y2="${y - 4}" ${stroke(style)}/>`,
    label(x + 38, y, shortened(name, 38)),
  ];
}

/** -log10 of the share that is slower: 0, 90, 99 and 99.9 are equally far apart. */
function percentileAxis({ base, candidate }: ResultComparison): (percentile: number) => number {
  const last = Math.max(
    90,
    ...[base, candidate].flatMap(({ latencyCurve }) => latencyCurve.at(-1)?.percentile ?? 0),
  );
  const place = (percentile: number) => -Math.log10(1 - percentile / 100);
  return (percentile) => LEFT + ((WIDTH - LEFT - RIGHT) * place(percentile)) / place(last);
}

function latencyPlot(
  base: readonly CurvePoint[],
  candidate: readonly CurvePoint[],
  x: (percentile: number) => number,
): string[] {
  const seconds = [...base, ...candidate].map((point) => point.seconds);
  if (seconds.length === 0) return [label(LEFT, 20, 'nothing was measured')];
  const [low, high] = [Math.min(...seconds), Math.max(...seconds)];
  const y =
    high / low > LOG_FROM_RATIO
      ? logAxis(low / 1.1, high * 1.1, LATENCY_HEIGHT)
      : linearAxis(0, high, LATENCY_HEIGHT);
  const curve = (points: readonly CurvePoint[], style: typeof BASE) =>
    `<polyline fill="none" stroke-linejoin="round" ${stroke(style)} points="${points
      .map(({ percentile, seconds: at }) => `${fixed(x(percentile))},${fixed(y.place(at))}`)
      .join(' ')}"/>`;
  return [
    ...grid(x, y, formatSeconds),
    curve(base, BASE),
    curve(candidate, CANDIDATE),
    sideLabel('latency', LATENCY_HEIGHT),
  ];
}

function ratioPlot({ percentiles }: ResultComparison, x: (percentile: number) => number): string[] {
  if (percentiles.length === 0) return [label(LEFT, 20, 'too few rounds for ratios by percentile')];
  const ends = percentiles.flatMap(({ lower, upper }) => [lower, upper]);
  const y = logAxis(Math.min(1, ...ends) * 0.95, Math.max(1, ...ends) * 1.05, RATIO_HEIGHT);
  const equal = fixed(y.place(1));
  return [
    ...grid(x, y, (ratio) => `${Number(ratio.toPrecision(3))}x`),
    `<line x1="${LEFT}" y1="${equal}" x2="${WIDTH - RIGHT}" y2="${equal}" stroke="#222" stroke-width="1.2"/>`,
    ...percentiles.flatMap(({ percentile, ratio, lower, upper }) => {
      const at = fixed(x(percentile));
      const [top, bottom] = [fixed(y.place(upper)), fixed(y.place(lower))];
      const cap = (end: string) =>
        `<line x1="${Number(at) - 4}" y1="${end}" x2="${Number(at) + 4}" y2="${end}" stroke="#222" stroke-width="1.5"/>`;
      return [
        `<line x1="${at}" y1="${top}" x2="${at}" y2="${bottom}" stroke="#222" stroke-width="1.5"/>`,
        cap(top),
        cap(bottom),
        `<circle cx="${at}" cy="${fixed(y.place(ratio))}" r="4" fill="${CANDIDATE.color}" stroke="#222"/>`,
      ];
    }),
    sideLabel('times as fast', RATIO_HEIGHT),
  ];
}

function grid(x: (percentile: number) => number, y: Axis, format: (value: number) => string): string[] {
  return [
    ...ticksOf(x).map((percentile) => {
      const at = fixed(x(percentile));
      return `<line x1="${at}" y1="0" x2="${at}" y2="${y.height}" stroke="#e3e3e3"/>`;
    }),
    ...y.ticks.flatMap((value) => {
      const at = y.place(value);
      return [
        `<line x1="${LEFT}" y1="${fixed(at)}" x2="${WIDTH - RIGHT}" y2="${fixed(at)}" stroke="#e3e3e3"/>`,
        label(LEFT - 8, at + 4, format(value), 'end'),
      ];
    }),
    `<rect x="${LEFT}" y="0" width="${WIDTH - LEFT - RIGHT}" height="${y.height}" fill="none" stroke="#888"/>`,
  ];
}

/** Those of the axis that lie on it and leave room for their labels. */
function ticksOf(x: (percentile: number) => number): readonly number[] {
  const kept: number[] = [];
  for (const percentile of PERCENTILE_TICKS) {
    const at = x(percentile);
    if (at > WIDTH - RIGHT + 1) break;
    if (kept.length === 0 || at - x(kept.at(-1) as number) >= 36) kept.push(percentile);
  }
  return kept;
}

function tickLabels(x: (percentile: number) => number, height: number): string[] {
  return ticksOf(x).map((percentile) => label(x(percentile), height + 18, String(percentile), 'middle'));
}

function sideLabel(text: string, height: number): string {
  return `<text x="18" y="${height / 2}" text-anchor="middle" transform="rotate(-90 18 ${height / 2})">${escaped(text)}</text>`;
}

function label(x: number, y: number, text: string, anchor: 'start' | 'middle' | 'end' = 'start'): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" text-anchor="${anchor}">${escaped(text)}</text>`;
}

function stroke({ color, dash }: typeof BASE): string {
  return `stroke="${color}" stroke-width="2"${dash === '' ? '' : ` stroke-dasharray="${dash}"`}`;
}

/** The ends of two paths, as short as they can be and still differ. */
export function shortNames(one: string, other: string): readonly [string, string] {
  const [first, second] = [one.split('/'), other.split('/')];
  for (let parts = 1; parts < Math.max(first.length, second.length); parts++) {
    const [a, b] = [first.slice(-parts).join('/'), second.slice(-parts).join('/')];
    if (a !== b) return [a, b];
  }
  return one === other ? [`${first.at(-1)} (first run)`, `${second.at(-1)} (second run)`] : [one, other];
}

/** The end of a path says more than its beginning. */
function shortened(text: string, characters: number): string {
  return text.length <= characters ? text : `…${text.slice(1 - characters)}`;
}

function escaped(text: string): string {
  // What XML cannot hold at all is left out.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are the ones
  const allowed = text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '');
  return allowed
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

function fixed(value: number): string {
  return String(Number(value.toFixed(1)));
}
