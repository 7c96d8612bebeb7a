import type { LintedPanel } from '../support/lint-dashboard.ts';
import type { Series, TimeRange } from './ask-panel.ts';
import { formatValue } from './format-value.ts';
import { colorOf, escapeHtml, type Field, overridesOf, PALETTE, shown } from './panel-field.ts';

const ROW_HEIGHT = 38;

/** The inside of a panel as HTML. */
export function drawPanel(
  panel: LintedPanel,
  series: readonly Series[],
  range: TimeRange,
  width: number,
): string {
  const height = (panel.gridPos?.h ?? 8) * ROW_HEIGHT - 44;
  if (series.length === 0) return '<div class="nothing">No data</div>';
  const { defaults = {} } = (panel.fieldConfig ?? {}) as { readonly defaults?: Field };
  if (panel.type === 'stat') return drawNumbers(panel, series, defaults);
  if (panel.type === 'table') return drawTable(panel, series, defaults);
  if (panel.type === 'state-timeline') return drawStates(series, defaults, range, width, height);
  if (panel.type === 'xychart') return drawScatter(panel, series, defaults, width, height);
  return drawLines(series, defaults, range, width, height);
}

function drawNumbers(panel: LintedPanel, series: readonly Series[], field: Field): string {
  const { colorMode, textMode } = (panel.options ?? {}) as {
    readonly colorMode?: string;
    readonly textMode?: string;
  };
  const cells = series.map(({ name, points }) => {
    const last = points.at(-1)?.[1] ?? Number.NaN;
    const { text, color } = shown(last, field);
    const back = colorMode === 'background' && color !== 'transparent' ? `background:${colorOf(color)}` : '';
    const value =
      textMode === 'name'
        ? ''
        : `<b style="font-size:${series.length > 5 ? 15 : 26}px">${escapeHtml(text)}</b>`;
    const label = series.length > 1 || textMode === 'name' ? `<small>${escapeHtml(name)}</small>` : '';
    return `<div class="number" style="${back}">${label}${value}</div>`;
  });
  return `<div class="numbers">${cells.join('')}</div>`;
}

/** Queries merged by their labels, as the transformation `merge` does; `organize` names and orders the columns. */
function drawTable(panel: LintedPanel, series: readonly Series[], defaults: Field): string {
  const organize = (panel.transformations ?? []).find(({ id }) => id === 'organize')?.options as {
    readonly renameByName: Readonly<Record<string, string>>;
    readonly indexByName?: Readonly<Record<string, number>>;
  };
  const labels = [...new Set(series.flatMap((one) => Object.keys(one.labels)))];
  const order = organize?.indexByName ?? {};
  labels.sort((a, b) => (order[a] ?? 99) - (order[b] ?? 99));
  const columns = Object.values(organize?.renameByName ?? {});
  const rows = new Map<
    string,
    { readonly labels: Series['labels']; readonly values: (number | undefined)[] }
  >();
  for (const { labels: of, query, points } of series) {
    const key = JSON.stringify(labels.map((label) => of[label]));
    const row = rows.get(key) ?? { labels: of, values: [] };
    row.values[query] = points.at(-1)?.[1];
    rows.set(key, row);
  }
  const fields = columns.map((name) => ({ ...defaults, ...overridesOf(panel, name) }));
  const body = [...rows.values()].map(({ labels: of, values }) => {
    const words = labels.map((label) => `<td>${escapeHtml(of[label] ?? '')}</td>`);
    const figures = columns.map((_, at) => {
      const value = values[at];
      if (value === undefined) return '<td></td>';
      const field = fields[at] ?? defaults;
      const { text, color } = shown(value, field);
      const isColored = 'cell' in field && color !== undefined && color !== 'transparent';
      return `<td class="figure"${isColored ? ` style="background:${colorOf(color)};color:#111"` : ''}>${escapeHtml(text)}</td>`;
    });
    return `<tr>${words.join('')}${figures.join('')}</tr>`;
  });
  const head = [...labels, ...columns].map((name) => `<th>${escapeHtml(name)}</th>`).join('');
  return `<table><tr>${head}</tr>${body.join('')}</table>`;
}

interface Frame {
  readonly x: (at: number) => number;
  readonly y: (value: number) => number;
  readonly svg: string;
}

