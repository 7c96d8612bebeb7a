import { parentPort, threadId, Worker, workerData } from 'node:worker_threads';
import { createLaneClock } from '../benchmark/load/lane-clock.ts';
import { runLane } from '../benchmark/load/lane-loop.ts';
import { type LoadBoard, stopLoad } from '../benchmark/load/load-board.ts';
import type { LoadPlan } from '../benchmark/load/load-plan.ts';
import { createRunRing, type RunRing } from '../benchmark/load/run-ring.ts';
import type { OutputCheckReport } from '../benchmark/output-check.ts';
import { seededRandom } from '../benchmark/random.ts';
import { systemClock } from '../core/clock.ts';
import { attempt, attemptAsync, type Problem, ProblemError, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { NamedTensors } from '../core/tensor.ts';
import { type BareOutputs, openBareSession, toTensors } from '../runtime/bare-session.ts';
import type { NodePlacement } from '../runtime/nodes-by-provider.ts';
import { buildFeeds, firstOfEveryShape } from './bench-feeds.ts';
import { keepOutputs } from './kept-outputs.ts';
import { requireFile } from './open-model.ts';
import { providersOf } from './providers-of.ts';
import { type StagedRun, stageFeeds } from './staged-feeds.ts';
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
  readonly keepOutputs: boolean;
}

type LaneRequest = LaneLoad | 'check';

/** What a lane finds out when all is measured. */
export interface LaneCheck {
  readonly outputCheck: OutputCheckReport;
  readonly placement: NodePlacement | null;
}

type LaneAnswer = Result<unknown, Problem>;

/** A thread with a session of its own, as inference blocks the thread that it runs in. */
export interface BenchLane {
  readonly ring: RunRing;
  readonly ready: Promise<Result<LaneReady, Problem>>;
  /** Carries out its part of a load. A failure stops the load for all lanes of the board. */
  run(load: LaneLoad): Promise<Result<unknown, Problem>>;
  /** Holds the outputs that were kept against those of a new session, and finds out which provider ran what. */
  check(): Promise<Result<LaneCheck, Problem>>;
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
  const ask = (request: LaneRequest) => {
    const answer = next();
    worker.postMessage(request);
    return answer;
  };
  // The thread runs this program's own code, so its answers have the types of what it was asked.
  return {
    ring,
    ready: next() as Promise<Result<LaneReady, Problem>>,
    run: ask,
    check: () => ask('check') as Promise<Result<LaneCheck, Problem>>,
  };
}

/** The thread's own side. */
export async function benchLaneMain(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('a lane was started outside of a thread');
  const { task, ring } = workerData as LaneStart;
  const answer = (result: LaneAnswer) => port.postMessage(result);
  try {
    const lane = await openLane(task);
    port.on('message', (request: LaneRequest) => {
      if (request === 'check') void attemptAsync(lane.check).then(answer);
      else answer(attempt(() => lane.carryOut(request, ring)));
    });
    answer(ok(lane.ready));
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    answer(err(error.problem));
  }
}

async function openLane(task: SutTask) {
  await requireFile(task.modelPath);
  const open = () =>
    unwrap(openBareSession(task.modelPath, { intraOpThreads: task.threads, device: task.device }));
  const session = open();
  const loadedNs = systemClock.nowNs();
  const feeds = await buildFeeds(
    { data: task.data, states: task.states, batch: task.batch },
    { ...session, run: (sample) => toTensors(session.prepare(sample)()) },
  );
  const runs = stageFeeds(feeds, session.prepare);
  const kept = keepOutputs(seededRandom(threadId));
  const ready: LaneReady = { sampleCount: feeds.length, shapeSamples: firstOfEveryShape(feeds), loadedNs };
  return {
    ready,
    carryOut: (load: LaneLoad, ring: RunRing): null => {
      const { plan, board, startNs } = load;
      const clock = createLaneClock(systemClock.nowNs, startNs, board);
      const stage = (sample: number) => runs[sample]?.stage();
      const outputsOf = (sample: number) => (runs[sample] as StagedRun<BareOutputs>).run();
      const run = load.keepOutputs
        ? (sample: number) => kept.offer(sample, outputsOf(sample))
        : (sample: number) => void outputsOf(sample);
      try {
        clock.waitUntilNs(0);
        runLane(plan, { board, ring, clock, stage, run });
        return null;
      } catch (error) {
        // The other lanes have nothing to go on for.
        stopLoad(board);
        throw error;
      }
    },
    check: async (): Promise<LaneCheck> => {
      const fresh = open();
      const outputCheck = kept.check((sample) => fresh.prepare(feeds[sample] as NamedTensors)());
      fresh.close();
      return { outputCheck, placement: await placementOf(task, feeds[0] as NamedTensors) };
    },
  };
}

/** Null where the runtime gives no profile: what was measured stands without it. */
async function placementOf(
  { modelPath, device, threads }: SutTask,
  feeds: NamedTensors,
): Promise<NodePlacement | null> {
  const placed = await attemptAsync(() => providersOf(modelPath, { device, intraOpThreads: threads, feeds }));
  return placed.ok ? placed.value : null;
}
