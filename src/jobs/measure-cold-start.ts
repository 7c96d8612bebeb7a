import type { ColdStartRecord } from '../benchmark/cold-start/cold-start-result.ts';
import { runUntilSteady } from '../benchmark/cold-start/first-runs.ts';
import { timeToSteady } from '../benchmark/cold-start/time-to-steady.ts';
import { secondsBetween } from '../core/clock.ts';
import type { NamedTensors } from '../core/tensor.ts';
import type { ColdStartTask } from './cold-start-task.ts';
import { peakRssBytes } from './process-memory.ts';
import type { TaskContext } from './task-context.ts';
import { unwrap } from './unwrap.ts';

/** What a process can tell of its own start. */
export interface ColdStartAnswer
  extends Omit<ColdStartRecord, 'repetition' | 'processSeconds' | 'firstAnswerSeconds'> {
  /** When it took the task, on the clock of `Clock.nowNs`. */
  readonly takenNs: bigint;
}

/** The kernel counts what was read in blocks of this size, whatever the disk's are (`ru_inblock` of getrusage(2)). */
const BLOCK_BYTES = 512;

/**
 * Loads the runtime, then the model, then runs it from its first run until its speed is steady. Runs in a fresh worker process,
 * before which nothing of the runtime was loaded: hence the imports on the way. Throws `ProblemError`.
 */
export async function measureColdStart(
  task: ColdStartTask,
  { clock }: Pick<TaskContext, 'clock'>,
): Promise<ColdStartAnswer> {
  const takenNs = clock.nowNs();
  const blocksBefore = process.resourceUsage().fsRead;
  const { openBareSession, toTensors } = await import('../runtime/bare-session.ts');
  const { requireFile } = await import('./open-model.ts');
  const runtimeNs = clock.nowNs();
  const { modelPath, device, threads, data, states } = task;
  await requireFile(modelPath);
  const session = unwrap(openBareSession(modelPath, { intraOpThreads: threads, device }));
  const modelNs = clock.nowNs();
  const { buildFeeds, firstOfEveryShape, shapesOf } = await import('./bench-feeds.ts');
  // A model that carries states is run while its feeds are made, so that its first run is one of those.
  let firstOfStates: number | undefined;
  const runForStates = (sample: NamedTensors) => {
    const run = session.prepare(sample);
    const startNs = clock.nowNs();
    const outputs = run();
    firstOfStates ??= secondsBetween(startNs, clock.nowNs());
    return toTensors(outputs);
  };
  const feeds = await buildFeeds({ data, states, batch: 1 }, { ...session, run: runForStates });
  const runs = feeds.map((named) => session.prepare(named));
  const feedsNs = clock.nowNs();
  const shapeSamples = firstOfEveryShape(feeds);
  const shapes = shapesOf(feeds);
  const firstRuns = runUntilSteady((sample) => void runs[sample]?.(), clock.nowNs, {
    shapeSamples,
    sampleCount: feeds.length,
    windowDurationNs: task.windowDurationNs,
    maxDurationNs: task.maxDurationNs,
  });
  const firstInferencesSeconds = shapeSamples.map((_, run) => (firstRuns.latencyNs[run] as number) / 1e9);
  if (firstOfStates !== undefined) firstInferencesSeconds[0] = firstOfStates;
  const {
    runs: runsToSteady,
    seconds,
    steadyMedianSeconds,
  } = timeToSteady(firstRuns, (sample) => shapes[sample] as number);
  return {
    takenNs,
    runtimeSeconds: secondsBetween(takenNs, runtimeNs),
    modelSeconds: secondsBetween(runtimeNs, modelNs),
    feedsSeconds: secondsBetween(modelNs, feedsNs),
    firstInferencesSeconds,
    firstInferenceSeconds: firstInferencesSeconds[0] as number,
    runsToSteady,
    secondsToSteady: seconds,
    steadyMedianSeconds,
    steady: firstRuns.steady,
    diskReadBytes: (process.resourceUsage().fsRead - blocksBefore) * BLOCK_BYTES,
    peakRssBytes: peakRssBytes(),
  };
}
