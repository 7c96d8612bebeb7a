import { formatBytes, formatSeconds } from '../../core/units.ts';
import type { AccuracyFigures } from '../../jobs/search/measured-candidate.ts';
import type { CandidateResult, SearchResult } from '../../jobs/search/search-result.ts';
import { escapeXml } from '../escape-xml.ts';
import { type Axis, linearAxis } from '../figure-axis.ts';

const WIDTH = 900;
const HEIGHT = 480;
const PLOT = { left: 70, right: 850, top: 24, bottom: 430 };
/** Radii of the smallest and the largest file. */
const RADII = { least: 5, most: 16 };
/** About what a label takes, so that none is written over another. */
const LABEL = { width: 260, height: 14 };

interface Placed {
  readonly candidate: CandidateResult;
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

type Timed = CandidateResult & Required<Pick<CandidateResult, 'accuracy' | 'latency' | 'sizeBytes'>>;

/**
 * The timed candidates as points: latency to the right, SQNR upwards, the area by the size of the file, and the class by how
 * surely the budget is kept. The line joins those that none beats in latency and SQNR. Colours come from the style of the page.
 */
export function renderSearchChart({ candidates }: Pick<SearchResult, 'candidates'>): string {
  const timed = candidates.filter(isTimed);
  if (timed.length === 0) return '<p class="faint">No latency was measured, so there is no picture.</p>';
  const float32Seconds = timed[0]?.latency.float32Seconds ?? 0;
  const x = axisOf([...timed.map(({ latency }) => latency.medianSeconds), float32Seconds], 0);
  const decibels = timed.flatMap(({ accuracy }) => accuracy.sqnrDb ?? []);
  const y = axisOf(decibels.length === 0 ? [0] : decibels, 2);
  const xOf = (value: number) => PLOT.left + (PLOT.right - PLOT.left - x.place(value));
  const most = Math.max(...timed.map(({ sizeBytes }) => sizeBytes));
  const placed = timed.map((candidate): Placed => {
    const { sqnrDb } = candidate.accuracy;
    return {
      candidate,
      x: xOf(candidate.latency.medianSeconds),
      // Where nothing differs there is no ratio, and nothing is more accurate.
      y: sqnrDb === null ? PLOT.top : PLOT.top + y.place(sqnrDb),
      radius: Math.max(RADII.least, RADII.most * Math.sqrt(candidate.sizeBytes / most)),
    };
  });
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="SQNR against latency of the candidates">`,
    ...x.ticks.map((tick) => verticalLine(xOf(tick), formatSeconds(tick))),
    ...y.ticks.map((tick) => horizontalLine(PLOT.top + y.place(tick), String(Math.round(tick * 10) / 10))),
    words((PLOT.left + PLOT.right) / 2, HEIGHT - 8, 'latency of one query', 'label middle'),
    `<text class="label middle" transform="translate(16 ${(PLOT.top + PLOT.bottom) / 2}) rotate(-90)">SQNR of the outputs, dB</text>`,
    `<line class="float32" x1="${at(xOf(float32Seconds))}" x2="${at(xOf(float32Seconds))}" y1="${PLOT.top}" y2="${PLOT.bottom}"/>`,
    words(xOf(float32Seconds), PLOT.top - 6, 'float32', 'label middle'),
    frontLine(placed),
    ...placed.toSorted((a, b) => b.radius - a.radius).map(point),
    ...labels(placed),
    '</svg>',
  ].join('\n');
}

function isTimed(candidate: CandidateResult): candidate is Timed {
  const { accuracy, latency, sizeBytes } = candidate;
  return accuracy !== undefined && latency !== undefined && sizeBytes !== undefined;
}

/** With some room above and below, so that no point lies on the edge. */
function axisOf(values: readonly number[], room: number): Axis {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const margin = Math.max(room, (most - least) * 0.08, most * 0.02, 1e-9);
  const length = room === 0 ? PLOT.right - PLOT.left : PLOT.bottom - PLOT.top;
  return linearAxis(Math.max(0, least - margin), most + margin, length);
}

function point({ candidate, x, y, radius }: Placed): string {
  const { label, accuracy, latency, sizeBytes, isChosen } = candidate;
  const figures = `${label}: ${formatSeconds(latency?.medianSeconds ?? 0)}, ${signalWords(accuracy)}, ${formatBytes(sizeBytes ?? 0)}`;
  const kind = `point ${accuracy?.standing ?? ''}${isChosen ? ' chosen' : ''}`;
  return `<circle class="${kind}" cx="${at(x)}" cy="${at(y)}" r="${at(radius)}"><title>${escapeXml(figures)}</title></circle>`;
}

function signalWords(accuracy: AccuracyFigures | undefined): string {
  const sqnrDb = accuracy?.sqnrDb ?? null;
  return sqnrDb === null ? 'no difference from float32' : `${sqnrDb.toFixed(1)} dB`;
}

/** Steps from the fastest to the most accurate. */
function frontLine(placed: readonly Placed[]): string {
  const sorted = placed.toSorted((a, b) => a.x - b.x || a.y - b.y);
  const front = sorted.filter(({ y }, at) => sorted.slice(0, at).every((before) => before.y > y));
  const [first, ...rest] = front;
  if (first === undefined) return '';
  const steps = rest.map(({ x, y }) => `H${at(x)}V${at(y)}`).join('');
  return `<path class="front" d="M${at(first.x)} ${PLOT.bottom}V${at(first.y)}${steps}H${PLOT.right}"/>`;
}

/** Beside their points, moved down where they would lie on one another. The chosen one has its name for sure. */
function labels(placed: readonly Placed[]): readonly string[] {
  const taken: { readonly x: number; readonly y: number }[] = [];
  const inOrder = placed.toSorted((a, b) => Number(b.candidate.isChosen) - Number(a.candidate.isChosen));
  return inOrder.map(({ candidate, x, y, radius }) => {
    const isRight = x > PLOT.right - LABEL.width;
    let height = y + 4;
    const isTaken = (of: { readonly x: number; readonly y: number }) =>
      Math.abs(of.y - height) < LABEL.height && Math.abs(of.x - x) < LABEL.width;
    while (taken.some(isTaken)) height += LABEL.height;
    taken.push({ x, y: height });
    const from = x + (isRight ? -1 : 1) * (radius + 5);
    return words(
      from,
      height,
      candidate.label,
      `name${isRight ? ' end' : ''}${candidate.isChosen ? ' strong' : ''}`,
    );
  });
}

function verticalLine(x: number, label: string): string {
  return `<line class="grid" x1="${at(x)}" x2="${at(x)}" y1="${PLOT.top}" y2="${PLOT.bottom}"/>${words(x, PLOT.bottom + 18, label, 'label middle')}`;
}

function horizontalLine(y: number, label: string): string {
  return `<line class="grid" x1="${PLOT.left}" x2="${PLOT.right}" y1="${at(y)}" y2="${at(y)}"/>${words(PLOT.left - 8, y + 4, label, 'label end')}`;
}

function words(x: number, y: number, text: string, kind: string): string {
  return `<text class="${kind}" x="${at(x)}" y="${at(y)}">${escapeXml(text)}</text>`;
}

function at(coordinate: number): string {
  return coordinate.toFixed(1);
}
