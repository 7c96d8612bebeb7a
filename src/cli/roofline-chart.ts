import { formatSeconds, formatSi } from '../core/units.ts';
import type { RooflineReport } from '../jobs/roofline-models.ts';
import { ARITHMETICS, type Arithmetic, type MemoryLevel, type Peaks } from '../trace/roofline/peaks.ts';
import { type OperatorUnderRoof, operatorName, type WorkUnderRoof } from '../trace/roofline/roofline.ts';
import { escapeXml } from './escape-xml.ts';
import { formatIntensity, share } from './roofline-report.ts';

const WIDTH = 960;
const HEIGHT = 600;
const PLOT = { left: 86, right: 936, top: 24, bottom: 540 };

/** Of a point that stands for all of the time; its area is the share. */
const LARGEST_RADIUS = 34;
const SMALLEST_RADIUS = 2.5;

/** Operators with this much of the time are named in the picture. */
const NAMED_FROM_RATIO = 0.04;

interface Point {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly variant: number;
  readonly name: string;
  readonly title: string;
  readonly isNamed: boolean;
}

/**
 * The roofs of a device and the operators of models under them (SVG, for a page that has the classes): arithmetic intensity to the
 * right, attained rate upwards, both logarithmic. The area of a point is its operator's share of the time of its model's
 * kernels; a diamond is a whole model. What has no known FLOPs is not in it.
 */
export function renderRooflineChart(report: RooflineReport): string {
  const peaks = report.peaks[0] as Peaks;
  const axes = axesOf(peaks, report);
  const points = report.variants.flatMap(({ roofline }, variant) =>
    (roofline?.operators ?? []).flatMap((operator) => pointOf(operator, variant, axes)),
  );
  const models = report.variants.flatMap(({ variant: name, roofline }, variant) =>
    roofline === null ? [] : modelPoint(name, roofline.model, variant, axes),
  );
  const roofs = [
    ...peaks.levels.map((level) => slope(level, peaks, axes)),
    ...ARITHMETICS.flatMap((arithmetic) => ceiling(arithmetic, peaks, axes)),
  ];
  // The large ones lie below, so that every point can be pointed at.
  const drawn = [...points].sort((a, b) => b.radius - a.radius);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Roofline">`,
    '<title>Attained rate against arithmetic intensity</title>',
    ...axes.x.ticks.map((tick) => verticalTick(axes.x.place(tick), tickLabel(tick))),
    ...axes.y.ticks.map((tick) => horizontalTick(axes.y.place(tick), tickLabel(tick))),
    text((PLOT.left + PLOT.right) / 2, HEIGHT - 14, 'arithmetic intensity, FLOP a byte', 'middle'),
    `<text class="label" transform="translate(18 ${(PLOT.top + PLOT.bottom) / 2}) rotate(-90)" text-anchor="middle">attained, FLOP a second</text>`,
    ...roofs.map(({ line }) => line),
    ...drawn.map(circle),
    ...models.map(diamond),
    ...roofs.map(({ label }) => label),
    ...names(points.filter(({ isNamed }) => isNamed)),
    '</svg>',
  ].join('\n');
}

interface LogScale {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
  readonly place: (value: number) => number;
}

interface Axes {
  readonly x: LogScale;
  readonly y: LogScale;
}

/** Both axes hold all points and all corners of the roofs, and end at powers of ten. */
function axesOf(peaks: Peaks, { variants }: RooflineReport): Axes {
  const rates = ARITHMETICS.flatMap((arithmetic) => peaks.operationsPerSecond[arithmetic] ?? []);
  const bandwidths = peaks.levels.map(({ bytesPerSecond }) => bytesPerSecond);
  const corners = rates.flatMap((rate) => bandwidths.map((bandwidth) => rate / bandwidth));
  const works: readonly WorkUnderRoof[] = variants.flatMap(({ roofline }) =>
    roofline === null ? [] : [roofline.model, ...roofline.operators],
  );
  const placed = works.filter(isPlaced);
  const intensities = [0.1, ...corners, ...placed.map(({ intensity }) => intensity)];
  const attained = [...rates, ...placed.map(({ flopsPerSecond }) => flopsPerSecond)];
  const slowest = Math.min(...rates) / 100;
  return {
    x: logScale(intensities, PLOT.left, PLOT.right),
    y: logScale([slowest, ...attained], PLOT.bottom, PLOT.top),
  };
}

