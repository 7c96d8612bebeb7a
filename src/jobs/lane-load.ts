import { createLoadBoard, type LoadBoard, stopLoad } from '../benchmark/load/load-board.ts';
import { sharedPlan } from '../benchmark/load/load-plan.ts';
import { takeRuns } from '../benchmark/load/run-ring.ts';
import type { LoadGenerator } from '../benchmark/load-generator.ts';
import { mergeOutputChecks } from '../benchmark/output-check.ts';
import type { Clock } from '../core/clock.ts';
import type { Problem } from '../core/problem.ts';
import { ok, type Result } from '../core/result.ts';
import type { BenchLane, LaneCheck, LaneReady } from './bench-lane.ts';

/** A generator whose load can be ended from outside. */
export interface StoppableGenerator extends LoadGenerator {
  /** Ends the load under way, if there is one, after the runs that its lanes are at. */
  stop(): void;
  /** One after another, as sessions of some devices must not be made side by side. */
  check(): Promise<Result<LaneCheck, Problem>>;
}

/** How often finished runs are collected: seldom enough to leave the lanes alone, often enough for the ring of the fastest. */
const COLLECT_MS = 250;
/**
 * After how many collections they are handed on, which costs this process and its parent a millisecond of some CPU for 8,000
 * runs: every second, so that no more is lost with a process, and in a round of less than that when it is over.
 */
const COLLECTIONS_TO_HAND_ON = 4;

/** Lanes get their load before it starts, so that none is late for it. */
const START_AHEAD_NS = 5_000_000n;

/** Joins lanes that are ready to a load generator. */
export function generateByLanes(
  lanes: readonly BenchLane[],
  { sampleCount, shapeSamples }: LaneReady,
  samplesPerRun: number,
  clock: Clock,
): StoppableGenerator {
  let boards: readonly LoadBoard[] = [];
  return {
    laneCount: lanes.length,
    sampleCount,
    samplesPerRun,
    shapeSamples,
    stop: () => {
      for (const board of boards) stopLoad(board);
    },
    check: async () => {
      const checks: LaneCheck[] = [];
      for (const lane of lanes) {
        const check = await lane.check();
        if (!check.ok) return check;
        checks.push(check.value);
      }
      return ok({
        outputCheck: mergeOutputChecks(checks.map(({ outputCheck }) => outputCheck)),
        profile: checks[0]?.profile ?? null,
      });
    },
    run: async (given, onRuns, { onEveryLane = false, keepOutputs = false } = {}) => {
      const plan = sharedPlan(given);
      const shared = createLoadBoard();
      const perLane = lanes.map(() => (onEveryLane ? createLoadBoard() : shared));
      boards = perLane;
      const collected: Float64Array[] = [];
      let collections = 0;
      const handOn = () => {
        for (const runs of collected.splice(0)) onRuns(runs);
      };
      const collect = () => {
        for (const { ring } of lanes) collected.push(takeRuns(ring));
        collections += 1;
        if (collections % COLLECTIONS_TO_HAND_ON === 0) handOn();
      };
      const timer = setInterval(collect, COLLECT_MS);
      const startNs = clock.nowNs() + START_AHEAD_NS;
      const answers = await Promise.all(
        lanes.map((lane, index) =>
          lane.run({ plan, board: perLane[index] as LoadBoard, startNs, keepOutputs }),
        ),
      );
      clearInterval(timer);
      collect();
      handOn();
      boards = [];
      for (const answer of answers) if (!answer.ok) return answer;
      return ok({ startNs });
    },
  };
}
