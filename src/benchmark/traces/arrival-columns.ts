import { type ArrivalTrace, meanRate, type TraceSource, traceDurationNs } from './arrival-trace.ts';
import { emptyTrace, invalidTrace } from './trace-problem.ts';

const FIRST_CAPACITY = 1024;

/** What is known of a trace beside its arrivals. */
interface TraceFacts extends Pick<TraceSource, 'file' | 'format' | 'notes'> {
  /** Nanoseconds of the unit that its times are in. */
  readonly nsPerUnit: number;
}

/** Arrivals as they are read: 8 bytes each, 12 with samples, in arrays that double when they are full. */
export class ArrivalColumns {
  /** In the unit of the file, from any origin. */
  #times = new Float64Array(FIRST_CAPACITY);
  #samples: Uint32Array | undefined;
  #count = 0;
  #latest = Number.NEGATIVE_INFINITY;
  #late = 0;

  get count(): number {
    return this.#count;
  }

  /** The latest time so far; minus infinity where there is none. */
  get latest(): number {
    return this.#latest;
  }

  get hasSamples(): boolean {
    return this.#samples !== undefined;
  }

  /** Either every arrival has a sample or none. */
  add(time: number, sample?: number): void {
    if (this.#count === this.#times.length) this.#grow();
    if (time < this.#latest) this.#late += 1;
    else this.#latest = time;
    this.#times[this.#count] = time;
    if (sample !== undefined) {
      this.#samples ??= new Uint32Array(this.#times.length);
      this.#samples[this.#count] = sample;
    }
    this.#count += 1;
  }

  /**
   * The trace: in order, in nanoseconds from its first arrival. Arrivals at one time keep the order of the file. Throws a
   * `ProblemError`: `trace-empty`, `trace-invalid` for one that is too long to be told in whole nanoseconds.
   */
  finish({ file, format, notes, nsPerUnit }: TraceFacts): ArrivalTrace {
    if (this.#count === 0) throw emptyTrace(file);
    const samples = this.#sort();
    const dueNs = this.#times.slice(0, this.#count);
    const first = dueNs[0] as number;
    // The first arrival is subtracted in the unit of the file, in which times since 1970 are still exact.
    if ((this.#latest - first) * nsPerUnit > Number.MAX_SAFE_INTEGER) {
      throw invalidTrace(
        'from its first to its last arrival the trace takes more than 104 days',
        { file },
        'check the unit of its times, or cut it into parts',
      );
    }
    for (let i = 0; i < dueNs.length; i += 1)
      dueNs[i] = Math.round(((dueNs[i] as number) - first) * nsPerUnit);
    const order =
      this.#late === 0
        ? []
        : [`${this.#late} of ${this.#count} arrivals were out of order and have been sorted`];
    const source = {
      file,
      format,
      count: dueNs.length,
      durationNs: traceDurationNs({ dueNs }),
      meanRate: meanRate({ dueNs }),
      notes: [...order, ...notes],
    };
    return { dueNs, ...(samples === undefined ? {} : { samples }), source, changes: [] };
  }

  /** Puts the times in order where they are not; the samples in the same order. */
  #sort(): Uint32Array | undefined {
    const samples = this.#samples?.slice(0, this.#count);
    if (this.#late === 0) return samples;
    const times = this.#times.subarray(0, this.#count);
    // Without samples nothing tells arrivals at one time apart, and numbers alone sort many times faster.
    if (samples === undefined) {
      times.sort();
      return undefined;
    }
    // Sorting is stable, so that arrivals at one time keep their order.
    const order = Uint32Array.from(times, (_, at) => at);
    order.sort((a, b) => (times[a] as number) - (times[b] as number));
    times.set(Float64Array.from(order, (at) => times[at] as number));
    return Uint32Array.from(order, (at) => samples[at] as number);
  }

  #grow(): void {
    const capacity = 2 * this.#times.length;
    const times = new Float64Array(capacity);
    times.set(this.#times);
    this.#times = times;
    if (this.#samples === undefined) return;
    const samples = new Uint32Array(capacity);
    samples.set(this.#samples);
    this.#samples = samples;
  }
}
