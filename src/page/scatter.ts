/** A point of a picture of two figures. */
export interface ScatterPoint {
  readonly label: string;
  readonly x: number;
  readonly y: number;
  /** Relative to the others. */
  readonly area: number;
  readonly isFilled: boolean;
}

const WIDTH = 640;
const HEIGHT = 260;
const MARGIN = { left: 70, right: 110, top: 20, bottom: 40 };
const LARGEST_RADIUS = 16;
const SMALLEST_RADIUS = 4;

/** A picture of points with their names, as SVG that grows with its parent. The x axis begins at zero. */
export function scatter(
  points: readonly ScatterPoint[],
  axes: { readonly x: string; readonly y: string; readonly format: (x: number) => string },
): SVGElement {
  const most = Math.max(...points.map(({ x }) => x)) * 1.1;
  const ys = points.map(({ y }) => y);
  const spread = Math.max(...ys) - Math.min(...ys) || Math.abs(ys[0] ?? 1) * 0.01 || 1;
  const [low, high] = [Math.min(...ys) - spread * 0.3, Math.max(...ys) + spread * 0.3];
  const xOf = (x: number) => MARGIN.left + (x / most) * (WIDTH - MARGIN.left - MARGIN.right);
  const yOf = (y: number) =>
    HEIGHT - MARGIN.bottom - ((y - low) / (high - low)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const largest = Math.max(...points.map(({ area }) => area));
  const picture = svg('svg', {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    role: 'img',
    class: 'scatter',
    'aria-label': describe(points, axes),
  });
  const bottom = HEIGHT - MARGIN.bottom;
  picture.append(
    svg('path', { d: `M${MARGIN.left},${MARGIN.top}V${bottom}H${WIDTH - MARGIN.right}`, class: 'axis' }),
    text(axes.x, (MARGIN.left + WIDTH - MARGIN.right) / 2, HEIGHT - 8, 'middle'),
    text(axes.y, MARGIN.left, MARGIN.top - 6, 'start'),
    ...[0, 0.5, 1].map((share) =>
      text(share === 0 ? '0' : axes.format(share * most), xOf(share * most), bottom + 16, 'middle'),
    ),
    ...[low, (low + high) / 2, high].map((y) =>
      text(Number(y.toPrecision(4)).toString(), MARGIN.left - 6, yOf(y) + 4, 'end'),
    ),
  );
  for (const { label, x, y, area, isFilled } of points) {
    const radius = Math.max(SMALLEST_RADIUS, Math.sqrt(area / largest) * LARGEST_RADIUS);
    picture.append(
      svg('circle', { cx: xOf(x), cy: yOf(y), r: radius, class: isFilled ? 'point filled' : 'point' }),
      text(label, xOf(x) + radius + 4, yOf(y) + 4, 'start'),
    );
  }
  return picture;
}

function describe(
  points: readonly ScatterPoint[],
  { x, y, format }: { readonly x: string; readonly y: string; readonly format: (x: number) => string },
): string {
  return points.map((point) => `${point.label}: ${x} ${format(point.x)}, ${y} ${point.y}`).join('; ');
}

function text(content: string, x: number, y: number, anchor: string): SVGElement {
  const element = svg('text', { x, y, 'text-anchor': anchor });
  element.textContent = content;
  return element;
}

function svg(tag: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}
