import { basename } from 'node:path';
import { describeConfiguration } from '../benchmark/sweep/configurations.ts';
import type { SweepRow } from '../benchmark/sweep/sweep-row.ts';
import { formatRate, formatSeconds } from '../core/units.ts';
import { escapeXml } from './escape-xml.ts';
import type { SweepReport } from './sweep-report.ts';

const WIDTH = 900;
const HEIGHT = 560;
const PLOT = { left: 90, right: 870, top: 56, bottom: 490 };
/** Told apart by people who see few colours (Okabe and Ito's palette). */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'];
/** Where the largest figure is so many times the smallest, an even scale would press the small ones together. */
const LOG_FROM_RATIO = 12;

const KEY = '● one lane  ■ several lanes  ◌ not valid  – – – front';

/** Keeps words readable where the line of the front runs through them. */
const HALO = 'paint-order="stroke" stroke="#fff" stroke-width="4"';

interface Point {
  readonly row: SweepRow;
  readonly onFront: boolean;
  readonly x: number;
  readonly y: number;
}

/**
 * A picture (SVG, self-contained) of throughput against the 99th percentile of the latency: up and to the left is better. Points of
 * the front are filled, labelled and joined by the line beyond which nothing was reached; invalid ones are hollow and dashed.
 */
export function renderSweepChart(report: SweepReport): string {
  const { rows, findings, scenario } = report;
  const placed = rows.flatMap((row, index) => {
    const { p99 } = row.latencySeconds;
    if (row.throughput === null || p99 === null) return [];
    return { row, onFront: findings.front.includes(index), latency: p99, throughput: row.throughput };
  });
  const x = scaleOf(
    placed.map(({ latency }) => latency),
    [PLOT.left, PLOT.right],
  );
  const y = scaleOf(
    placed.map(({ throughput }) => throughput),
    [PLOT.bottom, PLOT.top],
  );
  const points = placed.map(
    ({ row, onFront, latency, throughput }): Point => ({
      row,
      onFront,
      x: x.place(latency),
      y: y.place(throughput),
    }),
  );
  const models = [...new Set(rows.map(({ model }) => model))];
  const colourOf = (model: string) => COLOURS[models.indexOf(model) % COLOURS.length] as string;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(PLOT.left, 24, `Throughput against latency, ${scenario}`, 'font-size="16" font-weight="bold"'),
    ...models.map((model, index) => legendEntry(basename(model), colourOf(model), index)),
    ...x.ticks.map((tick) => verticalTick(x.place(tick), formatSeconds(tick))),
    ...y.ticks.map((tick) => horizontalTick(y.place(tick), formatRate(tick))),
    text(PLOT.right, 24, KEY, 'text-anchor="end" fill="#444"'),
    text((PLOT.left + PLOT.right) / 2, HEIGHT - 22, 'p99 latency of a query', 'text-anchor="middle"'),
    `<text transform="translate(20 ${(PLOT.top + PLOT.bottom) / 2}) rotate(-90)" text-anchor="middle">samples per second</text>`,
    frontLine(points),
    ...points.map((point) => mark(point, colourOf(point.row.model))),
    ...labels(points.filter(({ onFront }) => onFront)),
    ...(points.length === 0
      ? [text((PLOT.left + PLOT.right) / 2, 270, 'nothing was measured', 'text-anchor="middle"')]
      : []),
    '</svg>',
    '',
  ].join('\n');
}

/** Places values on an axis with some room at both ends; logarithmic where they differ much. */
function scaleOf(values: readonly number[], [from, to]: readonly [number, number]) {
  const least = Math.min(...values);
  const most = Math.max(...values);
  const isLog = values.length > 0 && least > 0 && most / least >= LOG_FROM_RATIO;
  const of = (value: number) => (isLog ? Math.log10(value) : value);
  const span = of(most) - of(least) || Math.abs(of(most)) || 1;
  const low = isLog ? of(least) - span * 0.08 : Math.max(0, of(least) - span * 0.12);
  const high = of(most) + span * 0.12;
  const place = (value: number) => from + ((of(value) - low) / (high - low)) * (to - from);
  const ticks = values.length === 0 ? [] : isLog ? logTicks(10 ** low, 10 ** high) : evenTicks(low, high);
  return { place, ticks };
}