function logScale(values: readonly number[], from: number, to: number): LogScale {
  const low = 10 ** Math.floor(Math.log10(Math.min(...values)));
  const high = 10 ** Math.ceil(Math.log10(Math.max(...values) * 1.2));
  const decades = Math.round(Math.log10(high / low));
  const ticks = Array.from({ length: decades + 1 }, (_, decade) => low * 10 ** decade);
  const place = (value: number) => from + (Math.log10(value / low) / decades) * (to - from);
  return { low, high, ticks, place };
}

type Placed = WorkUnderRoof & { readonly intensity: number; readonly flopsPerSecond: number };

function isPlaced(work: WorkUnderRoof): work is Placed {
  return (work.intensity ?? 0) > 0 && (work.flopsPerSecond ?? 0) > 0;
}

function pointOf(operator: OperatorUnderRoof, variant: number, axes: Axes): Point[] {
  if (!isPlaced(operator)) return [];
  const { arithmetic, timeRatio, bound, memory, callsPerRun } = operator;
  const where = bound === 'memory' && memory !== null ? `memory (${memory})` : bound;
  return [
    {
      ...place(operator, axes),
      radius: Math.max(SMALLEST_RADIUS, LARGEST_RADIUS * Math.sqrt(timeRatio)),
      variant,
      name: operatorName(operator),
      title: `${operatorName(operator)} in ${arithmetic}, ${Number(callsPerRun.toFixed(1))} a run, ${share(timeRatio)} of the time; ${describe(operator)}; bound by ${where}`,
      isNamed: timeRatio >= NAMED_FROM_RATIO,
    },
  ];
}

function modelPoint(name: string, model: WorkUnderRoof, variant: number, axes: Axes): Point[] {
  if (!isPlaced(model)) return [];
  const title = `${name}, the whole model; ${describe(model)}`;
  return [{ ...place(model, axes), radius: 8, variant, name, title, isNamed: false }];
}

function place({ intensity, flopsPerSecond }: Placed, { x, y }: Axes) {
  return { x: x.place(intensity), y: y.place(flopsPerSecond) };
}

function describe({ secondsPerRun, intensity, flopsPerSecond, bytesPerSecond, roofRatio }: Placed): string {
  const roof = roofRatio === null ? '' : `, ${share(roofRatio)} of its roof`;
  const rates = `${formatSi(flopsPerSecond, 'FLOP/s')}, ${formatSi(bytesPerSecond ?? 0, 'B/s')}`;
  return `${formatSeconds(secondsPerRun)} a run, ${formatIntensity(intensity)} FLOP/B, ${rates}${roof}`;
}

/** A part of the roof. Its label is drawn above all points. */
interface RoofPart {
  readonly line: string;
  readonly label: string;
}

/** A bandwidth: the line on which so many bytes a second are moved, up to the highest ceiling. */
function slope(
  { name, bytesPerSecond }: MemoryLevel,
  { operationsPerSecond }: Peaks,
  { x, y }: Axes,
): RoofPart {
  const highest = Math.max(...ARITHMETICS.map((arithmetic) => operationsPerSecond[arithmetic] ?? 0));
  const from = Math.max(x.low, y.low / bytesPerSecond);
  const to = highest / bytesPerSecond;
  const [x1, y1] = [x.place(from), y.place(from * bytesPerSecond)];
  const [x2, y2] = [x.place(to), y.place(highest)];
  const degrees = (Math.atan2(y2 - y1, x2 - x1) * 180) / Math.PI;
  const words = escapeXml(`${name} ${formatSi(bytesPerSecond, 'B/s')}`);
  const where = `translate(${at(x1)} ${at(y1)}) rotate(${degrees.toFixed(1)})`;
  return {
    line: `<line class="roof" x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}"/>`,
    label: `<text class="roof-label" transform="${where}" x="8" y="-6">${words}</text>`,
  };
}

