import type { Problem } from '../../core/problem.ts';
import type { VariantRecord } from '../variant-record.ts';
import type { SweepConfiguration } from './configurations.ts';

/** Configurations that need not be tried, because one that was tried showed that they cannot be run. */
export interface Refusal {
  /** The model, or null where it holds for all of them. */
  readonly model: string | null;
  readonly problem: Problem;
  readonly covers: (configuration: SweepConfiguration) => boolean;
}

/** What can hit one configuration and spare the next. */
const OF_ONE_CONFIGURATION: ReadonlySet<string> = new Set([
  'memory-limit-exceeded',
  'worker-crashed',
  'worker-killed',
  'sut-timed-out',
  'sut-failed',
  'internal-fault',
  'bench-cancelled',
  'cancelled',
]);

/**
 * What the failure of a configuration says about others; null where it says nothing.
 * @param hasLoaded whether the model could be loaded in another configuration
 */
export function refusalOf(
  { model, batch, concurrency }: SweepConfiguration,
  { loaded, warmUp, failure }: VariantRecord,
  hasLoaded: boolean,
): Refusal | null {
  if (failure === null || OF_ONE_CONFIGURATION.has(failure.kind)) return null;
  const refusal = (covers: Refusal['covers']): Refusal => ({
    model,
    problem: failure,
    covers: (other) => other.model === model && covers(other),
  });
  if (failure.kind === 'batch-not-supported') return refusal((other) => other.batch > 1);
  if (failure.kind === 'too-few-samples' && batch > 1) return refusal((other) => other.batch >= batch);
  if (failure.kind === 'concurrency-not-supported' && concurrency > 1) {
    return { model: null, problem: failure, covers: (other) => other.concurrency > 1 };
  }
  // The first dimension is free, but something inside is made for another size.
  if (failure.kind === 'inference-failed' && warmUp === null && loaded !== null && batch > 1) {
    return refusal((other) => other.batch === batch);
  }
  const isForMemory = /memory|alloc/i.test(failure.message);
  return loaded === null && !hasLoaded && !isForMemory ? refusal(() => true) : null;
}
