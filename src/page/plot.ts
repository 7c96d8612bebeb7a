import UPlot from 'uplot';
import { quantity } from './words.ts';

/** Lines over time in one picture. */
export interface PlotSpec {
  readonly label: string;
  readonly unit: string;
  readonly height: number;
  readonly lines: readonly string[];
  /** What the scale reaches at least. */
  readonly most?: number;
  /** Whether the scale begins where the values do, and not at zero. */
  readonly isTight?: boolean;
  /** Whether x is a time of day; otherwise seconds since a beginning. */
  readonly isClock: boolean;
  readonly isPoints?: boolean;
}

/** A stretch of x that has a name. */
export interface Span {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** By order; chosen to be told apart by people who see few colours, and on light and dark ground. */
const COLOURS = ['#2f7ed8', '#e07b00', '#2a9d5c', '#b5479d', '#8a6d3b', '#d04545'];

/** So that axes have round numbers of KiB, MiB and GiB. */
const POWERS_OF_TWO = Array.from({ length: 50 }, (_, power) => 2 ** power);
const DAY_SECONDS = 86_400;

export type Columns = readonly [readonly number[], ...(readonly (number | null)[])[]];

export interface Plot {
  readonly element: HTMLElement;
  /** @param spans are marked behind the lines */
  set(columns: Columns, spans?: readonly Span[]): void;
  close(): void;
}

/** A picture that takes the width of its parent. */
export function plot(spec: PlotSpec): Plot {
  const element = document.createElement('div');
  element.className = 'plot';
  element.setAttribute('role', 'img');
  element.setAttribute('aria-label', spec.label);
  const muted = getComputedStyle(document.documentElement).getPropertyValue('--muted').trim() || '#777';
  const grid = {
    stroke: getComputedStyle(document.documentElement).getPropertyValue('--line').trim(),
    width: 1,
  };
  const text = (value: number | null) => (value === null ? '–' : quantity(value, spec.unit));
  let marked: readonly Span[] = [];
  const drawn = new UPlot(
    {
      width: 300,
      height: spec.height,
      series: [
        spec.isClock ? {} : { label: 'at', value: (_, x) => (x === null ? '–' : `${x.toFixed(1)} s`) },
        ...spec.lines.map((label, index) => ({
          label,
          stroke: COLOURS[index % COLOURS.length] as string,
          width: 1.5,
          points: { show: spec.isPoints === true, size: 6 },
          value: (_: UPlot, value: number | null) => text(value),
        })),
      ],
      axes: [
        { stroke: muted, grid, ticks: grid, space: 80, ...(spec.isClock ? { values: clockTicks } : {}) },
        {
          stroke: muted,
          grid,
          ticks: grid,
          size: 80,
          values: (_, ticks) => ticks.map((tick) => text(tick)),
          ...(spec.unit.startsWith('bytes') ? { incrs: POWERS_OF_TWO } : {}),
        },
      ],
      scales: {
        x: { time: spec.isClock },
        y: {
          range: (_, least, most) =>
            spec.isTight === true
              ? [(least ?? 0) - tightMargin(least, most), (most ?? 1) + tightMargin(least, most)]
              : [0, Math.max(spec.most ?? 0, most ?? 0, Number.MIN_VALUE) * 1.02],
        },
      },
      legend: { show: spec.lines.length > 1 || !spec.isClock },
      cursor: { drag: { x: true, y: false } },
      hooks: { drawClear: [(picture) => markSpans(picture, marked, muted)] },
    },
    [[], ...spec.lines.map(() => [])] as unknown as UPlot.AlignedData,
    element,
  );
  const fit = new ResizeObserver(([entry]) => {
    const width = Math.floor(entry?.contentRect.width ?? 0);
    if (width > 0) drawn.setSize({ width, height: spec.height });
  });
  fit.observe(element);
  return {
    element,
    set: (columns, spans = []) => {
      marked = spans;
      drawn.setData(columns as unknown as UPlot.AlignedData);
    },
    close: () => {
      fit.disconnect();
      drawn.destroy();
    },
  };
}

function tightMargin(least: number | null, most: number | null): number {
  return ((most ?? 1) - (least ?? 0)) * 0.1 || Math.abs(most ?? 1) * 0.01 || 1;
}

/** Times of day in the way of the browser's language; dates where the picture spans more than a day. */
function clockTicks(_: UPlot, ticks: readonly number[]): string[] {
  const span = (ticks.at(-1) ?? 0) - (ticks[0] ?? 0);
  const style: Intl.DateTimeFormatOptions =
    span >= DAY_SECONDS ? { month: 'short', day: 'numeric' } : { timeStyle: span < 600 ? 'medium' : 'short' };
  return ticks.map((tick) => new Date(tick * 1000).toLocaleString(undefined, style));
}

/** Every other span has a ground of its own; names stand at their beginnings where there is room. */
function markSpans({ ctx, bbox, valToPos }: UPlot, spans: readonly Span[], colour: string): void {
  ctx.save();
  ctx.fillStyle = colour;
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  let freeFrom = bbox.left;
  for (const [index, { name, from, to }] of spans.entries()) {
    const left = Math.max(bbox.left, valToPos(from, 'x', true));
    const right = Math.min(bbox.left + bbox.width, valToPos(to, 'x', true));
    if (right <= left) continue;
    ctx.globalAlpha = index % 2 === 0 ? 0.12 : 0.05;
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
    const { width } = ctx.measureText(name);
    if (left < freeFrom || left + width > bbox.left + bbox.width) continue;
    ctx.globalAlpha = 0.9;
    ctx.fillText(name, left + 3, bbox.top + 12 * devicePixelRatio);
    freeFrom = left + width + 10;
  }
  ctx.restore();
}
