import { type Step, secondsWithin } from './steps.ts';

/**
 * A value that goes up and down, over a span: its mean over time and its extremes, as if it had gone straight from sample to sample.
 * At the ends of the span it is interpolated.
 */
export class Gauge {
  #area = 0;
  #seconds = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  /** @param from  the value at the sample before, `to` at that after the step */
  add(step: Step<unknown>, from: number, to: number): void {
    const first = from + (to - from) * step.start;
    const last = from + (to - from) * step.end;
    const seconds = secondsWithin(step);
    this.#area += ((first + last) / 2) * seconds;
    this.#seconds += seconds;
    this.#min = Math.min(this.#min, first, last);
    this.#max = Math.max(this.#max, first, last);
  }

  /** As `add`; nothing where either value is not known. */
  addKnown(step: Step<unknown>, from: number | undefined, to: number | undefined): void {
    if (from !== undefined && to !== undefined) this.add(step, from, to);
  }

  /** Undefined where it was never known. */
  figures(): { readonly mean: number; readonly min: number; readonly max: number } | undefined {
    if (this.#seconds === 0) return undefined;
    return { mean: this.#area / this.#seconds, min: this.#min, max: this.#max };
  }
}
