import { existsSync } from 'node:fs';
import type { BenchSettings } from '../benchmark/settings.ts';
import type { Profile } from '../config/profile.ts';
import type { Suite } from '../config/suite.ts';
import type { Clock } from '../core/clock.ts';
import { type Problem, ProblemError } from '../core/problem.ts';
import type { Store } from '../store/store.ts';
import { acquireBenchLock, type BenchLock } from './bench-lock.ts';
import { readySuite } from './bench-suite.ts';
import { FP32, type PipelineResult } from './pipeline.ts';
import { unwrap } from './unwrap.ts';
import type { BenchRequest, NamedModel } from './variant-sut.ts';

// What probes and captures have in common: one measurement of models that are there already, at once or not at all.

/** FP32 and those variants of the profile whose files the last full run left. */
export function madeVariants(profile: Profile, store: Pick<Store, 'listRuns'>): readonly NamedModel[] {
  const [last] = store.listRuns({ model: profile.name, kind: 'pipeline', state: 'succeeded', limit: 1 });
  // A result that another version wrote may have a shape of its own.
  const outcomes = (last?.result as Partial<PipelineResult> | undefined)?.variants ?? [];
  const made = profile.variants.flatMap(({ name }) => {
    const path = outcomes.find(({ variant }) => variant === name)?.quantization?.output;
    return path !== undefined && existsSync(path) ? [{ variant: name, path }] : [];
  });
  return [{ variant: FP32, path: profile.model }, ...made];
}

/** The first measurement of a suite, and what makes a request of it. Throws `ProblemError` where it cannot be made. */
export async function firstMeasurement(profile: Profile, suite: Suite) {
  const { set, evaluation, states } = profile.data;
  const own = { data: { spec: set, split: evaluation.split }, threads: profile.bench.threads };
  const ready = await readySuite(suite, own);
  if (!ready.ok) throw new ProblemError(ready.error[0] as Problem);
  const [measurement] = ready.value.measurements;
  if (measurement === undefined) throw new Error('a suite without measurements');
  const { data } = ready.value;
  const requestOf = (
    variants: readonly NamedModel[],
    settings: BenchSettings = measurement.settings,
  ): BenchRequest => {
    const { threads, batch, device } = measurement;
    const carried = states === undefined ? {} : { states };
    return { model: profile.name, variants, data, threads, batch, device, settings, ...carried };
  };
  return { measurement, requestOf };
}

/** Waits for nobody: throws `ProblemError` where a benchmark runs. Undefined where the host has no place for locks. */
export async function lockNow(device: string, clock: Clock): Promise<BenchLock | undefined> {
  const lock = await acquireBenchLock(device, { waitMs: 0, clock });
  if (!lock.ok && lock.error.kind === 'bench-lock-unavailable') return undefined;
  return unwrap(lock);
}
