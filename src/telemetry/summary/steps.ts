import { secondsBetween } from '../../core/clock.ts';
import { earlier, later } from '../timeline/ticks.ts';

/** One source's reading at one instant. */
export interface Sample<T> {
  readonly tickNs: bigint;
  readonly value: T;
}

/** Two neighbouring samples, and which part of the time between them lies within a span. */
export interface Step<T> {
  readonly from: Sample<T>;
  readonly to: Sample<T>;
  readonly seconds: number;
  /** Where the part begins and ends, 0 at `from` and 1 at `to`. */
  readonly start: number;
  readonly end: number;
}

export interface TimeSpan {
  readonly startNs: bigint;
  readonly endNs: bigint;
}

/** Gathers what one source tells of one span, step by step. Holds no samples, so that a span may be as long as it likes. */
export interface Fold<T, S> {
  /** Every step that overlaps the span for some time, in order. */
  step(step: Step<T>): void;
  /** Undefined where the source did not cover the span. */
  finish(): S | undefined;
}

/** The step between two samples; undefined where no time of it lies within the span. */
export function stepWithin<T>(from: Sample<T>, to: Sample<T>, span: TimeSpan): Step<T> | undefined {
  const startNs = later(from.tickNs, span.startNs);
  const endNs = earlier(to.tickNs, span.endNs);
  if (endNs <= startNs) return undefined;
  const seconds = secondsBetween(from.tickNs, to.tickNs);
  return {
    from,
    to,
    seconds,
    start: secondsBetween(from.tickNs, startNs) / seconds,
    end: secondsBetween(from.tickNs, endNs) / seconds,
  };
}

/** The part of a step that lies within the span, 0 to 1: of a counter's growth that much counts, as if it had grown evenly. */
export function shareOf({ start, end }: Step<unknown>): number {
  return end - start;
}

/** Seconds of a step that lie within the span. */
export function secondsWithin(step: Step<unknown>): number {
  return shareOf(step) * step.seconds;
}

/** For counters that cannot start again while the host runs. The kernel lets some step back a little (iowait): no growth. */
export function growthOf(before: number, after: number): number {
  return Math.max(0, after - before);
}

/** For counters whose source can be replaced: one that fell began again at zero. */
export function growthOrReset(before: number, after: number): number {
  return after >= before ? after - before : after;
}

/** For counters that begin again at zero above `wrap`. Of one that fell further than that nothing is known. */
export function growthOrWrap(before: number, after: number, wrap: number): number {
  return after >= before ? after - before : Math.max(0, after - before + wrap);
}
