import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { secondsBetween } from '../core/clock.ts';
import { ProblemError, problem } from '../core/problem.ts';
import type { NamedTensors } from '../core/tensor.ts';
import { openBareSession, toTensors } from '../runtime/bare-session.ts';
import { readProfile } from '../runtime/profile/read-profile.ts';
import { workOfEvents } from '../trace/roofline/work-of-events.ts';
import { buildFeeds } from './bench-feeds.ts';
import { readNodeFacts } from './node-facts.ts';
import { requireFile } from './open-model.ts';
import type { ProfiledOperators, ProfileOperatorsTask } from './profile-operators-task.ts';
import type { TaskContext } from './task-context.ts';
import { unwrap } from './unwrap.ts';
import { watchDisturbances } from './watch-disturbances.ts';

/** Runs before those that count: once through all feeds, as the runtime prepares itself for each shape, but not longer than this. */
const MOST_WARM_UP_SECONDS = 2;
const LEAST_WARM_UP_RUNS = 5;

/**
 * Runs a model with a profile, then as often without one. Runs in a worker process of its own. Throws `ProblemError`: those of
 * model and data, `inference-failed`, and `profile-unreadable`, also where the profile lacks runs.
 */
export async function profileOperators(
  task: ProfileOperatorsTask,
  { clock }: Pick<TaskContext, 'clock'>,
): Promise<ProfiledOperators> {
  const { modelPath, device, threads, data, states, runs } = task;
  await requireFile(modelPath);
  const folder = await mkdtemp(join(tmpdir(), 'ptq-agent-'));
  try {
    const settings = { device, intraOpThreads: threads, profilePrefix: join(folder, 'profile-') };
    const session = unwrap(openBareSession(modelPath, settings));
    let runsSoFar = 0;
    const run = (sample: NamedTensors) => {
      runsSoFar += 1;
      return toTensors(session.prepare(sample)());
    };
    const feeds = await buildFeeds({ data, states, batch: 1 }, { ...session, run });
    const prepared = feeds.map((named) => session.prepare(named));
    runsSoFar += warmUp(prepared, clock.nowNs);
    const disturbances = watchDisturbances(clock);
    secondsOf(prepared, runs, clock.nowNs);
    const profilePath = unwrap(session.endProfile());
    const plainSeconds = secondsOf(prepared, runs, clock.nowNs);
    const doubts = disturbances();
    session.close();
    const factsOf = unwrap(await readNodeFacts(modelPath, { device, scratch: folder }));
    const events = unwrap(await readProfile(profilePath));
    const work = workOfEvents(events, runsSoFar, factsOf);
    if (work.runs < runs) throw incomplete(modelPath, work.runs);
    return { ...work, plainSeconds, doubts };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function secondsOf(prepared: readonly (() => unknown)[], runs: number, nowNs: () => bigint): number {
  let seconds = 0;
  for (let run = 0; run < runs; run++) {
    const startNs = nowNs();
    prepared[run % prepared.length]?.();
    seconds += secondsBetween(startNs, nowNs());
  }
  return seconds;
}

function warmUp(prepared: readonly (() => unknown)[], nowNs: () => bigint): number {
  const startNs = nowNs();
  let runs = 0;
  while (
    runs < LEAST_WARM_UP_RUNS ||
    (runs < prepared.length && secondsBetween(startNs, nowNs()) < MOST_WARM_UP_SECONDS)
  ) {
    prepared[runs % prepared.length]?.();
    runs++;
  }
  return runs;
}

/** The runtime writes a million events at most. */
function incomplete(file: string, runs: number) {
  return new ProblemError(
    problem('profile-unreadable', `the profile of ONNX Runtime has only ${runs} of the runs that count`, {
      place: { file },
      hint: 'ask for fewer --runs',
    }),
  );
}
