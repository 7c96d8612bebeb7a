import { runRound } from '../benchmark/run-round.ts';
import { warmUpUntilSteady } from '../benchmark/steady-state.ts';
import type { LoadedSut, SutUsage } from '../benchmark/variant-record.ts';
import { secondsBetween } from '../core/clock.ts';
import type { Problem } from '../core/problem.ts';
import { ok, type Result } from '../core/result.ts';
import { type LaneReady, startBenchLane } from './bench-lane.ts';
import { hostBusySeconds } from './host-busy.ts';
import { generateByLanes, type StoppableGenerator } from './lane-load.ts';
import { peakRssBytes, processCpuSeconds } from './process-memory.ts';
import type { SutTask } from './sut-task.ts';
import type { TaskContext } from './task-context.ts';
import { unwrap } from './unwrap.ts';
import type { SutCommand } from './worker-protocol.ts';

/** A system under test that is loaded. */
export interface OpenSystem {
  readonly loaded: LoadedSut;
  /** Obeys one command after another. */
  obey(command: SutCommand): Promise<Result<unknown, Problem>>;
  /** Ends the load under way; heard at once, as inference runs in other threads. */
  stop(): void;
}

/**
 * Loads the model in lanes, one thread and one session each, which put load on it; this thread only collects what they
 * measured. Runs in a worker process. Throws `ProblemError`.
 */
export async function openSystemUnderTest(
  task: SutTask,
  { clock, emit }: TaskContext,
  laneEntry: URL,
): Promise<OpenSystem> {
  const startNs = clock.nowNs();
  const lanes = Array.from({ length: task.lanes }, () => startBenchLane(laneEntry, task));
  const ready: LaneReady[] = [];
  for (const lane of lanes) ready.push(unwrap(await lane.ready));
  const first = ready[0] as LaneReady;
  const generator = generateByLanes(lanes, first, task.batch, clock);
  const onRuns = (records: Float64Array) => emit({ kind: 'runs', records });
  const probes = { cpuSeconds: processCpuSeconds, otherCpuSeconds: otherBusySeconds };
  return {
    loaded: {
      sampleCount: first.sampleCount,
      samplesPerRun: task.batch,
      laneCount: lanes.length,
      loadSeconds: Math.max(...ready.map(({ loadedNs }) => secondsBetween(startNs, loadedNs))),
    },
    stop: () => generator.stop(),
    obey: async (command) => {
      switch (command.verb) {
        case 'warm-up':
          return warmUpUntilSteady(generator, command.spec, clock.nowNs, () => emit({ kind: 'alive' }));
        case 'round':
          return runRound(generator, command.spec, probes, onRuns);
        case 'finish':
          return finish(generator);
      }
    },
  };
}

/** The usage is read first, as the check takes memory and time of its own. */
async function finish(generator: StoppableGenerator): Promise<Result<SutUsage, Problem>> {
  const usage = { peakRssBytes: peakRssBytes(), cpuSeconds: processCpuSeconds() };
  const checked = await generator.checkOutputs();
  return checked.ok ? ok({ ...usage, outputCheck: checked.value }) : checked;
}

/** CPU time that everything but this process has taken since boot; undefined where the kernel does not tell. */
function otherBusySeconds(): number | undefined {
  const host = hostBusySeconds();
  return host === undefined ? undefined : host - processCpuSeconds();
}