/** A peak of arithmetic: from where the nearest memory can feed it. */
function ceiling(arithmetic: Arithmetic, peaks: Peaks, { x, y }: Axes): RoofPart[] {
  const perSecond = peaks.operationsPerSecond[arithmetic];
  const nearest = peaks.levels[0];
  if (perSecond === null || nearest === undefined) return [];
  const [x1, height] = [at(x.place(perSecond / nearest.bytesPerSecond)), y.place(perSecond)];
  const words = `${arithmetic} ${formatSi(perSecond, arithmetic === 'int8' ? 'OP/s' : 'FLOP/s')}`;
  return [
    {
      line: `<line class="roof" x1="${x1}" y1="${at(height)}" x2="${PLOT.right}" y2="${at(height)}"/>`,
      label: `<text class="roof-label" x="${PLOT.right}" y="${at(height - 6)}" text-anchor="end">${words}</text>`,
    },
  ];
}

function circle({ x, y, radius, variant, title }: Point): string {
  return `<circle class="point v${variant % VARIANT_COLOURS}" cx="${at(x)}" cy="${at(y)}" r="${at(radius)}"><title>${escapeXml(title)}</title></circle>`;
}

function diamond({ x, y, radius, variant, title }: Point): string {
  const path = `M${at(x)} ${at(y - radius)}L${at(x + radius)} ${at(y)}L${at(x)} ${at(y + radius)}L${at(x - radius)} ${at(y)}Z`;
  return `<path class="model v${variant % VARIANT_COLOURS}" d="${path}"><title>${escapeXml(title)}</title></path>`;
}

/** So many variants have a colour of their own in the page. */
export const VARIANT_COLOURS = 6;

/** Beside their points, and moved down where they would lie on one another. */
function names(points: readonly Point[]): string[] {
  const taken: { readonly x: number; readonly y: number }[] = [];
  return points.map(({ x, y, radius, name, variant }) => {
    const isRight = x + radius > PLOT.right - 150;
    const left = isRight ? x - radius - 4 : x + radius + 4;
    let height = y + 4;
    while (taken.some((other) => Math.abs(other.y - height) < 14 && Math.abs(other.x - left) < 130))
      height += 14;
    taken.push({ x: left, y: height });
    const anchor = isRight ? ' text-anchor="end"' : '';
    return `<text class="name v${variant % VARIANT_COLOURS}" x="${at(left)}" y="${at(height)}"${anchor}>${escapeXml(name)}</text>`;
  });
}

function verticalTick(x: number, label: string): string {
  return (
    `<line class="grid" x1="${at(x)}" x2="${at(x)}" y1="${PLOT.top}" y2="${PLOT.bottom}"/>` +
    text(x, PLOT.bottom + 18, label, 'middle')
  );
}

function horizontalTick(y: number, label: string): string {
  return (
    `<line class="grid" x1="${PLOT.left}" x2="${PLOT.right}" y1="${at(y)}" y2="${at(y)}"/>` +
    text(PLOT.left - 8, y + 4, label, 'end')
  );
}

/** Of a power of ten: `0.1`, `10`, `1 k`. */
function tickLabel(value: number): string {
  if (value < 1) return String(Number(value.toPrecision(1)));
  return formatSi(value, '')
    .replace(/\.0+(?= )/, '')
    .trim();
}

function text(x: number, y: number, words: string, anchor: 'middle' | 'end'): string {
  return `<text class="label" x="${at(x)}" y="${at(y)}" text-anchor="${anchor}">${escapeXml(words)}</text>`;
}

function at(coordinate: number): string {
  return coordinate.toFixed(1);
}
