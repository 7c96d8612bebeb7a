import { roundSpec } from '../../benchmark/plan-rounds.ts';
import { type BenchSettings, benchSettings } from '../../benchmark/settings.ts';
import { answerOf, type NamedSut } from '../../benchmark/sut-handle.ts';
import { capturedSuite } from '../../config/captured-suite.ts';
import type { Clock } from '../../core/clock.ts';
import { attemptAsync, type Problem, ProblemError, problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import type { Store } from '../../store/store.ts';
import type { ModelRegistry } from '../model-registry.ts';
import { firstMeasurement, lockNow, madeVariants } from '../one-measurement.ts';
import { createPhaseRecorder } from '../phase-recorder.ts';
import { unwrap } from '../unwrap.ts';
import { startVariant } from '../variant-sut.ts';
import type { WorkerHost } from '../worker-process.ts';
import type { WorkerEvent } from '../worker-protocol.ts';

/** Models that are loaded, warm, and wait to be run. */
export interface CaptureReplay {
  /** What is replayed, for people. */
  readonly subject: string;
  /** Runs the models one after another for so long together; aborted, it ends early. Problems: those of the systems. */
  run(durationMs: number, signal: AbortSignal): Promise<Result<void, Problem>>;
  /** Ends the processes and gives the host back. Never rejects. */
  close(): Promise<void>;
}

export interface ReplayDeps {
  readonly models: Pick<ModelRegistry, 'all'>;
  readonly store: Pick<Store, 'listRuns'>;
  readonly host: WorkerHost;
  readonly clock: Clock;
  /** Told of the phases of the replay. */
  readonly emit: (event: Extract<WorkerEvent, { readonly kind: 'phase-begin' | 'phase' }>) => void;
}

/** Callers wait for about a minute, of which the capture is a part. */
const READY_WITHIN_SECONDS = 30;
const WARM_UP = { windowDurationNs: 5e7, maxDurationNs: 3e8, seed: 1 };

/**
 * Loads what shall be replayed where nothing else runs: of the first profile that says so (`bench.capture`), or else of the first,
 * fp32 and the variants that its last run made. Problems: `nothing-to-replay`, `bench-locked`, `cancelled`, and those of loading.
 */
export function prepareReplay(
  { models, store, host, clock, emit }: ReplayDeps,
  signal: AbortSignal,
): Promise<Result<CaptureReplay, Problem>> {
  return attemptAsync(async () => {
    const profile = models.all.find(({ bench }) => bench.capture !== undefined) ?? models.all[0];
    if (profile === undefined) throw new ProblemError(problem('nothing-to-replay', 'no model is registered'));
    const { measurement, requestOf } = await firstMeasurement(profile, unwrap(capturedSuite(profile)));
    const request = requestOf(madeVariants(profile, store));
    const lock = await lockNow(measurement.device, clock);
    const ready: ReadySystem[] = [];
    const close = async () => {
      await Promise.all(ready.map(({ sut }) => sut.handle.close()));
      lock?.release();
    };
    try {
      for (const variant of request.variants) {
        const system: ReadySystem = { sut: startVariant(request, variant, host).sut, queriesPerSecond: 0 };
        ready.push(system);
        await getReady(system, signal);
      }
    } catch (error) {
      await close();
      throw error;
    }
    const names = request.variants.map(({ variant }) => variant).join(', ');
    return {
      subject: `${measurement.name} of ${profile.name} (${names})`,
      run: (durationMs, over) => {
        const settings = shortened(request.settings, durationMs / ready.length);
        return attemptAsync(() => runInTurn(ready, settings, { clock, emit, over }));
      },
      close,
    };
  });
}

/** Throws `ProblemError`. */
async function runInTurn(
  systems: readonly ReadySystem[],
  settings: BenchSettings,
  { clock, emit, over }: Pick<ReplayDeps, 'clock' | 'emit'> & { readonly over: AbortSignal },
): Promise<void> {
  const baseQueriesPerSecond = systems[0]?.queriesPerSecond ?? 0;
  const patience = { graceSeconds: settings.graceSeconds, signal: over };
  for (const [index, { sut, queriesPerSecond }] of systems.entries()) {
    if (over.aborted) return;
    const spec = roundSpec(settings, index, false, { queriesPerSecond, baseQueriesPerSecond });
    const phase = createPhaseRecorder(clock, emit, { subject: `replay ${sut.identity.variant}` });
    const round = () => answerOf(sut, (onAlive) => sut.handle.round(spec, onAlive), patience);
    unwrap(await phase('bench', round));
  }
}

/** A system that is loaded and warm. */
interface ReadySystem {
  readonly sut: NamedSut;
  queriesPerSecond: number;
}

/** Throws `ProblemError`. */
async function getReady(system: ReadySystem, signal: AbortSignal): Promise<void> {
  const { sut } = system;
  const patience = { graceSeconds: READY_WITHIN_SECONDS, signal };
  unwrap(await answerOf(sut, () => sut.handle.load(), patience));
  const warm = unwrap(await answerOf(sut, (onAlive) => sut.handle.warmUp(WARM_UP, onAlive), patience));
  system.queriesPerSecond = warm.queriesPerSecond;
}

/** The same load in one round of so long. */
function shortened(settings: BenchSettings, durationMs: number): BenchSettings {
  const seconds = durationMs / 1000;
  const once = {
    rounds: 1,
    processes: 1,
    minQueries: 1,
    minDurationSeconds: seconds,
    maxDurationSeconds: seconds,
  };
  return unwrap(benchSettings({ ...settings, ...once }));
}
