import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { problem } from '../../src/core/problem.ts';
import { err } from '../../src/core/result.ts';
import { searchRecipes } from '../../src/jobs/search/search-recipes.ts';
import { isMissed } from '../../src/jobs/search/search-result.ts';
import { type SearchWorkers, searchWorkers } from '../../src/jobs/search/search-workers.ts';
import type { Recipe } from '../../src/quantization/recipe.ts';
import { DIGITS_DATA, isBuilt } from '../support/program.ts';
import { skewedDigits, upToThousand } from '../support/skewed-digits.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unwrap } from '../support/unwrap.ts';

const WORKER = new URL('../../dist/jobs/worker-main.js', import.meta.url);

/** The workers of the program, which are given few recipes and little time for latency, so that the search is short. */
function hastyWorkers(): SearchWorkers {
  const workers = searchWorkers({ entry: WORKER });
  return {
    ...workers,
    quantize: async (task, controls) =>
      isQuick(task.recipe)
        ? workers.quantize(task, controls)
        : err(problem('not-tried', 'it takes too long here')),
    time: (order, deps) => workers.time({ ...order, withinSeconds: 10 }, deps),
  };
}

function isQuick(recipe: Recipe): boolean {
  if (recipe.format !== 'static-int8') return false;
  const { calibration, perTensor, tune, minSqnrDb } = recipe;
  // Of two that are tuned, the one would be chosen that is faster at the time.
  const isTooMuch = tune === 'full' || (tune === 'fast' && perTensor) || minSqnrDb !== undefined;
  return calibration.method === 'minmax' && !isTooMuch;
}

it.skipIf(!isBuilt)(
  'a search keeps the budget in int8 where channels skewed by a thousand lose all that is not tuned (skipped where `npm run build` was not run)',
  async () => {
    const folder = temporaryFolder();
    const data = { spec: { path: DIGITS_DATA } };
    const result = unwrap(
      await searchRecipes(
        {
          modelPath: await skewedDigits(upToThousand),
          outputPath: join(folder, 'best.onnx'),
          stateFolder: join(folder, 'search'),
          data: { ...data, split: 'calib' },
          samples: 90,
          scope: { target: 'cpu' },
          task: { name: 'classification', settings: {} },
          budget: { metric: 'agreement', absolute: 0.01 },
          goals: {},
          evaluation: { data: { ...data, split: 'eval' } },
          threads: 1,
          latencyThreads: 1,
        },
        { workers: hastyWorkers(), clock: systemClock },
      ),
    );
    const lossOf = (wanted: string) =>
      result.candidates.find(({ label }) => label === wanted)?.accuracy?.loss ?? Number.NaN;
    expect(lossOf('static-int8 minmax')).toBeGreaterThan(0.5);
    expect(lossOf('static-int8 minmax, per tensor')).toBeGreaterThan(0.5);
    expect(result.choice.label).toBe('static-int8 minmax, tune fast');
    // On samples that nothing was made from or chosen by.
    expect(result.evaluation).toMatchObject({ samples: 797, metric: 'agreement', standing: 'kept' });
    expect(isMissed(result)).toBe(false);
  },
  240_000,
);
