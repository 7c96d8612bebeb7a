import type { Profile } from '../config/profile.ts';
import { longestGapSeconds } from '../config/schedule.ts';
import { PROFILE_SUITE } from '../config/suite.ts';
import { asError } from '../core/as-error.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { ModelSeries } from '../metrics/forget-models.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { completeRecipe } from '../quantization/recipe.ts';
import type { Store } from '../store/store.ts';
import type { ModelRegistry } from './model-registry.ts';
import type { PipelineResult } from './pipeline.ts';
import { countInferences, recordQuantizations, recordResult, recordRunUse } from './result-metrics.ts';
import { showWatched } from './watching/show-series.ts';

export interface ExportDeps {
  readonly store: Store;
  readonly metrics: Metrics;
  readonly models: Pick<ModelRegistry, 'get'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const MAX_RESTORED = 20;

/** What a profile can have series of. */
export function seriesOf({ variants, bench }: Profile): ModelSeries {
  return {
    variants: new Set(['fp32', ...variants.map(({ name }) => name)]),
    suites: new Set([PROFILE_SUITE, ...bench.suites.map(({ name }) => name)]),
  };
}

/** The result is safe in the store; a bug in showing it must not end the queue. */
export function exportResult(
  { metrics, models, clock, logger }: ExportDeps,
  profile: Profile,
  runId: string,
  result: PipelineResult,
): void {
  // The model may have been removed, or have another profile, since the run began.
  const current = models.get(profile.name);
  if (current === undefined) return;
  try {
    const finishedWallMs = clock.wallMs();
    recordResult(metrics, profile, result, finishedWallMs);
    recordRunUse(metrics, profile, result, finishedWallMs);
    recordQuantizations(metrics, profile, runId, result);
    countInferences(metrics, profile, result);
    if (current !== profile) metrics.forgetModel(profile.name, seriesOf(current));
  } catch (error) {
    logger.error('a result cannot be exported', { model: profile.name, stack: asError(error).stack });
  }
}

/** What people order beside full runs. */
const PARTIAL_KINDS = ['bench', 'evaluate', 'quantize', 'explain'] as const;

/** Begins the counters of a model and shows its schedule. */
export function expectModel({ metrics, clock }: ExportDeps, profile: Profile): void {
  const scheduleSeconds = longestGapSeconds(profile.schedule, new Date(clock.wallMs()));
  metrics.expectModel({
    model: profile.name,
    methods: profile.variants.map(methodOf),
    ...(scheduleSeconds === undefined ? {} : { scheduleSeconds }),
  });
}

/** Begins the counters of a model, shows its last full run again, and over it the benchmarks that came later. */
export function restoreMetrics(deps: ExportDeps, profile: Profile): void {
  const { store, metrics, logger } = deps;
  expectModel(deps, profile);
  const ofModel = { model: profile.name, state: 'succeeded' } as const;
  const [full] = store.listRuns({ ...ofModel, kind: 'pipeline', limit: 1 });
  const later = PARTIAL_KINDS.flatMap((kind) => store.listRuns({ ...ofModel, kind, limit: MAX_RESTORED }))
    .filter(({ id }) => full === undefined || id > full.id)
    .sort((one, other) => (one.id < other.id ? -1 : 1));
  for (const run of [...(full === undefined ? [] : [full]), ...later]) {
    try {
      // Results are written by this class alone, so they have the result's shape, unless by another version of it.
      const result = run.result as PipelineResult;
      const finishedWallMs = run.finishedMs ?? run.createdMs;
      recordResult(metrics, profile, result, finishedWallMs);
      recordRunUse(metrics, profile, result, finishedWallMs);
    } catch (error) {
      logger.warn('an earlier result cannot be shown', { run: run.id, reason: asError(error).message });
    }
  }
  showWatched(deps, profile.name, seriesOf(profile));
  // Its profile may have other variants now than those of its last runs.
  metrics.forgetModel(profile.name, seriesOf(profile));
}

function methodOf(variant: Profile['variants'][number]): string {
  // Which recipe a search takes may change from run to run, and a label that does would be another series.
  if (variant.recipe.format === 'auto') return 'auto';
  const recipe = completeRecipe(variant.recipe);
  return 'calibration' in recipe ? recipe.calibration.method : 'none';
}
