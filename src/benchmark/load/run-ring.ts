import { VALUES_PER_RUN } from './run-records.ts';

/**
 * A queue of finished runs from one lane to whoever collects them, in shared memory: the lane writes without waiting, without
 * a message and without garbage, and the collector takes what is there now and then.
 */
export interface RunRing {
  readonly values: Float64Array<SharedArrayBuffer>;
  /** How many runs were written and taken in all. */
  readonly counts: Int32Array<SharedArrayBuffer>;
}

const WRITTEN = 0;
const TAKEN = 1;

/** A quarter of a second of the shortest runs that there are, so that it is soon touched as a whole and memory does not seem to creep. */
const CAPACITY = 2 ** 16;

/** @param capacity a power of two, so that the counts may wrap around */
export function createRunRing(capacity = CAPACITY): RunRing {
  const bytes = capacity * VALUES_PER_RUN * Float64Array.BYTES_PER_ELEMENT;
  return {
    values: new Float64Array(new SharedArrayBuffer(bytes)),
    counts: new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)),
  };
}

/** Adds a run. Where the ring is full, waits until the collector has taken some: nothing is dropped. */
export function pushRun(
  { values, counts }: RunRing,
  run: number,
  dueNs: number,
  readyNs: number,
  startNs: number,
  doneNs: number,
): void {
  const capacity = values.length / VALUES_PER_RUN;
  const written = Atomics.load(counts, WRITTEN);
  for (let taken = Atomics.load(counts, TAKEN); (written - taken) >>> 0 >= capacity; ) {
    Atomics.wait(counts, TAKEN, taken, 100);
    taken = Atomics.load(counts, TAKEN);
  }
  const at = ((written >>> 0) % capacity) * VALUES_PER_RUN;
  values[at] = run;
  values[at + 1] = dueNs;
  values[at + 2] = readyNs;
  values[at + 3] = startNs;
  values[at + 4] = doneNs;
  Atomics.store(counts, WRITTEN, (written + 1) | 0);
}

/** Takes what is in the ring, as interleaved values. */
export function takeRuns({ values, counts }: RunRing): Float64Array {
  const capacity = values.length / VALUES_PER_RUN;
  const written = Atomics.load(counts, WRITTEN);
  const taken = Atomics.load(counts, TAKEN);
  const count = (written - taken) >>> 0;
  const out = new Float64Array(count * VALUES_PER_RUN);
  const first = (taken >>> 0) % capacity;
  const beforeEnd = Math.min(count, capacity - first);
  out.set(values.subarray(first * VALUES_PER_RUN, (first + beforeEnd) * VALUES_PER_RUN));
  out.set(values.subarray(0, (count - beforeEnd) * VALUES_PER_RUN), beforeEnd * VALUES_PER_RUN);
  Atomics.store(counts, TAKEN, written);
  Atomics.notify(counts, TAKEN);
  return out;
}
