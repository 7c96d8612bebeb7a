import { join } from 'node:path';
import type { NamedTensors } from '../core/tensor.ts';
import type { ProfiledRun } from '../runtime/op-profile.ts';
import { openSession, type Session } from '../runtime/session.ts';
import { unwrap } from './unwrap.ts';

/** A model ready to be timed, with a profile of its first runs. */
export interface ProfiledSession {
  /** At full speed: the profile is over. */
  readonly run: () => Promise<void>;
  /** Without those that warmed up; none where the runtime gave no profile. */
  readonly profiled: readonly ProfiledRun[];
}

/** Models that are loaded side by side with one thread and run on the same feeds. */
export interface GateSessions {
  readonly openProfiled: (path: string) => Promise<ProfiledSession>;
  readonly openPlain: (path: string) => Promise<() => Promise<void>>;
  readonly closeAll: () => Promise<void>;
}

export interface GateSessionSettings {
  /** What to run the models with, once it is known what they take; asked once. */
  readonly feedsFor: (session: Pick<Session, 'inputs' | 'outputs'>) => Promise<NamedTensors>;
  /** About how many kernels a model has. */
  readonly nodeCount: number;
  /** A folder for profiles, each of which is gone once it is read. */
  readonly scratch: string;
  /** Processor time of this process so far. */
  readonly cpuSeconds: () => number;
}

const WARM_UP_RUNS = 2;
const FEWEST_RUNS = 4;
const MOST_RUNS = 30;
/** Reading a profile takes as long as making it; so many calls of kernels are enough. */
const ENOUGH_CALLS = 4000;
const ENOUGH_SECONDS = 0.08;

/** Opening throws `ProblemError`: what loading and running a model can report. */
export function createGateSessions(settings: GateSessionSettings): GateSessions {
  const opened: Session[] = [];
  let feeds: NamedTensors | undefined;
  const open = async (path: string, profilePrefix?: string) => {
    const profiling = profilePrefix === undefined ? {} : { profilePrefix };
    const session = unwrap(await openSession(path, { intraOpThreads: 1, ...profiling }));
    opened.push(session);
    feeds ??= await settings.feedsFor(session);
    return { session, run: session.prepare(feeds) };
  };
  return {
    openPlain: async (path) => (await open(path)).run,
    openProfiled: async (path) => {
      const { session, run } = await open(path, join(settings.scratch, `latency-${opened.length}-`));
      await runSome(run, settings);
      const profile = await session.endProfile();
      return { run, profiled: profile.ok ? profile.value.runs.slice(WARM_UP_RUNS) : [] };
    },
    closeAll: async () => {
      for (const session of opened.splice(0)) await session.close();
    },
  };
}

async function runSome(
  run: () => Promise<void>,
  { nodeCount, cpuSeconds }: GateSessionSettings,
): Promise<void> {
  const most = Math.min(MOST_RUNS, Math.max(FEWEST_RUNS, Math.floor(ENOUGH_CALLS / nodeCount)));
  for (let count = 0; count < WARM_UP_RUNS; count++) await run();
  const start = cpuSeconds();
  for (let count = 0; count < most; count++) {
    if (count >= FEWEST_RUNS && cpuSeconds() - start > ENOUGH_SECONDS) break;
    await run();
  }
}
