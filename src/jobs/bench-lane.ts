import {
  MessageChannel,
  type MessagePort,
  parentPort,
  receiveMessageOnPort,
  threadId,
  Worker,
  workerData,
} from 'node:worker_threads';
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
import { buildFeeds, firstOfEveryShape } from './bench-feeds.ts';
import { keepOutputs } from './kept-outputs.ts';
import { createLaneTracer, type LaneTracer } from './lane-tracer.ts';
import { requireFile } from './open-model.ts';
import { type DeviceProfile, profileOnDevice } from './profile-on-device.ts';
import { type StagedRun, stageFeeds } from './staged-feeds.ts';
import type { SutTask } from './sut-task.ts';
import {
  announceOrder,
  createTraceSwitch,
  isTracing,
  ordersGiven,
  switchTracing,
  type TraceAnswer,
  type TraceOrder,
  type TraceSwitch,
} from './trace-orders.ts';
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
  readonly tracing: TraceSwitch;
  /** Where orders come from and answers go to. In the middle of a load the lane takes them from it itself. */
  readonly tracePort: MessagePort;
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
  /** Null where the runtime gave none. */
  readonly profile: DeviceProfile | null;
}

type LaneAnswer = Result<unknown, Problem>;

/** A thread with a session of its own, as inference blocks the thread that it runs in. */
export interface BenchLane {
  readonly ring: RunRing;
  readonly ready: Promise<Result<LaneReady, Problem>>;
  /** Carries out its part of a load. A failure stops the load for all lanes of the board. */
  run(load: LaneLoad): Promise<Result<unknown, Problem>>;
  /** Holds the outputs that were kept against those of a new session, and finds out from a profile which provider ran what. */
  check(): Promise<Result<LaneCheck, Problem>>;
  /** Sends runs to the traced session, if there is one, or back to the ordinary one, from the next on. */
  switchTracing(traced: boolean): void;
  /** Carried out before the next run where a load is under way, and at once where none is. */
  trace(order: TraceOrder): Promise<TraceAnswer>;
}

/**
 * Starts a lane, which loads its model at once. Its thread ends with the process.
 * @param entry the compiled `bench-lane-main.js`
 */
export function startBenchLane(entry: URL, task: SutTask): BenchLane {
  const ring = createRunRing();
  const tracing = createTraceSwitch();
  const { port1: traceOrders, port2: tracePort } = new MessageChannel();
  const worker = new Worker(entry, {
    workerData: { task, ring, tracing, tracePort } satisfies LaneStart,
    transferList: [tracePort],
  });
  const tracesWaiting: ((answer: TraceAnswer) => void)[] = [];
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
    for (const answer of tracesWaiting.splice(0)) answer(err(ended));
  };
  worker.on('message', (answer: LaneAnswer) => settle(answer));
  traceOrders.on('message', (answer: TraceAnswer) => tracesWaiting.shift()?.(answer));
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
    switchTracing: (traced) => switchTracing(tracing, traced),
    trace: (order) =>
      new Promise((resolve) => {
        if (ended !== undefined) return resolve(err(ended));
        tracesWaiting.push(resolve);
        traceOrders.postMessage(order);
        announceOrder(tracing);
      }),
  };
}

/** The thread's own side. */
export async function benchLaneMain(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('a lane was started outside of a thread');
  const start = workerData as LaneStart;
  const { task, ring } = start;
  const answer = (result: LaneAnswer) => port.postMessage(result);
  try {
    const lane = await openLane(task, start);
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

async function openLane(task: SutTask, { tracing, tracePort }: LaneStart) {
  await requireFile(task.modelPath);
  const open = () =>
    unwrap(openBareSession(task.modelPath, { intraOpThreads: task.threads, device: task.device }));
  const session = open();
  const loadedNs = systemClock.nowNs();
  const feeds = await buildFeeds(
    { data: task.data, states: task.states, batch: task.batch },
    { ...session, run: (sample) => toTensors(session.prepare(sample)()) },
  );
  const runs = stageFeeds(feeds, session.prepare, task.device);
  const kept = keepOutputs(seededRandom(threadId));
  const shapeSamples = firstOfEveryShape(feeds);
  const ready: LaneReady = { sampleCount: feeds.length, shapeSamples, loadedNs };
  const tracer = createLaneTracer({ task, feeds, shapeSamples, clock: systemClock });
  const orders = takeTraceOrders(tracePort, tracing, tracer);
  return {
    ready,
    carryOut: (load: LaneLoad, ring: RunRing): null => {
      const { plan, board, startNs } = load;
      const clock = createLaneClock(systemClock.nowNs, startNs, board);
      let traced: typeof runs | undefined;
      let used = runs;
      const stage = (sample: number) => {
        orders.look();
        traced = isTracing(tracing) ? tracer.runs() : undefined;
        used = traced ?? runs;
        used[sample]?.stage();
      };
      const outputsOf = (sample: number) => (used[sample] as StagedRun<BareOutputs>).run();
      const run = load.keepOutputs
        ? (sample: number) => kept.offer(sample, outputsOf(sample))
        : (sample: number) => void outputsOf(sample);
      const isScheduled = plan.pacing.kind === 'scheduled';
      const ran = (runStartNs: number, doneNs: number, dueNs: number | undefined) => {
        if (traced === undefined) return;
        const due = isScheduled && dueNs !== undefined ? { dueNs } : {};
        tracer.note(startNs, { startNs: runStartNs, doneNs, ...due });
      };
      try {
        clock.waitUntilNs(0);
        runLane(plan, { board, ring, clock, stage, run, ran });
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
      return { outputCheck, profile: await profileOf(task, feeds[0] as NamedTensors) };
    },
  };
}

/** Has the tracer obey what comes by the port: where the thread is idle as it comes, and in a load whenever `look` is called. */
function takeTraceOrders(port: MessagePort, tracing: TraceSwitch, tracer: LaneTracer) {
  let obeyed = 0;
  const obey = (order: TraceOrder): void => {
    obeyed += 1;
    const answer = tracer.obey(order);
    switchTracing(tracing, answer.ok && order.kind === 'begin' && order.atOnce);
    port.postMessage(answer);
  };
  port.on('message', obey);
  return {
    look: () => {
      while (ordersGiven(tracing) !== obeyed) {
        const received = receiveMessageOnPort(port);
        // Told of, and not there yet.
        if (received === undefined) return;
        obey(received.message as TraceOrder);
      }
    },
  };
}

/** Null where the runtime gives no profile: what was measured stands without it. */
async function profileOf(
  { modelPath, device, threads }: SutTask,
  feeds: NamedTensors,
): Promise<DeviceProfile | null> {
  const profile = await attemptAsync(() =>
    profileOnDevice(modelPath, { device, intraOpThreads: threads, feeds }),
  );
  return profile.ok ? profile.value : null;
}
