import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { forgetSearch, isUnfinished, searchRecipes } from '../../../../src/jobs/search/search-recipes.ts';
import { isMissed, type SearchResult } from '../../../../src/jobs/search/search-result.ts';
import type { Recipe } from '../../../../src/quantization/recipe.ts';
import {
  type FakeModel,
  fakeSearchDeps,
  fakeSearchRequest,
  fakeSearchWorkers,
  ProgramDied,
} from '../../../support/fake-search-workers.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { unwrap } from '../../../support/unwrap.ts';

/** Static int8 is fast, and the more accurate the more is done for it; the others are slow and exact. */
function world(recipe: Recipe): FakeModel {
  if (recipe.format !== 'static-int8') return { sqnrDb: 50, seconds: 0.009 };
  const mixed = recipe.minSqnrDb === undefined ? 0 : 20;
  const tuned = { none: 0, fast: 5, full: 6 }[recipe.tune];
  return { sqnrDb: 20 + mixed + tuned + (recipe.calibration.method === 'mse' ? 2 : 0), seconds: 0.003 };
}

const isMethod = (recipe: Recipe, method: string) =>
  'calibration' in recipe && recipe.calibration.method === method;

const withoutTimes = ({ seconds: _, candidates, quantization: ___, ...result }: SearchResult) => ({
  ...result,
  candidates: candidates.map(({ makingSeconds: __, ...rest }) => rest),
});

