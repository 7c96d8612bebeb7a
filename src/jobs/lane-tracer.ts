import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { threadId } from 'node:worker_threads';
import type { Clock } from '../core/clock.ts';
import { attempt, type Problem, ProblemError, problem } from '../core/problem.ts';
import type { NamedTensors } from '../core/tensor.ts';
import { type BareOutputs, type BareSession, openBareSession } from '../runtime/bare-session.ts';
import type { TracePart } from '../trace/trace-part.ts';
import { type StagedRun, stageFeeds } from './staged-feeds.ts';
import type { SutTask } from './sut-task.ts';
import type { TraceAnswer, TraceOrder, TraceSpool } from './trace-orders.ts';
import { writeTracePart } from './trace-spool.ts';
import { unwrap } from './unwrap.ts';

/** The traced session of a lane, which comes and goes beside its ordinary one. Everything here blocks the thread. */
export interface LaneTracer {
  /** The runs of the traced session, by sample; undefined while there is none. */
  runs(): readonly StagedRun<BareOutputs>[] | undefined;
  /** Notes a run of the traced session: nanoseconds since `originNs`, on the clock of `Clock.nowNs`. */
  note(originNs: bigint, times: RunTimes): void;
  /** Makes the traced session or ends it; see `TraceAnswer`. */
  obey(order: TraceOrder): TraceAnswer;
}

export interface RunTimes {
  /** Where runs come by a schedule. */
  readonly dueNs?: number;
  readonly startNs: number;
  readonly doneNs: number;
}

/** What a lane brings along. */
interface Traceable {
  readonly task: Pick<SutTask, 'modelPath' | 'device' | 'threads'>;
  readonly feeds: readonly NamedTensors[];
  /** One sample of every distinct shape, which a runtime plans its memory and compiles its shaders for. */
  readonly shapeSamples: readonly number[];
  readonly clock: Clock;
}

const MORE_RUNS = 3;
const MORE_RUNS_WITHIN_NS = 1_000_000_000n;

interface Tracing {
  readonly spool: TraceSpool;
  readonly session: BareSession;
  readonly runs: readonly StagedRun<BareOutputs>[];
  readonly baseNs: bigint;
  readonly startsNs: number[];
  readonly endsNs: number[];
  readonly duesNs: number[];
  /** Some run came by a schedule. */
  isScheduled: boolean;
  firstRequest: number;
}

export function createLaneTracer(lane: Traceable): LaneTracer {
  let tracing: Tracing | undefined;
  let traces = 0;
  return {
    runs: () => tracing?.runs,
    note: (originNs, times) => {
      if (tracing !== undefined) noteRun(tracing, originNs, times);
    },
    obey: (order) =>
      attempt(() => {
        if (order.kind === 'begin') {
          if (tracing !== undefined) throw new ProblemError(tracedAlready());
          traces += 1;
          tracing = begin(lane, order.spool, traces);
          return null;
        }
        const ended = tracing;
        tracing = undefined;
        return ended === undefined ? null : end(lane, ended, traces);
      }),
  };
}

function begin({ task, feeds, shapeSamples, clock }: Traceable, spool: TraceSpool, number: number): Tracing {
  const profilePrefix = join(spool.folder, `profile-${nameOf(number)}-`);
  const session = unwrap(
    openBareSession(task.modelPath, { intraOpThreads: task.threads, device: task.device, profilePrefix }),
  );
  try {
    const tracing: Tracing = {
      spool,
      session,
      runs: stageFeeds(feeds, session.prepare, task.device),
      baseNs: clock.nowNs(),
      startsNs: [],
      endsNs: [],
      duesNs: [],
      isScheduled: false,
      firstRequest: 0,
    };
    warmUp(tracing, shapeSamples, clock);
    return tracing;
  } catch (error) {
    session.close();
    throw error;
  }
}

/** Every shape once, and the first a few times more while that is soon done. */
function warmUp(tracing: Tracing, shapeSamples: readonly number[], clock: Clock): void {
  const more = new Array<number>(MORE_RUNS).fill(shapeSamples[0] ?? 0);
  for (const [index, sample] of [...shapeSamples, ...more].entries()) {
    const startNs = clock.nowNs();
    if (index >= shapeSamples.length && startNs - tracing.baseNs > MORE_RUNS_WITHIN_NS) break;
    const run = tracing.runs[sample] as StagedRun<BareOutputs>;
    run.stage();
    run.run();
    noteRun(tracing, startNs, { startNs: 0, doneNs: Number(clock.nowNs() - startNs) });
  }
  tracing.firstRequest = tracing.startsNs.length;
}

function noteRun(tracing: Tracing, originNs: bigint, { dueNs, startNs, doneNs }: RunTimes): void {
  const shift = Number(originNs - tracing.baseNs);
  tracing.startsNs.push(shift + startNs);
  tracing.endsNs.push(shift + doneNs);
  tracing.duesNs.push(shift + (dueNs ?? startNs));
  if (dueNs !== undefined) tracing.isScheduled = true;
}

/** What was traced lies in the spool folder then; nothing of a trace without a request. */
function end({ task }: Traceable, tracing: Tracing, number: number): TracePart | null {
  const { spool, session, baseNs, startsNs, endsNs, duesNs, isScheduled, firstRequest } = tracing;
  const profile = session.endProfile();
  session.close();
  const profileFile = unwrap(profile);
  if (startsNs.length === firstRequest) {
    rmSync(profileFile, { force: true });
    return null;
  }
  const part: TracePart = {
    modelId: spool.modelId,
    modelPath: resolve(task.modelPath),
    phase: 'bench',
    device: task.device,
    threads: task.threads,
    pid: process.pid,
    thread: spool.thread,
    profileFile,
    baseNs: String(baseNs),
    startsNs,
    endsNs,
    ...(isScheduled ? { duesNs } : {}),
    firstRequest,
  };
  unwrap(writeTracePart(spool.folder, nameOf(number), part));
  return part;
}

/** Unique in a spool folder that threads of several processes write to. */
function nameOf(number: number): string {
  return `${process.pid}-${threadId}-${number}`;
}

function tracedAlready(): Problem {
  return problem('traced-already', 'the model is being traced already', {
    hint: 'wait until the other trace has ended',
  });
}
