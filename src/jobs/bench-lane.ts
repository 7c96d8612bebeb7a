import { parentPort, Worker, workerData } from 'node:worker_threads';
import { createLaneClock } from '../benchmark/load/lane-clock.ts';
import { runLane } from '../benchmark/load/lane-loop.ts';
import { type LoadBoard, stopLoad } from '../benchmark/load/load-board.ts';
import type { LoadPlan } from '../benchmark/load/load-plan.ts';
import { createRunRing, type RunRing } from '../benchmark/load/run-ring.ts';
import { systemClock } from '../core/clock.ts';
import { type Problem, ProblemError, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { openBareSession, toTensors } from '../runtime/bare-session.ts';
import { buildFeeds, firstOfEveryShape } from './bench-feeds.ts';
import { requireFile } from './open-model.ts';
import type { SutTask } from './sut-task.ts';
import { unwrap } from './unwrap.ts';

/** What a lane holds once it is ready. */
export interface LaneReady {
  readonly sampleCount: number;
  readonly shapeSamples: readonly number[];
  /** When its session was made, on the clock of `Clock.nowNs`. */
  readonly loadedNs: bigint;
}

interface LaneStart {
  readonly task: SutTask;
  readonly ring: RunRing;
}

interface LaneLoad {
  readonly plan: LoadPlan;
  readonly board: LoadBoard;
  readonly startNs: bigint;
}

type LaneAnswer = Result<unknown, Problem>;

/** A thread with a session of its own, as inference blocks the thread that it runs in. */
export interface BenchLane {
  readonly ring: RunRing;
  readonly ready: Promise<Result<LaneReady, Problem>>;
  /** Carries out its part of a load. A failure stops the load for all lanes of the board. */
  run(load: LaneLoad): Promise<Result<unknown, Problem>>;
}

/**
 * Starts a lane, which loads its model at once. Its thread ends with the process.
 * @param entry the compiled `bench-lane-main.js`
 */
export function startBenchLane(entry: URL, task: SutTask): BenchLane {
  const ring = createRunRing();
  const worker = new Worker(entry, { workerData: { task, ring } satisfies LaneStart });
  let ended: Problem | undefined;
  let settle: (answer: LaneAnswer) => void = () => {};
  const next = () =>
    new Promise<LaneAnswer>((resolve) => {
      settle = resolve;
      if (ended !== undefined) resolve(err(ended));
    });
  const end = (reason: Problem) => {
    ended ??= reason;
    settle(err(ended));
  };
  worker.on('message', (answer: LaneAnswer) => settle(answer));
  worker.on('error', (error: Error) =>
    end(problem('internal-fault', `a fault in ptq-agent itself: ${error.message}`)),
  );
  worker.on('exit', () =>
    end(
      problem('worker-crashed', 'a lane of the benchmark ended before its work was done', {
        hint: 'see whether a module of your own ends the process, as process.exit does',
      }),
    ),
  );
  return {
    ring,
    ready: next() as Promise<Result<LaneReady, Problem>>,
    run: (load) => {
      const answer = next();
      worker.postMessage(load);
      return answer;
    },
  };
}

/** The thread's own side. */
export async function benchLaneMain(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('a lane was started outside of a thread');
  const { task, ring } = workerData as LaneStart;
  const answer = (result: LaneAnswer) => port.postMessage(result);
  try {
    const { runs, ready } = await openRuns(task);
    port.on('message', ({ plan, board, startNs }: LaneLoad) => {
      const clock = createLaneClock(systemClock.nowNs, startNs, board);
      try {
        clock.waitUntilNs(0);
        runLane(plan, { board, ring, clock, run: (sample) => void (runs[sample] as () => unknown)() });
        answer(ok(null));
      } catch (error) {
        stopLoad(board);
        if (!(error instanceof ProblemError)) throw error;
        answer(err(error.problem));
      }
    });
    answer(ok(ready));
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    answer(err(error.problem));
  }
}

async function openRuns(task: SutTask) {
  await requireFile(task.modelPath);
  const session = unwrap(openBareSession(task.modelPath, { intraOpThreads: task.threads }));
  const loadedNs = systemClock.nowNs();
  const feeds = await buildFeeds(
    { data: task.data, states: task.states, batch: task.batch },
    { ...session, run: (sample) => toTensors(session.prepare(sample)()) },
  );
  const ready: LaneReady = {
    sampleCount: feeds.length,
    shapeSamples: firstOfEveryShape(feeds),
    loadedNs,
  };
  return { runs: feeds.map((named) => session.prepare(named)), ready };
}
