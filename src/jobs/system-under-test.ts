import { runRound } from '../benchmark/scenarios.ts';
import { warmUpUntilSteady } from '../benchmark/steady-state.ts';
import type { SystemUnderTest } from '../benchmark/sut.ts';
import type { SutUsage } from '../benchmark/variant-record.ts';
import type { Problem } from '../core/problem.ts';
import { ok, type Result } from '../core/result.ts';
import type { NamedTensors } from '../core/tensor.ts';
import { carryStates } from '../data/carried-state.ts';
import type { Session } from '../runtime/session.ts';
import { hostBusySeconds } from './host-busy.ts';
import { openModel } from './open-model.ts';
import { peakRssBytes, processCpuSeconds } from './process-memory.ts';
import type { SutTask } from './sut-task.ts';
import type { TaskContext } from './task-context.ts';
import { openTaskData } from './task-data.ts';
import type { SutCommand } from './worker-protocol.ts';

/** Feeds are built before the clock starts, so they must fit in memory beside the model. */
const MAX_PREBUILT_SAMPLES = 256;
const MAX_PREBUILT_BYTES = 256 * 2 ** 20;

/** Loads the model and builds its feeds. The function that comes back obeys the commands. Runs in a worker process. */
export async function openSystemUnderTest(
  task: SutTask,
  { clock }: TaskContext,
): Promise<(command: SutCommand) => Promise<Result<unknown, Problem>>> {
  const session = await openModel(task.modelPath, task.threads);
  const runs = await buildRuns(session, task);
  const sut: SystemUnderTest = {
    sampleCount: runs.length,
    samplesPerRun: 1,
    run: (index) => (runs[index] as () => Promise<void>)(),
  };
  const context = { sut, nowNs: clock.nowNs, cpuSeconds: processCpuSeconds };
  return async (command) => {
    switch (command.verb) {
      case 'warm-up':
        return warmUpUntilSteady(context, command.spec);
      case 'round': {
        const startNs = clock.nowNs();
        const before = otherBusySeconds();
        const result = await runRound(context, command.spec);
        const after = otherBusySeconds();
        if (!result.ok || before === undefined || after === undefined) return result;
        // The readings span the lead-in too, which the round's duration leaves out.
        const share = result.value.durationNs / Number(clock.nowNs() - startNs);
        return ok({ ...result.value, otherCpuSeconds: Math.max(0, after - before) * share });
      }
      case 'finish':
        return ok<SutUsage>({ peakRssBytes: peakRssBytes(), cpuSeconds: processCpuSeconds() });
    }
  };
}

/**
 * Samples that are ready to be run in any order. Where states are carried, the model goes through the samples in their
 * own order once, and each keeps the states that it was fed there.
 */
async function buildRuns(
  session: Session,
  { data, states }: SutTask,
): Promise<readonly (() => Promise<void>)[]> {
  const source = await openTaskData(data, session, { states });
  const runs: (() => Promise<void>)[] = [];
  let prebuiltBytes = 0;
  const build = (feeds: NamedTensors) => {
    runs.push(session.prepare(feeds));
    prebuiltBytes += feedBytes(feeds);
  };
  const step = carryStates((feeds) => {
    build(feeds);
    return session.run(feeds);
  }, states);
  for await (const { feeds } of source.samples({ end: Math.min(source.count, MAX_PREBUILT_SAMPLES) })) {
    if (states === undefined || states.length === 0) build(feeds);
    else await step(feeds);
    if (prebuiltBytes >= MAX_PREBUILT_BYTES) break;
  }
  await source.close();
  return runs;
}

/** CPU time that everything but this process has taken since boot; undefined where the kernel does not tell. */
function otherBusySeconds(): number | undefined {
  const host = hostBusySeconds();
  return host === undefined ? undefined : host - processCpuSeconds();
}

function feedBytes(feeds: NamedTensors): number {
  return Object.values(feeds).reduce(
    (total, { data }) => total + ('byteLength' in data ? data.byteLength : data.length * 16),
    0,
  );
}