function evenTicks(low: number, high: number): number[] {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.ceil(low / step);
  return Array.from(
    { length: Math.max(0, Math.floor(high / step) - first + 1) },
    (_, index) => (first + index) * step,
  );
}

function logTicks(low: number, high: number): number[] {
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    for (const factor of [1, 2, 5]) {
      const tick = factor * 10 ** power;
      if (tick >= low && tick <= high) ticks.push(tick);
    }
  }
  return ticks;
}

function verticalTick(x: number, label: string): string {
  return (
    `<line x1="${at(x)}" x2="${at(x)}" y1="${PLOT.top}" y2="${PLOT.bottom}" stroke="#e5e5e5"/>` +
    text(x, PLOT.bottom + 18, label, 'text-anchor="middle" fill="#444"')
  );
}

function horizontalTick(y: number, label: string): string {
  return (
    `<line x1="${PLOT.left}" x2="${PLOT.right}" y1="${at(y)}" y2="${at(y)}" stroke="#e5e5e5"/>` +
    text(PLOT.left - 8, y + 4, label, 'text-anchor="end" fill="#444"')
  );
}

/** From point to point in steps: between two of them, the slower one's latency has to be accepted first. */
function frontLine(points: readonly Point[]): string {
  const front = points.filter(({ onFront }) => onFront).sort((a, b) => a.x - b.x || b.y - a.y);
  const [first, ...rest] = front;
  if (first === undefined) return '';
  const steps = rest.map(({ x, y }) => `H${at(x)}V${at(y)}`).join('');
  return `<path d="M${at(first.x)} ${PLOT.bottom}V${at(first.y)}${steps}H${PLOT.right}" fill="none" stroke="#888" stroke-width="1.5" stroke-dasharray="6 4"/>`;
}

/** A circle for one lane, a square for several; what it is comes up when it is pointed at. */
function mark({ row, onFront, x, y }: Point, colour: string): string {
  const size = onFront ? 7 : 5;
  const fill = row.valid
    ? `fill="${colour}" fill-opacity="${onFront ? 1 : 0.35}"`
    : 'fill="#fff" stroke-dasharray="2 2"';
  const shape =
    row.concurrency === 1
      ? `<circle cx="${at(x)}" cy="${at(y)}" r="${size}" stroke="${colour}" ${fill}>`
      : `<rect x="${at(x - size)}" y="${at(y - size)}" width="${2 * size}" height="${2 * size}" stroke="${colour}" ${fill}>`;
  const what = `${row.model}, ${describeConfiguration(row)}: ${formatRate(row.throughput ?? 0)} samples/s, p99 ${formatSeconds(row.latencySeconds.p99 ?? 0)}`;
  return `${shape}<title>${escapeXml(what)}</title>${row.concurrency === 1 ? '</circle>' : '</rect>'}`;
}

/** Beside their points, and moved up where they would lie on one another. */
function labels(points: readonly Point[]): string[] {
  const taken: { readonly x: number; readonly y: number }[] = [];
  return points.map(({ row, x, y }) => {
    const isRight = x > PLOT.right - 190;
    let height = y - 10;
    while (taken.some((other) => Math.abs(other.y - height) < 13 && Math.abs(other.x - x) < 190))
      height -= 13;
    taken.push({ x, y: height });
    return text(
      x + (isRight ? -10 : 10),
      height,
      describeConfiguration(row),
      `${HALO}${isRight ? ' text-anchor="end"' : ''}`,
    );
  });
}

function legendEntry(name: string, colour: string, index: number): string {
  const x = PLOT.left + index * 200;
  return `<circle cx="${x + 5}" cy="40" r="5" fill="${colour}"/>${text(x + 16, 44, name.slice(0, 28), '')}`;
}

function text(x: number, y: number, words: string, attributes: string): string {
  return `<text x="${at(x)}" y="${at(y)}" ${attributes}>${escapeXml(words)}</text>`;
}

function at(coordinate: number): string {
  return coordinate.toFixed(1);
}
