import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { secondsBetween } from '../core/clock.ts';
import { ProblemError, problem } from '../core/problem.ts';
import type { NamedTensors } from '../core/tensor.ts';
import { openBareSession, toTensors } from '../runtime/bare-session.ts';
import { openSession } from '../runtime/session.ts';
import { buildFeeds } from './bench-feeds.ts';
import { equalCalls } from './equal-calls.ts';
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
 * Runs a model first without a profile, then with one. Runs in a worker process of its own. Throws `ProblemError`: those of model
 * and data, `inference-failed`, and `profile-unreadable`, also where the profile lacks runs.
 */
export async function profileOperators(
  task: ProfileOperatorsTask,
  { clock }: Pick<TaskContext, 'clock'>,
): Promise<ProfiledOperators> {
  await requireFile(task.modelPath);
  const disturbances = watchDisturbances(clock);
  const { feeds, seconds: plainSeconds } = await runPlainly(task, clock.nowNs);
  const folder = await mkdtemp(join(tmpdir(), 'ptq-agent-'));
  try {
    const profilePrefix = join(folder, 'profile-');
    const { modelPath, device, threads, runs } = task;
    const factsOf = unwrap(await readNodeFacts(modelPath, { device, scratch: folder }));
    const session = unwrap(await openSession(modelPath, { device, intraOpThreads: threads, profilePrefix }));
    try {
      const prepared = feeds.map((named) => session.prepare(named));
      const warmUpRuns = await warmUp(prepared, clock.nowNs);
      for (let run = 0; run < runs; run++) await prepared[(warmUpRuns + run) % prepared.length]?.();
      const doubts = disturbances();
      const profile = unwrap(await session.endProfile());
      if (profile.runs.length < warmUpRuns + runs) throw incomplete(modelPath, profile.runs.length);
      const counted = profile.runs.slice(warmUpRuns);
      const share = counted.length / profile.runs.length;
      const dispatches = profile.dispatches.slice(Math.round(profile.dispatches.length * (1 - share)));
      return {
        runs,
        seconds: counted.reduce((total, { durationNs }) => total + durationNs, 0) / 1e9,
        plainSeconds,
        doubts,
        calls: equalCalls({ runs: counted, dispatches }, factsOf),
      };
    } finally {
      await session.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The feeds, and how long as many runs take without a profile. */
async function runPlainly(task: ProfileOperatorsTask, nowNs: () => bigint) {
  const { modelPath, device, threads, data, states, runs } = task;
  const session = unwrap(openBareSession(modelPath, { device, intraOpThreads: threads }));
  const run = (sample: NamedTensors) => toTensors(session.prepare(sample)());
  const feeds = await buildFeeds({ data, states, batch: 1 }, { ...session, run });
  const prepared = feeds.map((named) => session.prepare(named));
  const warmUpRuns = await warmUp(prepared, nowNs);
  let seconds = 0;
  for (let counted = 0; counted < runs; counted++) {
    const startNs = nowNs();
    prepared[(warmUpRuns + counted) % prepared.length]?.();
    seconds += secondsBetween(startNs, nowNs());
  }
  session.close();
  return { feeds, seconds };
}

async function warmUp(prepared: readonly (() => unknown)[], nowNs: () => bigint): Promise<number> {
  const startNs = nowNs();
  let runs = 0;
  while (
    runs < LEAST_WARM_UP_RUNS ||
    (runs < prepared.length && secondsBetween(startNs, nowNs()) < MOST_WARM_UP_SECONDS)
  ) {
    await prepared[runs % prepared.length]?.();
    runs++;
  }
  return runs;
}

/** The runtime writes a million events at most. */
function incomplete(file: string, runs: number) {
  return new ProblemError(
    problem('profile-unreadable', `the profile of ONNX Runtime has only ${runs} whole runs`, {
      place: { file },
      hint: 'ask for fewer --runs',
    }),
  );
}
