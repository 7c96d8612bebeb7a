import { type BenchControls, type BenchRun, runBench } from '../benchmark/controller.ts';
import type { SamplingBetween } from '../benchmark/round-sampling.ts';
import type { Clock } from '../core/clock.ts';
import { acquireBenchLock, type BenchLock, describeHolder } from './bench-lock.ts';
import { unwrap } from './unwrap.ts';
import { type BenchRequest, contestantOf } from './variant-sut.ts';
import type { WorkerHost } from './worker-process.ts';

/** How a host is waited for on which somebody benchmarks already. */
export interface HostWait {
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** Told, in words, who benchmarks on this host already and is waited for. */
  readonly onWaiting?: (holder: string) => void;
  /** How long to wait for them; a quarter of an hour unless given. */
  readonly waitSeconds?: number;
}

export interface BenchDeps
  extends HostWait,
    Pick<BenchControls, 'stopAtFirstFailure' | 'tracing' | 'wasCaptured' | 'onProgress'> {
  readonly host: WorkerHost;
  /** Where somebody samples the host meanwhile. */
  readonly sampling?: SamplingBetween | undefined;
}

const WAIT_SECONDS = 15 * 60;

/**
 * Benchmarks variants against one another, each in processes of its own so that memory and a crash are its own, in
 * interleaved rounds; the first variant is the base of the speed-ups. One benchmark at a time runs on a host, whichever
 * process it belongs to. Throws `ProblemError`: `bench-locked` where another does not end in time, `cancelled` while waiting.
 */
export async function benchVariants(request: BenchRequest, deps: BenchDeps): Promise<BenchRun> {
  const lock = await lockHost(request, deps);
  try {
    return await benchAlone(request, deps);
  } finally {
    lock?.release();
  }
}

/**
 * Takes the host for a benchmark. Undefined where no lock can be had at all, as on a read-only file system: nobody else can have
 * one there either. Throws `ProblemError`: `bench-locked`, `cancelled`.
 */
export async function lockHost(
  { device = 'cpu' }: Pick<BenchRequest, 'device'>,
  { signal, clock, onWaiting, waitSeconds = WAIT_SECONDS }: HostWait,
): Promise<BenchLock | undefined> {
  const lock = await acquireBenchLock(device, {
    waitMs: waitSeconds * 1000,
    clock,
    ...(signal === undefined ? {} : { signal }),
    onWaiting: (holder) => onWaiting?.(describeHolder(holder, clock)),
  });
  if (!lock.ok && lock.error.kind === 'bench-lock-unavailable') return undefined;
  return unwrap(lock);
}

/** `benchVariants` for whoever has the lock. */
export function benchAlone(request: BenchRequest, deps: BenchDeps): Promise<BenchRun> {
  const { host, clock, signal, sampling, stopAtFirstFailure, tracing, wasCaptured, onProgress } = deps;
  return runBench(
    request.variants.map((variant) => contestantOf(request, variant, host)),
    request.settings,
    {
      clock,
      ...(wasCaptured === undefined ? {} : { wasCaptured }),
      ...(signal === undefined ? {} : { signal }),
      ...(sampling === undefined ? {} : { sampling }),
      ...(stopAtFirstFailure === undefined ? {} : { stopAtFirstFailure }),
      ...(tracing === undefined ? {} : { tracing }),
      ...(onProgress === undefined ? {} : { onProgress }),
    },
  );
}