const LEFT = 64;

function frame(
  [low, high]: readonly [number, number],
  field: Field,
  range: TimeRange,
  width: number,
  height: number,
): Frame {
  const plot = { width: width - LEFT - 10, height: height - 22 };
  const x = (at: number) => LEFT + ((at - range.from) / (range.to - range.from)) * plot.width;
  const y = (value: number) => 4 + (1 - (value - low) / (high - low)) * (plot.height - 8);
  const lines = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const value = low + share * (high - low);
    const text = formatValue(value, field.unit, field.decimals);
    return `<line x1="${LEFT}" x2="${width - 10}" y1="${y(value)}" y2="${y(value)}" class="grid"/><text x="${LEFT - 6}" y="${y(value) + 4}" text-anchor="end">${text}</text>`;
  });
  const ticks = [0.05, 0.35, 0.65, 0.95].map((share) => {
    const at = range.from + share * (range.to - range.from);
    const clock = new Date(at * 1000).toISOString().slice(11, 16);
    return `<text x="${x(at)}" y="${height - 4}" text-anchor="middle">${clock}</text>`;
  });
  return { x, y, svg: [...lines, ...ticks].join('') };
}

function drawLines(
  series: readonly Series[],
  field: Field,
  range: TimeRange,
  width: number,
  height: number,
): string {
  const isStacked = field.custom?.stacking?.mode === 'normal';
  const legendHeight = Math.min(3, Math.ceil(series.length / Math.max(1, Math.floor(width / 220)))) * 18 + 4;
  const sums = new Map<number, number>();
  const placed = series.map(({ name, points }) => ({
    name,
    points: points.map(([at, value]) => {
      const below = isStacked ? (sums.get(at) ?? 0) : 0;
      sums.set(at, below + value);
      return [at, below + value] as const;
    }),
  }));
  const values = placed.flatMap(({ points }) => points.map(([, value]) => value)).filter(Number.isFinite);
  if (values.length === 0) values.push(0);
  let low = field.min ?? Math.min(...values, isStacked ? 0 : Infinity);
  let high = field.max ?? Math.max(...values);
  if (high === low)
    [low, high] = low === 0 ? [0, 1] : [low - Math.abs(low) * 0.1, high + Math.abs(high) * 0.1];
  const { x, y, svg } = frame([low, high], field, range, width, height - legendHeight);
  const isPoints = field.custom?.showPoints === 'always';
  const marks = placed.map(({ points }, at) => {
    const color = PALETTE[at % PALETTE.length];
    const place = ([time, value]: readonly [number, number]) =>
      `${x(time).toFixed(1)},${y(value).toFixed(1)}`;
    const path = points.filter(([, value]) => Number.isFinite(value)).map(place);
    const dots = isPoints
      ? path
          .map((dot) => `<circle cx="${dot.split(',')[0]}" cy="${dot.split(',')[1]}" r="2" fill="${color}"/>`)
          .join('')
      : '';
    const lines = isPoints ? [path] : withoutGaps(points, range).map((part) => part.map(place));
    const drawn = lines.map(
      (part) => `<polyline points="${part.join(' ')}" fill="none" stroke="${color}" stroke-width="1.4"/>`,
    );
    return `${drawn.join('')}${dots}`;
  });
  return `<svg width="${width}" height="${height - legendHeight}">${svg}${marks.join('')}</svg>${legendOf(
    series.map(({ name }, at) => [name, PALETTE[at % PALETTE.length] ?? '']),
    legendHeight,
  )}`;
}

type Points = readonly (readonly [number, number])[];

/** Parts of a line between which nothing was found. */
function withoutGaps(points: Points, { from, to }: TimeRange): readonly Points[] {
  const parts: (readonly [number, number])[][] = [];
  points.forEach((point, at) => {
    const before = points[at - 1];
    if (before === undefined || point[0] - before[0] > (to - from) / 100) parts.push([]);
    if (Number.isFinite(point[1])) parts.at(-1)?.push(point);
  });
  return parts;
}

function legendOf(entries: readonly (readonly [string, string])[], height: number): string {
  const items = entries.map(
    ([name, color]) => `<span><i style="background:${color}"></i>${escapeHtml(name)}</span>`,
  );
  return `<div class="legend" style="height:${height}px">${items.join('')}</div>`;
}

