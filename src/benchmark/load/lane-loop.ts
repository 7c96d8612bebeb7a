import type { LaneClock } from './lane-clock.ts';
import {
  awaitQuery,
  claimRun,
  countFinished,
  isStopped,
  type LoadBoard,
  releaseQuery,
  stopLoad,
} from './load-board.ts';
import type { LoadLimits, LoadPlan, Pacing } from './load-plan.ts';
import { pushRun, type RunRing } from './run-ring.ts';

export interface Lane {
  readonly board: LoadBoard;
  readonly ring: RunRing;
  readonly clock: LaneClock;
  /** Makes a sample ready to be run. Not timed, but a query that is due waits for it. */
  readonly stage: (sample: number) => void;
  /** Runs the model once on the sample that was staged last; blocks until it is done. */
  readonly run: (sample: number) => void;
  /** Told of a run that is over, where nothing is timed; `dueNs` where it came by a schedule or a query that it is a part of. */
  readonly ran?: (startNs: number, doneNs: number, dueNs: number | undefined) => void;
}

/**
 * Carries out one lane's part of a load: claims the next run, waits until it is due, runs the model, writes down when.
 * Lanes take runs in the order in which they are due, so that k of them are a queue with k servers, and a run that starts late
 * because the system was busy counts from the moment when it was due (no coordinated omission). Blocks until the load is over.
 * Between the two readings of the clock lies the call of the model and nothing else.
 */
export function runLane(plan: LoadPlan, { board, ring, clock, stage, run, ran }: Lane): void {
  const { pacing, limits, order } = plan;
  const planned = pacing.kind === 'scheduled' ? pacing.dueNs.length : limits.maxRuns;
  while (!isStopped(board)) {
    const claimed = claimRun(board);
    if (claimed >= planned) return;
    const sample = order[claimed % order.length] as number;
    stage(sample);
    const readyNs = clock.nowNs();
    const dueNs = awaitDue(pacing, claimed, board, clock);
    if (isStopped(board)) return;
    const startNs = clock.nowNs();
    run(sample);
    const doneNs = clock.nowNs();
    pushRun(ring, claimed, dueNs ?? startNs, readyNs, startNs, doneNs);
    ran?.(startNs, doneNs, dueNs);
    finishRun(plan, board, claimed, doneNs, clock);
  }
}

/** Waits until a run is due; when it was, or undefined where it is as soon as it is claimed. */
function awaitDue(pacing: Pacing, run: number, board: LoadBoard, clock: LaneClock): number | undefined {
  switch (pacing.kind) {
    case 'closed':
      return undefined;
    case 'at-once':
      return 0;
    case 'grouped':
      return awaitQuery(board, Math.floor(run / pacing.runsPerQuery));
    case 'scheduled': {
      const dueNs = pacing.dueNs[run] as number;
      clock.waitUntilNs(dueNs);
      return dueNs;
    }
  }
}

/** Ends the load where it has reached its limits, and lets the next query begin where the last is complete. */
function finishRun(
  { pacing, limits }: LoadPlan,
  board: LoadBoard,
  run: number,
  doneNs: number,
  clock: LaneClock,
): void {
  const finished = countFinished(board);
  switch (pacing.kind) {
    case 'closed':
      if (isEnough(limits, finished, doneNs)) stopLoad(board);
      return;
    case 'grouped':
      if (finished % pacing.runsPerQuery !== 0) return;
      if (isEnough(limits, finished, doneNs)) stopLoad(board);
      // Now, and not when this run was done: a run that was counted before may have been done after it.
      else releaseQuery(board, Math.floor(run / pacing.runsPerQuery) + 1, clock.nowNs());
      return;
    case 'at-once':
    case 'scheduled':
      if (doneNs >= limits.maxDurationNs) stopLoad(board);
  }
}

function isEnough({ minRuns, maxRuns, minDurationNs, maxDurationNs }: LoadLimits, runs: number, ns: number) {
  return (runs >= minRuns && ns >= minDurationNs) || runs >= maxRuns || ns >= maxDurationNs;
}
