import {
  FEWEST_FOR_TREND,
  type TrendInterval,
  trendOfLevel,
  trendOfSum,
} from '../statistics/trend-interval.ts';
import type { SoakWindow } from './soak-window.ts';

/** What may creep: grow slowly, and go on growing. */
export const CREEP_FIGURES = ['median-latency', 'p99-latency', 'resident-memory'] as const;

export type CreepFigure = (typeof CREEP_FIGURES)[number];

/**
 * `levelled-off` grew, but no longer did in the second half, as where something changed once; `steady` never means that nothing
 * grows: the interval says how much may have gone unseen.
 */
type CreepOutcome = 'creeps' | 'levelled-off' | 'steady' | 'too-few-windows' | 'not-measured';

/** Whether a figure creeps. Growth is in seconds or bytes, per hour. */
export interface Creep {
  readonly figure: CreepFigure;
  readonly outcome: CreepOutcome;
  /** Windows that were looked at: whole ones, without the first. */
  readonly windows: number;
  readonly perHour: TrendInterval | null;
  /** Growth from the first to the last of these windows, relative to the first of them. */
  readonly change: TrendInterval | null;
  readonly confidence: number;
}

const CONFIDENCE = 0.95;
/** Three figures are looked at, each for growth alone: in 5 of 100 soaks one may be blamed for nothing. */
const CLAIM_CONFIDENCE = 1 - 0.1 / CREEP_FIGURES.length;

/** Less growth over a soak than this is nobody's concern. */
const SMALLEST_CHANGE = 0.02;
const SMALLEST_BYTES_PER_HOUR = 2 ** 20;

/** A second half that grows at less than this share of the whole's pace has levelled off. */
const GOES_ON = 1 / 3;

/**
 * Looks for growth of median and 99th percentile of latency, and of resident memory, over the windows of a soak. The first
 * window is left out, where caches and heaps fill. A figure creeps when its trend is above 0 at 98.3 % (one-sided), is at least
 * 2 % over the soak, for memory at least 1 MiB an hour as well, and goes on in the second half.
 */
export function findCreep(windows: readonly SoakWindow[]): readonly Creep[] {
  const looked = windows.filter(({ complete, index }) => complete && index > 0);
  return CREEP_FIGURES.map((figure) => judge(figure, looked));
}

function judge(figure: CreepFigure, windows: readonly SoakWindow[]): Creep {
  const values = windows.flatMap((window) => figureOf(window, figure) ?? []);
  const told = { figure, windows: windows.length, confidence: CONFIDENCE };
  const untold = { ...told, perHour: null, change: null };
  if (windows.length < FEWEST_FOR_TREND) return { ...untold, outcome: 'too-few-windows' };
  if (values.length < windows.length) return { ...untold, outcome: 'not-measured' };
  const isMemory = figure === 'resident-memory';
  const trendOf = isMemory ? trendOfSum : trendOfLevel;
  const perWindow = trendOf(values, CONFIDENCE) as TrendInterval;
  const perHour = scaled(perWindow, 3600 / windowSeconds(windows));
  const change = scaled(perWindow, (values.length - 1) / beginning(values));
  const isLarge =
    change.estimate >= SMALLEST_CHANGE && (!isMemory || perHour.estimate >= SMALLEST_BYTES_PER_HOUR);
  const isSure = (trendOf(values, CLAIM_CONFIDENCE) as TrendInterval).lower > 0;
  const secondHalf = slopeOf(values.slice(Math.floor(values.length / 2)));
  const goesOn = secondHalf >= slopeOf(values) * GOES_ON;
  const outcome = !isLarge || !isSure ? 'steady' : goesOn ? 'creeps' : 'levelled-off';
  return { ...told, outcome, perHour, change };
}

function figureOf({ p50Seconds, p99Seconds, rssBytes }: SoakWindow, figure: CreepFigure): number | null {
  switch (figure) {
    case 'median-latency':
      return p50Seconds;
    case 'p99-latency':
      return p99Seconds;
    case 'resident-memory':
      return rssBytes;
  }
}

/** From the beginning of one window to that of the next, on average. */
function windowSeconds(windows: readonly SoakWindow[]): number {
  const [first, last] = [windows[0] as SoakWindow, windows.at(-1) as SoakWindow];
  return (last.startSeconds - first.startSeconds) / (windows.length - 1);
}

/** The median of the first quarter. */
function beginning(values: readonly number[]): number {
  const sorted = values.slice(0, Math.ceil(values.length / 4)).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

/** By least squares, per value. */
function slopeOf(values: readonly number[]): number {
  const centre = (values.length - 1) / 2;
  let products = 0;
  let squares = 0;
  for (const [index, value] of values.entries()) {
    products += (index - centre) * value;
    squares += (index - centre) ** 2;
  }
  return products / squares;
}

function scaled({ estimate, lower, upper }: TrendInterval, factor: number): TrendInterval {
  return { estimate: estimate * factor, lower: lower * factor, upper: upper * factor };
}