function drawStates(
  series: readonly Series[],
  field: Field,
  range: TimeRange,
  width: number,
  height: number,
): string {
  const names = 190;
  const x = (at: number) => names + ((at - range.from) / (range.to - range.from)) * (width - names - 10);
  const step = Math.min(30, (height - 20) / series.length);
  const rows = series.map(({ name, points }, row) => {
    const bands: string[] = [];
    let begin = 0;
    points.forEach(([at, value], index) => {
      const next = points[index + 1];
      if (next !== undefined && next[1] === value) return;
      const first = points[begin]?.[0] ?? at;
      const { text, color } = shown(value, field);
      const [left, right] = [x(first), x(next?.[0] ?? at)];
      const fits = right - left > text.length * 7;
      bands.push(
        `<rect x="${left}" y="${row * step + 2}" width="${Math.max(1, right - left)}" height="${step * 0.8}" fill="${colorOf(color)}"/>${fits ? `<text x="${left + 6}" y="${row * step + step / 2 + 3}" style="fill:#111">${escapeHtml(text)}</text>` : ''}`,
      );
      begin = index + 1;
    });
    return `<text x="${names - 8}" y="${row * step + step / 2 + 3}" text-anchor="end">${escapeHtml(name.length > 30 ? `${name.slice(0, 29)}…` : name)}</text>${bands.join('')}`;
  });
  return `<svg width="${width}" height="${height}">${rows.join('')}</svg>`;
}

function drawScatter(
  panel: LintedPanel,
  series: readonly Series[],
  defaults: Field,
  width: number,
  height: number,
): string {
  const { renameByName = {} } = ((panel.transformations ?? []).find(({ id }) => id === 'organize')?.options ??
    {}) as {
    readonly renameByName?: Readonly<Record<string, string>>;
  };
  const [xName = '', yName = ''] = Object.values(renameByName);
  const key = (labels: Series['labels']) => JSON.stringify(Object.entries(labels).toSorted());
  const ys = new Map(
    series.filter(({ query }) => query === 1).map(({ labels, points }) => [key(labels), points.at(-1)?.[1]]),
  );
  const points = series
    .filter(({ query }) => query === 0)
    .flatMap(({ labels, points: own }) => {
      const [at, value] = [own.at(-1)?.[1], ys.get(key(labels))];
      return at === undefined || value === undefined ? [] : [{ at, value }];
    });
  if (points.length === 0) return '<div class="nothing">No data</div>';
  const xField = { ...defaults, decimals: undefined, ...overridesOf(panel, xName) };
  const span = (values: readonly number[]) => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const margin = (high - low || Math.abs(high) || 1) * 0.1;
    return [low >= 0 ? Math.max(0, low - margin) : low - margin, high + margin] as const;
  };
  const [left, right] = span(points.map(({ at }) => at));
  const [low, high] = span(points.map(({ value }) => value));
  const plot = { width: width - LEFT - 20, height: height - 40 };
  const x = (at: number) => LEFT + ((at - left) / (right - left)) * plot.width;
  const y = (value: number) => 4 + (1 - (value - low) / (high - low)) * plot.height;
  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const [value, at] = [low + share * (high - low), left + share * (right - left)];
    return `<line x1="${LEFT}" x2="${width - 20}" y1="${y(value)}" y2="${y(value)}" class="grid"/><text x="${LEFT - 6}" y="${y(value) + 4}" text-anchor="end">${formatValue(value, defaults.unit, defaults.decimals)}</text><text x="${x(at)}" y="${height - 20}" text-anchor="middle">${formatValue(at, xField.unit, xField.decimals)}</text>`;
  });
  const dots = points.map(
    ({ at, value }) => `<circle cx="${x(at)}" cy="${y(value)}" r="5" fill="${PALETTE[0]}"/>`,
  );
  const names = `<text x="${LEFT + plot.width / 2}" y="${height - 4}" text-anchor="middle">${escapeHtml(xName)}</text><text transform="translate(12,${plot.height / 2}) rotate(-90)" text-anchor="middle">${escapeHtml(yName)}</text>`;
  return `<svg width="${width}" height="${height}">${grid.join('')}${dots.join('')}${names}</svg>`;
}