describe('searchRecipes', () => {
  it('never makes, tunes or chooses a candidate by samples that have another part to play', async () => {
    const workers = fakeSearchWorkers(world);
    const request = fakeSearchRequest(temporaryFolder());
    const { make, choose } = { make: [0, 2, 4, 5], choose: [1, 3] };
    unwrap(await searchRecipes(request, fakeSearchDeps(workers)));
    const parts = workers.tasks.map((task, position) => {
      switch (task.kind) {
        case 'quantize':
          // Tuning divides the part that it is given, and sees nothing else.
          expect(task.data).toEqual({ ...request.data, only: make });
          return 'make';
        case 'time':
          expect(task.data).toEqual({ ...request.data, only: choose });
          return 'choose';
        case 'evaluate':
          if (task.data.split === 'calib') {
            expect(task.data).toEqual({ ...request.data, only: choose });
            return 'choose';
          }
          // The evaluation split is read once, at the very end, for the one that was chosen.
          expect(position).toBe(workers.tasks.length - 1);
          expect(task.candidates.map(({ path }) => path)).toEqual([request.outputPath]);
          return 'evaluate';
        default:
          return task.kind;
      }
    });
    expect(parts.slice(0, 3)).toEqual(['digest', 'divide-samples', 'make']);
    expect(parts.filter((part) => part === 'make').length).toBeGreaterThan(15);
    expect(parts.filter((part) => part === 'evaluate')).toHaveLength(1);
  });

  it('has static candidates find the ranges of the other methods, too, where they run the samples', async () => {
    const workers = fakeSearchWorkers(world);
    unwrap(await searchRecipes(fakeSearchRequest(temporaryFolder()), fakeSearchDeps(workers)));
    const made = workers.tasks.flatMap((task) => (task.kind === 'quantize' ? [task] : []));
    expect(made[0]?.rangesCache?.further).toEqual(
      ['minmax', 'moving-average', 'percentile', 'entropy'].map((method) => ({ method })),
    );
    // Only what a later candidate asks for in the same words is found again.
    const asked = made.flatMap(({ recipe }) => ('calibration' in recipe ? [recipe.calibration] : []));
    expect(asked).toEqual(expect.arrayContaining([...(made[0]?.rangesCache?.further ?? [])]));
    expect(made.find(({ recipe }) => recipe.format === 'float16')?.rangesCache?.further).toEqual([]);
  });

  it('chooses the tuned one of the fastest kind, and leaves its model and all figures', async () => {
    const folder = temporaryFolder();
    const request = fakeSearchRequest(folder);
    const result = unwrap(await searchRecipes(request, fakeSearchDeps(fakeSearchWorkers(world))));
    expect(result).toMatchObject({
      ended: 'finished',
      choice: { label: 'static-int8 mse, tune full', standing: 'kept', missedGoals: [] },
      evaluation: { samples: 1000, standing: 'kept' },
      chosenBy: { metric: 'agreement', absolute: 0.01 },
    });
    expect(isMissed(result)).toBe(false);
    const written = JSON.parse(readFileSync(request.outputPath, 'utf8')) as Recipe;
    expect(written).toMatchObject({ tune: 'full', latencyGate: 'off', exclude: { nodes: ['slow'] } });
    expect(JSON.parse(readFileSync(join(request.stateFolder, 'result.json'), 'utf8'))).toMatchObject({
      choice: { label: 'static-int8 mse, tune full' },
    });
    expect(readdirSync(request.stateFolder).sort()).toEqual(['journal.jsonl', 'result.json']);
    expect(await isUnfinished(request.stateFolder)).toBe(false);
  });

  it('ends, wherever it was cut off, as one that was never interrupted, and does nothing twice', async () => {
    const whole = fakeSearchWorkers(world);
    const expected = unwrap(await searchRecipes(fakeSearchRequest(temporaryFolder()), fakeSearchDeps(whole)));
    // In the beginning, in every stage, and in the end.
    for (const dieAt of [0, 1, 2, 3, 4, 9, 20, 30, 34, 38, 41, whole.tasks.length - 1]) {
      const request = fakeSearchRequest(temporaryFolder());
      const first = fakeSearchWorkers(world);
      first.dieAt = dieAt;
      await expect(searchRecipes(request, fakeSearchDeps(first))).rejects.toThrow(ProgramDied);
      if (dieAt > 1) expect(await isUnfinished(request.stateFolder)).toBe(true);
      const second = fakeSearchWorkers(world);
      const result = unwrap(await searchRecipes(request, fakeSearchDeps(second)));
      expect(withoutTimes(result)).toEqual({
        ...withoutTimes(expected),
        model: request.modelPath,
        output: request.outputPath,
      });
      const done = (workers: typeof first) => workers.tasks.filter(({ kind }) => kind !== 'digest').length;
      expect(done(first) + done(second)).toBe(done(whole));
    }
  }, 120_000);

  it('has a best model at the output as soon as one is made, when it dies', async () => {
    const request = fakeSearchRequest(temporaryFolder());
    const workers = fakeSearchWorkers(world);
    workers.dieAt = 6;
    await expect(searchRecipes(request, fakeSearchDeps(workers))).rejects.toThrow(ProgramDied);
    expect(JSON.parse(readFileSync(request.outputPath, 'utf8'))).toMatchObject({ format: 'static-int8' });
  });

  it('finds the one recipe that keeps the budget of a model that all others ruin', async () => {
    const hostile = (recipe: Recipe): FakeModel =>
      recipe.format === 'static-int8' && recipe.minSqnrDb !== undefined
        ? { sqnrDb: 35, seconds: 0.006 }
        : { sqnrDb: 12, changed: 0.4, seconds: 0.003 };
    const result = unwrap(
      await searchRecipes(fakeSearchRequest(temporaryFolder()), fakeSearchDeps(fakeSearchWorkers(hostile))),
    );
    expect(result.choice).toMatchObject({ label: expect.stringContaining('mixed for'), standing: 'kept' });
    // The next levels of mixed precision have nothing to gain any more.
    expect(result.candidates.filter(({ effort }) => effort === 'mixed')).toHaveLength(1);
  });

  it('saves the best where the budget is missed, and says so', async () => {
    const request = fakeSearchRequest(temporaryFolder());
    const lossy = (recipe: Recipe): FakeModel => ({ changed: recipe.format === 'float16' ? 0.1 : 0.4 });
    const result = unwrap(await searchRecipes(request, fakeSearchDeps(fakeSearchWorkers(lossy))));
    expect(result).toMatchObject({
      choice: { label: 'float16', standing: 'missed' },
      evaluation: { standing: 'missed', loss: expect.closeTo(0.1), allowed: 0.01 },
    });
    expect(isMissed(result)).toBe(true);
    expect(JSON.parse(readFileSync(request.outputPath, 'utf8'))).toMatchObject({ format: 'float16' });
  });

  it('notes candidates that fail, and takes one for the others where int8 is slower than float32', async () => {
    const problem = { kind: 'int8-not-faster', message: 'int8 is slower than float32 on this host' };
    const crash = { kind: 'worker-crashed', message: 'the worker was ended by SIGSEGV' };
    const workers = fakeSearchWorkers((recipe) => {
      if ('latencyGate' in recipe && recipe.latencyGate === 'measured') return { problem };
      return recipe.format === 'dynamic-int8' ? { problem: crash } : world(recipe);
    });
    const result = unwrap(await searchRecipes(fakeSearchRequest(temporaryFolder()), fakeSearchDeps(workers)));
    const stateOf = (name: string) => result.candidates.find(({ label }) => label === name);
    expect(stateOf('dynamic-int8')).toMatchObject({ state: 'failed', reason: crash.message });
    expect(stateOf('static-int8 mse')).toMatchObject({ state: 'failed', reason: problem.message });
    expect(
      result.candidates.filter(({ family }) => family === 'static-int8').map(({ label }) => label),
    ).toEqual([
      'static-int8 mse',
      'static-int8 mse, all of it in int8',
      'static-int8 mse, all of it in int8, tune fast',
      'static-int8 mse, all of it in int8, tune full',
    ]);
    expect(result.leftOut).toContainEqual({
      label: 'other methods of static-int8',
      reason: `none would be faster: ${problem.message}`,
    });
  });

  it('does not take over what was not the fault of a candidate', async () => {
    const request = fakeSearchRequest(temporaryFolder());
    const full = { kind: 'disk-full', message: 'the disk has no room' };
    const first = fakeSearchWorkers((recipe) =>
      isMethod(recipe, 'entropy') ? { problem: full } : world(recipe),
    );
    unwrap(await searchRecipes(request, fakeSearchDeps(first)));
    const second = fakeSearchWorkers(world);
    unwrap(await searchRecipes(request, fakeSearchDeps(second)));
    const made = second.tasks.flatMap((task) => (task.kind === 'quantize' ? [task.recipe] : []));
    expect(made.some((recipe) => isMethod(recipe, 'entropy'))).toBe(true);
    expect(made.some((recipe) => isMethod(recipe, 'percentile'))).toBe(false);
  });

  it('judges again, and makes nothing again but what it judges, where the budget is another', async () => {
    const folder = temporaryFolder();
    unwrap(await searchRecipes(fakeSearchRequest(folder), fakeSearchDeps(fakeSearchWorkers(world))));
    const workers = fakeSearchWorkers(world);
    const other = fakeSearchRequest(folder, { budget: { metric: 'sqnr_db', atLeast: 10 } });
    unwrap(await searchRecipes(other, fakeSearchDeps(workers)));
    const evaluated = workers.tasks.filter(({ kind }) => kind === 'evaluate');
    expect(evaluated.length).toBeGreaterThan(15);
  });

  it('refuses what it cannot do, before anything is measured', async () => {
    const folder = temporaryFolder();
    const workers = fakeSearchWorkers(world);
    const search = (more: Parameters<typeof fakeSearchRequest>[1]) =>
      searchRecipes(fakeSearchRequest(folder, more), fakeSearchDeps(workers));
    expect(await search({ task: { name: 'fidelity', settings: {} } })).toMatchObject({
      error: { kind: 'budget-needed' },
    });
    expect(await search({ outputPath: join(folder, 'model.onnx') })).toMatchObject({
      error: { kind: 'output-not-writable' },
    });
    writeFileSync(join(folder, 'file'), '');
    expect(await search({ stateFolder: join(folder, 'file', 'state') })).toMatchObject({
      error: { kind: 'output-not-writable' },
    });
    expect(workers.tasks).toEqual([]);
  });

  it('says why where no candidate could be made', async () => {
    const broken = fakeSearchWorkers(() => ({ problem: { kind: 'x', message: 'it has no weights' } }));
    expect(await searchRecipes(fakeSearchRequest(temporaryFolder()), fakeSearchDeps(broken))).toMatchObject({
      error: { kind: 'search-found-nothing', message: expect.stringContaining('it has no weights') },
    });
  });

  it('is cancelled with the best so far, and goes on later', async () => {
    const request = fakeSearchRequest(temporaryFolder());
    const abort = new AbortController();
    const workers = fakeSearchWorkers(world);
    const quantize = workers.quantize;
    let made = 0;
    const cancelled = {
      ...workers,
      quantize: (async (...of) => {
        made += 1;
        if (made === 4) abort.abort();
        return made < 4 ? quantize(...of) : { ok: false, error: { kind: 'cancelled', message: 'cancelled' } };
      }) satisfies typeof quantize,
    };
    const result = unwrap(await searchRecipes(request, fakeSearchDeps(cancelled, { signal: abort.signal })));
    expect(result).toMatchObject({ ended: 'cancelled', evaluationProblem: { kind: 'cancelled' } });
    expect(result.candidates.at(-1)).toMatchObject({ state: 'not-done' });
    expect(existsSync(request.outputPath)).toBe(true);
    expect(await isUnfinished(request.stateFolder)).toBe(true);
    const later = fakeSearchWorkers(world);
    expect(unwrap(await searchRecipes(request, fakeSearchDeps(later))).ended).toBe('finished');
    const again = later.tasks.flatMap((task) => (task.kind === 'quantize' ? [task.subject] : []));
    expect(again).not.toContain('static-int8 mse');
  });

  it('forgets a search without touching what is not its own', async () => {
    const folder = temporaryFolder();
    const request = fakeSearchRequest(folder);
    mkdirSync(request.stateFolder);
    writeFileSync(join(request.stateFolder, 'notes.txt'), 'mine');
    writeFileSync(join(request.stateFolder, 'journal.jsonl'), '');
    await forgetSearch(request.stateFolder);
    expect(readdirSync(request.stateFolder)).toEqual(['notes.txt']);
    expect(await isUnfinished(join(folder, 'nowhere'))).toBe(false);
  });
});
