import { availableParallelism } from 'node:os';
import { ok, type Result } from '../core/result.ts';
import type { NamedTensors } from '../core/tensor.ts';
import type { ModelPort, Session, SessionProblem, SessionSettings } from '../runtime/session.ts';
import { type RunAll, runStages } from './run-stages.ts';
import type { SessionThread } from './session-thread.ts';
import { shareRuns } from './share-runs.ts';
import { type FirstRunsTrace, openTracedSession } from './traced-session.ts';

/** A model that runs in this thread and, where there is one, in a second beside it. */
export interface SharedSession extends Pick<Session, 'inputs' | 'outputs' | 'run' | 'close'> {
  /** All runs of one call are in one thread. */
  readonly runAll: RunAll;
  /** Runs to have under way so that neither thread waits for the next. */
  readonly runsAtOnce: number;
}

/** One that runs and one that waits, so that the thread goes on at once. */
const HELPER_PLACES = 2;

/**
 * Loads a model into this thread and into `helper`, each with half of the cores: two samples that are computed side by
 * side take less time than two after another with all cores inside of each operator. `helper` takes part as soon as it
 * has loaded the model, and stays the caller's to close, once no run is under way.
 * @param threads all that there are to use; 0 for every core
 * @param trace what to trace of it; two threads share it out
 * @param more what else to open it with
 */
export async function openSharedSession(
  path: string,
  threads: number,
  helper: SessionThread | undefined,
  trace?: FirstRunsTrace,
  more: Pick<SessionSettings, 'keepsConversions'> = {},
): Promise<Result<SharedSession, SessionProblem>> {
  const stages = createSharedStages(threads, helper, trace, more);
  const opened = await stages.add(path);
  return opened.ok ? ok(stages.session()) : opened;
}

/** Models of which each runs on what those before it gave. */
export interface SharedStages {
  /** Loads the next one; what it gives. */
  add(path: string): Promise<Result<readonly ModelPort[], SessionProblem>>;
  /** All that were added, as one: with inputs and outputs of the last. */
  session(): SharedSession;
  /** Closes what is open here, where the session was not taken. */
  close(): Promise<void>;
}

/** As `openSharedSession`, for models that run one after another. */
export function createSharedStages(
  threads: number,
  helper: SessionThread | undefined,
  trace?: FirstRunsTrace,
  more: Pick<SessionSettings, 'keepsConversions'> = {},
): SharedStages {
  const intraOpThreads = helper === undefined ? threads : Math.floor(coresFor(threads) / 2);
  const settings = { intraOpThreads, ...more };
  const half =
    trace === undefined || helper === undefined ? trace : { ...trace, runs: Math.ceil(trace.runs / 2) };
  const here: Session[] = [];
  const there: Promise<void>[] = [];
  const close = async () => {
    for (const stage of here) await stage.close();
  };
  return {
    add: async (path) => {
      if (helper !== undefined) {
        const opening = helper.open(path, settings, half);
        // What it cannot load, for lack of memory, is run here alone.
        opening.catch(() => {});
        there.push(opening);
      }
      const session = await openTracedSession(path, settings, half);
      if (!session.ok) return session;
      here.push(session.value);
      return ok(session.value.outputs);
    },
    session: () => {
      const { inputs, outputs } = here.at(-1) as Session;
      const runHere: RunJob = ({ feeds, changes }) => runStages(here, feeds, changes);
      const runners = [
        ...(helper === undefined
          ? []
          : [
              {
                run: ({ feeds, changes }: Job) => helper.runAll(feeds, changes),
                places: HELPER_PLACES,
                ready: Promise.all(there).then(() => {}),
              },
            ]),
        { run: runHere, places: 1 },
      ];
      const share = shareRuns(runners);
      const runAll: RunAll = (feeds, changes) => share({ feeds, changes });
      return {
        inputs,
        outputs,
        run: async (feeds) => (await runAll(feeds, [{}]))[0] as NamedTensors,
        runAll,
        close,
        runsAtOnce: helper === undefined ? 1 : HELPER_PLACES + 2,
      };
    },
    close,
  };
}

interface Job {
  readonly feeds: NamedTensors;
  readonly changes: readonly NamedTensors[];
}

type RunJob = (job: Job) => Promise<readonly NamedTensors[]>;

/** How many cores a number of threads stands for. */
export function coresFor(threads: number): number {
  return threads === 0 ? availableParallelism() : threads;
}
