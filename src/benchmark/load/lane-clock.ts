import { isStopped, type LoadBoard, sleepUnlessStopped } from './load-board.ts';

/** Time as a lane sees it: nanoseconds since the start of its load. */
export interface LaneClock {
  nowNs(): number;
  /** Returns at `dueNs`, at once when that is over, or early when the load is stopped. May block the thread. */
  waitUntilNs(dueNs: number): void;
}

/** A sleep ends up to some hundred microseconds late; what is left of the time is spent looking at the clock. */
const SPIN_NS = 1_000_000;

/**
 * The clock of a lane in a thread of its own.
 * @param nowNs monotonic nanoseconds, as `Clock.nowNs`
 * @param originNs the start of the load on that clock
 */
export function createLaneClock(nowNs: () => bigint, originNs: bigint, board: LoadBoard): LaneClock {
  const elapsedNs = () => Number(nowNs() - originNs);
  return {
    nowNs: elapsedNs,
    waitUntilNs: (dueNs) => {
      let remainingNs = dueNs - elapsedNs();
      while (remainingNs > SPIN_NS && !isStopped(board)) {
        sleepUnlessStopped(board, (remainingNs - SPIN_NS) / 1e6);
        remainingNs = dueNs - elapsedNs();
      }
      while (elapsedNs() < dueNs && !isStopped(board));
    },
  };
}
