import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/core/clock.ts';
import type { Problem } from '../../src/core/problem.ts';
import { err, ok, type Result } from '../../src/core/result.ts';
import type { EvaluateTask } from '../../src/jobs/evaluate-task.ts';
import type { QuantizeReport, QuantizeTask } from '../../src/jobs/quantize-task.ts';
import type { DividedSamples } from '../../src/jobs/search/divide-samples.ts';
import type { SearchDeps, SearchRequest } from '../../src/jobs/search/search-request.ts';
import type { SearchWorkers } from '../../src/jobs/search/search-workers.ts';
import type { TimingOrder } from '../../src/jobs/search/time-candidates.ts';
import type { WorkerTask } from '../../src/jobs/worker-protocol.ts';
import type { Recipe } from '../../src/quantization/recipe.ts';
import { latency } from './fake-search.ts';

/** What a made-up world makes of a recipe. */
export interface FakeModel {
  /** Share of the answers that change, on whatever samples. */
  readonly changed?: number;
  readonly sqnrDb?: number;
  readonly seconds?: number;
  readonly problem?: Problem;
}

export interface FakeSearchWorkers extends SearchWorkers {
  /** Everything that was done, in order. */
  readonly tasks: (WorkerTask | (TimingOrder & { readonly kind: 'time' }))[];
  /** Stands for a crash of the whole program: thrown at this task, counted from 0. */
  dieAt: number;
}

export class ProgramDied extends Error {}

/** Workers that make files which name their recipe, and judge them by a function of it. */
export function fakeSearchWorkers(
  world: (recipe: Recipe) => FakeModel,
  divided: DividedSamples = { make: [0, 2, 4, 5], choose: [1, 3], isLabelled: false },
): FakeSearchWorkers {
  const note = (task: FakeSearchWorkers['tasks'][number]) => {
    if (workers.tasks.length === workers.dieAt) throw new ProgramDied();
    workers.tasks.push(task);
  };
  const recipeIn = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Recipe;
  const workers: FakeSearchWorkers = {
    tasks: [],
    dieAt: Number.POSITIVE_INFINITY,
    quantize: async (task) => {
      note(task);
      const { problem } = world(task.recipe);
      if (problem !== undefined) return err(problem);
      writeFileSync(task.outputPath, JSON.stringify(task.recipe));
      return ok(reportOf(task));
    },
    run: async (task): Promise<Result<unknown, Problem>> => {
      note(task);
      if (task.kind === 'digest') return ok({ modelDigest: 'm', dataDigest: 'd', modelSizeBytes: 4000 });
      if (task.kind === 'divide-samples') return ok(divided);
      if (task.kind !== 'evaluate') throw new Error(`a search does not need the task ${task.kind}`);
      return ok([evaluationOf(task, world(recipeIn(task.candidates[0]?.path ?? '')))]);
    },
    time: async (order) => {
      note({ ...order, kind: 'time' });
      const secondsOf = new Map(
        [...order.candidates].map(([label, path]) => [label, world(recipeIn(path)).seconds ?? 0.005]),
      );
      const fasterThan = (seconds: number) =>
        [...secondsOf].filter(([, other]) => other < seconds).map(([label]) => label);
      const latencies = [...secondsOf].map(
        ([label, seconds]) => [label, latency(seconds, fasterThan(seconds))] as const,
      );
      return ok({ latencies: new Map(latencies), isCutShort: false });
    },
  };
  return workers;
}

function reportOf({ modelPath, outputPath, recipe }: QuantizeTask): QuantizeReport {
  const isGated = 'latencyGate' in recipe && recipe.latencyGate === 'measured';
  return {
    model: modelPath,
    output: outputPath,
    recipe,
    seconds: 1,
    peakRssBytes: 1,
    sizeBytes: { before: 4000, after: recipe.format === 'static-int8' ? 1000 : 2000 },
    ops: { quantized: 3, float: [], fused: 3, notFused: [] },
    selfCheck: { on: 'data', samples: 8, sqnrDb: 30 },
    warnings: [],
    ...(isGated
      ? {
          latencyGate: {
            float32Seconds: 0.01,
            int8Seconds: 0.005,
            speedUp: { ratio: 2, lower: 1.9, upper: 2.1 },
            outcome: 'faster',
            leftFloat: 1,
            leftNodes: ['slow'],
            builds: 2,
            seconds: 1,
          },
        }
      : {}),
  };
}

function evaluationOf({ samples, data, budget }: EvaluateTask, { changed = 0, sqnrDb = 30 }: FakeModel) {
  const allowed = budget.absolute ?? budget.relative ?? 0.01;
  return {
    n: samples ?? data.only?.length ?? 1000,
    metric: 'agreement',
    agreement: 1 - changed,
    agreementInterval: { lower: 1 - changed - 0.005, upper: 1, confidence: 0.95 },
    allowedDrop: allowed,
    sqnrDb,
    verdict:
      changed + 0.005 < allowed ? 'non_inferior' : changed > 2 * allowed ? 'regressed' : 'inconclusive',
    verdictReason: `the answer changed on ${changed * 100} %`,
  };
}

/** A search in a folder, with an evaluation split of its own. */
export function fakeSearchRequest(folder: string, more: Partial<SearchRequest> = {}): SearchRequest {
  writeFileSync(join(folder, 'model.onnx'), 'a model');
  return {
    modelPath: join(folder, 'model.onnx'),
    outputPath: join(folder, 'out.onnx'),
    stateFolder: join(folder, 'out.onnx.search'),
    data: { spec: { path: join(folder, 'data.npz') }, split: 'calib' },
    scope: { target: 'cpu' },
    task: { name: 'classification', settings: {} },
    budget: { metric: 'top1', absolute: 0.01 },
    goals: {},
    evaluation: { data: { spec: { path: join(folder, 'data.npz') }, split: 'eval' } },
    threads: 1,
    latencyThreads: 1,
    ...more,
  };
}

export function fakeSearchDeps(workers: SearchWorkers, more: Partial<SearchDeps> = {}): SearchDeps {
  return { workers, clock: systemClock, ...more };
}
