import type { Clock } from '../core/clock.ts';

/** Small models answer thousands of samples a second, which nobody wants to be told one by one. */
const PROGRESS_INTERVAL_NS = 50_000_000n;

/** Says whether to tell how far work has come: at the first call, then once an interval, and at the end. */
export function isProgressDue(clock: Clock): (done: number, total: number) => boolean {
  let dueNs = clock.nowNs();
  return (done, total) => {
    const nowNs = clock.nowNs();
    if (done < total && nowNs < dueNs) return false;
    dueNs = nowNs + PROGRESS_INTERVAL_NS;
    return true;
  };
}
