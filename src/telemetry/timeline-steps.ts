import { secondsBetween } from '../core/clock.ts';
import { earlier, later } from './timeline/ticks.ts';

/** One source's reading at one instant. */
export interface Sample<T> {
  readonly tickNs: bigint;
  readonly value: T;
}

/** Two neighbouring samples and how much of the time between them lies within a span. */
export interface Step<T> {
  readonly from: Sample<T>;
  readonly to: Sample<T>;
  readonly seconds: number;
  /** 0 to 1. */
  readonly share: number;
}

export interface TimeSpan {
  readonly startNs: bigint;
  readonly endNs: bigint;
}

/** The steps that overlap a span. `samples` are in the order of their ticks. */
export function stepsWithin<T>(samples: readonly Sample<T>[], span: TimeSpan): Step<T>[] {
  const steps: Step<T>[] = [];
  const first = firstIndexAfter(samples, span.startNs);
  for (let index = Math.max(first, 1); index < samples.length; index += 1) {
    const from = samples[index - 1];
    const to = samples[index];
    if (from === undefined || to === undefined || from.tickNs >= span.endNs) break;
    const seconds = secondsBetween(from.tickNs, to.tickNs);
    const overlap = secondsBetween(later(from.tickNs, span.startNs), earlier(to.tickNs, span.endNs));
    if (overlap > 0) steps.push({ from, to, seconds, share: overlap / seconds });
  }
  return steps;
}

/** The samples taken within a span, both ends included. */
export function samplesWithin<T>(samples: readonly Sample<T>[], span: TimeSpan): readonly Sample<T>[] {
  return samples.slice(firstIndexAfter(samples, span.startNs - 1n), firstIndexAfter(samples, span.endNs));
}

/**
 * Growth of a counter over steps. A step that lies partly within the span counts in proportion, as if the counter had
 * grown evenly between the two samples.
 * @param growth  how much the counter grew from one reading to the next; see `growthOf` and `growthOrReset`
 */
export function totalGrowth<T>(steps: readonly Step<T>[], growth: (step: Step<T>) => number): number {
  return steps.reduce((sum, step) => sum + growth(step) * step.share, 0);
}

/** For counters that cannot start again while the host runs. The kernel lets some step back a little (iowait): no growth. */
export function growthOf(before: number, after: number): number {
  return Math.max(0, after - before);
}

/** For counters whose source can be replaced: one that fell began again at zero. */
export function growthOrReset(before: number, after: number): number {
  return after >= before ? after - before : after;
}

/** Time of the span that lies between samples, in seconds. `steps` are those of the span, which follow one another. */
export function coveredSeconds(steps: readonly Step<unknown>[], span: TimeSpan): number {
  const first = steps[0];
  const last = steps.at(-1);
  if (first === undefined || last === undefined) return 0;
  return secondsBetween(later(first.from.tickNs, span.startNs), earlier(last.to.tickNs, span.endNs));
}

/**
 * A gauge's values within a span: those sampled there, or, in a span that fell between two samples, the one value
 * interpolated at its middle. Empty when the span is not covered.
 */
export function gaugeWithin<T>(
  samples: readonly Sample<T>[],
  span: TimeSpan,
  read: (value: T) => number,
): readonly number[] {
  const inside = samplesWithin(samples, span);
  if (inside.length > 0) return inside.map((sample) => read(sample.value));
  const [step] = stepsWithin(samples, span);
  if (step === undefined || step.from.tickNs > span.startNs || step.to.tickNs < span.endNs) return [];
  const position =
    (secondsBetween(step.from.tickNs, span.startNs) + secondsBetween(step.from.tickNs, span.endNs)) / 2;
  const before = read(step.from.value);
  return [before + (read(step.to.value) - before) * (position / step.seconds)];
}

/** Index of the first sample taken after `timeNs`. */
function firstIndexAfter(samples: readonly Sample<unknown>[], timeNs: bigint): number {
  let low = 0;
  let high = samples.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((samples[middle]?.tickNs ?? 0n) <= timeNs) low = middle + 1;
    else high = middle;
  }
  return low;
}
