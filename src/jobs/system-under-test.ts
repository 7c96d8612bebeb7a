import type { ContextSwitches } from '../benchmark/round-result.ts';
import { type RoundProbes, runRound } from '../benchmark/run-round.ts';
import { warmUpUntilSteady } from '../benchmark/steady-state.ts';
import type { LoadedSut, OwnUsage, ProviderUse, TracedPass } from '../benchmark/variant-record.ts';
import { secondsBetween } from '../core/clock.ts';
import { type Problem, ProblemError, problem } from '../core/problem.ts';
import { ok, type Result } from '../core/result.ts';
import { canShareAmongThreads, deviceAvailability } from '../runtime/devices.ts';
import { thisMachine } from '../runtime/machine.ts';
import type { NodePlacement } from '../runtime/nodes-by-provider.ts';
import { measureIdle, openBenchEnergy } from './bench-energy.ts';
import { type LaneReady, startBenchLane } from './bench-lane.ts';
import { affinityOf } from './cpu-affinity.ts';
import { formatCpuList } from './cpu-list.ts';
import { otherBusySeconds } from './host-busy.ts';
import { generateByLanes, type StoppableGenerator } from './lane-load.ts';
import { peakRssBytes, processCpuSeconds } from './process-memory.ts';
import { processUsage } from './process-usage.ts';
import { createConditionsReader } from './read-host-conditions.ts';
import type { SutTask } from './sut-task.ts';
import type { TaskContext } from './task-context.ts';
import type { TracedPassOrder } from './trace-orders.ts';
import { createTracedSystem } from './traced-system.ts';
import { unwrap } from './unwrap.ts';
import type { SutCommand, TraceCommand } from './worker-protocol.ts';

/** A system under test that is loaded. */
export interface OpenSystem {
  readonly loaded: LoadedSut;
  /** Obeys one command after another. */
  obey(command: SutCommand): Promise<Result<unknown, Problem>>;
  /** Ends the load under way; heard at once, as inference runs in other threads. */
  stop(): void;
  /** May come at any time; events answer. */
  trace(command: TraceCommand): void;
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
  requireShareable(task);
  const energy = openBenchEnergy(task.device);
  const idleEnergy = await measureIdle(energy);
  const startNs = clock.nowNs();
  const lanes = Array.from({ length: task.lanes }, () => startBenchLane(laneEntry, task));
  const ready: LaneReady[] = [];
  for (const lane of lanes) ready.push(unwrap(await lane.ready));
  energy.keepUsed();
  const first = ready[0] as LaneReady;
  const generator = generateByLanes(lanes, first, task.batch, clock);
  const traced = createTracedSystem(lanes, emit);
  const onRuns = (records: Float64Array) => emit({ kind: 'runs', records });
  const probes: RoundProbes = {
    cpuSeconds: processCpuSeconds,
    otherCpuSeconds: otherBusySeconds,
    contextSwitches,
    conditions: createConditionsReader(),
    energy: energy.read,
  };
  return {
    loaded: {
      sampleCount: first.sampleCount,
      samplesPerRun: task.batch,
      laneCount: lanes.length,
      loadSeconds: Math.max(...ready.map(({ loadedNs }) => secondsBetween(startNs, loadedNs))),
      idleEnergy,
    },
    stop: () => generator.stop(),
    trace: traced.obey,
    obey: async (command) => {
      switch (command.verb) {
        case 'warm-up':
          return warmUpUntilSteady(generator, command.spec, clock.nowNs, () => emit({ kind: 'alive' }));
        case 'round':
          return runRound(generator, command.spec, probes, onRuns);
        case 'finish':
          return finish(generator, task, (order) => traced.pass(order, generator), command.trace);
      }
    },
  };
}

/** The usage is read first, as the checks take memory and time of their own. */
async function finish(
  generator: StoppableGenerator,
  task: SutTask,
  pass: (order: TracedPassOrder) => Promise<TracedPass>,
  order: TracedPassOrder | undefined,
): Promise<Result<OwnUsage, Problem>> {
  const usage = { peakRssBytes: peakRssBytes(), cpuSeconds: processCpuSeconds() };
  const affinity = affinityOf(process.pid);
  const trace = order === undefined ? undefined : await pass(order);
  const checked = await generator.check();
  if (!checked.ok) return checked;
  const { outputCheck, profile } = checked.value;
  const cpus = affinity.ok ? formatCpuList(affinity.value) : null;
  return ok({
    ...usage,
    cpus,
    outputCheck,
    placement: profile === null ? null : providerUse(profile.placement, task),
    arenaBytes: profile?.arenaBytes ?? null,
    ...(trace === undefined ? {} : { trace }),
  });
}

function providerUse({ byProvider, fellBack }: NodePlacement, { device }: SutTask): ProviderUse {
  const availability = deviceAvailability(thisMachine()).find((known) => known.device === device);
  return {
    nodesByProvider: Object.fromEntries(Object.entries(byProvider).map(([name, { count }]) => [name, count])),
    fellBack,
    isSoftware: availability?.softwareOnly === true,
  };
}

function contextSwitches(): ContextSwitches {
  const { voluntaryContextSwitches, involuntaryContextSwitches } = processUsage();
  return { voluntary: voluntaryContextSwitches, involuntary: involuntaryContextSwitches };
}

function requireShareable({ device, lanes }: SutTask): void {
  if (lanes === 1 || canShareAmongThreads(device)) return;
  throw new ProblemError(
    problem(
      'concurrency-not-supported',
      `${device} can be used by one thread of a process alone, not by ${lanes}`,
      {
        hint: 'leave out --concurrency, or use a larger --batch',
      },
    ),
  );
}
