/**
 * What the lanes of one load share: counters that they change atomically, in memory that all of their threads see. One
 * board serves one load.
 */
export interface LoadBoard {
  /** See the indices below. */
  readonly control: Int32Array<SharedArrayBuffer>;
  /** One value: when the query under way was issued, nanoseconds since the start of the load. */
  readonly issuedNs: Float64Array<SharedArrayBuffer>;
}

/** The run that is claimed next. */
const NEXT = 0;
/** How many runs are complete. */
const FINISHED = 1;
/** Not 0 once the load is to end. */
const STOPPED = 2;
/** The query that may be worked on, where queries follow one another. */
const RELEASED = 3;

export function createLoadBoard(): LoadBoard {
  return {
    control: new Int32Array(new SharedArrayBuffer(4 * Int32Array.BYTES_PER_ELEMENT)),
    issuedNs: new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT)),
  };
}

/** The index of a run that nobody else has. */
export function claimRun({ control }: LoadBoard): number {
  return Atomics.add(control, NEXT, 1);
}

/** Counts a run as complete; the number of runs that now are. */
export function countFinished({ control }: LoadBoard): number {
  return Atomics.add(control, FINISHED, 1) + 1;
}

export function isStopped({ control }: LoadBoard): boolean {
  return Atomics.load(control, STOPPED) !== 0;
}

/** Ends the load: lanes finish the run that they are at, and those that wait go. */
export function stopLoad({ control }: LoadBoard): void {
  Atomics.store(control, STOPPED, 1);
  Atomics.notify(control, STOPPED);
  Atomics.notify(control, RELEASED);
}

/** Lets the lanes go on to `query`, issued at `issuedNs`. */
export function releaseQuery(board: LoadBoard, query: number, issuedNs: number): void {
  board.issuedNs[0] = issuedNs;
  Atomics.store(board.control, RELEASED, query);
  Atomics.notify(board.control, RELEASED);
}

/** Waits until `query` is released or the load is stopped; when it was issued. Blocks its thread. */
export function awaitQuery(board: LoadBoard, query: number): number {
  const { control, issuedNs } = board;
  while (!isStopped(board)) {
    const released = Atomics.load(control, RELEASED);
    if (released >= query) break;
    Atomics.wait(control, RELEASED, released, MOST_SLEEP_MS);
  }
  return issuedNs[0] as number;
}

/** Sleeps up to `milliseconds`; wakes when the load is stopped. Blocks its thread. */
export function sleepUnlessStopped({ control }: LoadBoard, milliseconds: number): void {
  Atomics.wait(control, STOPPED, 0, milliseconds);
}

/** A lane that went to sleep just after it was told to stop looks again after this time. */
const MOST_SLEEP_MS = 100;
