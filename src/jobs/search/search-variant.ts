import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { AutoRecipe, Profile } from '../../config/profile.ts';
import { type Clock, systemClock } from '../../core/clock.ts';
import { type Problem, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { createPhaseRecorder } from '../phase-recorder.ts';
import type { WorkerControls, WorkerHost } from '../worker-process.ts';
import { searchRecipes } from './search-recipes.ts';
import { searchWorkers } from './search-workers.ts';
import type { SearchedReport } from './searched-report.ts';

export interface VariantSearch {
  readonly profile: Profile;
  readonly variant: string;
  readonly recipe: AutoRecipe;
  readonly outputPath: string;
  /** Of all searches. */
  readonly searchesFolder: string;
}

/**
 * Searches the recipe of a variant with the task, the budget and the calibration split of its profile. The evaluation split is not
 * read: the run evaluates the variant as any other. A search that was cut off goes on when the variant is wanted again. The report is
 * that of the chosen model's quantization, with the search in it. Problems: `cancelled`, and those of `searchRecipes`.
 */
export async function searchVariant(
  { profile, variant, recipe, outputPath, searchesFolder }: VariantSearch,
  host: WorkerHost,
  { onEvent, signal }: WorkerControls,
  clock: Clock = systemClock,
): Promise<Result<SearchedReport, Problem>> {
  const { data, task, budget, bench } = profile;
  const { target = 'cpu', include, exclude, samples, goals, timeLimitSeconds } = recipe;
  // Both names are parts of paths by their form.
  const stateFolder = join(searchesFolder, `${profile.name}-${variant}`);
  const phase = createPhaseRecorder(clock, onEvent ?? (() => {}), { subject: variant });
  const found = await phase('quantize', () =>
    searchRecipes(
      {
        modelPath: profile.model,
        outputPath,
        stateFolder,
        data: { spec: data.set, split: data.calibration.split },
        samples,
        scope: {
          target,
          ...(include === undefined ? {} : { include }),
          ...(exclude === undefined ? {} : { exclude }),
        },
        task,
        budget,
        goals,
        threads: 0,
        latencyThreads: bench.threads,
        ...(timeLimitSeconds === undefined ? {} : { timeLimitSeconds }),
      },
      {
        workers: searchWorkers(host),
        clock,
        ...(signal === undefined ? {} : { signal }),
        onProgress: ({ done, total }) =>
          onEvent?.({
            kind: 'progress',
            progress: { phase: 'quantize', subject: variant, done, total, unit: 'candidates' },
          }),
      },
    ),
  );
  if (!found.ok) return found;
  const { quantization, ...search } = found.value;
  if (search.ended === 'cancelled') return err(problem('cancelled', 'the search was cancelled'));
  if (quantization === undefined) throw new Error('a search has the report of what it chose');
  await rm(stateFolder, { recursive: true, force: true });
  return ok({ ...quantization, search });
}
