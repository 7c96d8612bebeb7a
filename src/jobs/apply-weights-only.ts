import { join } from 'node:path';
import { secondsBetween } from '../core/clock.ts';
import { ProblemError, problem } from '../core/problem.ts';
import { carryStates } from '../data/carried-state.ts';
import type { Sample, SampleSource } from '../data/sample-source.ts';
import type { GraphProto } from '../onnx/messages.ts';
import type { OnnxModel } from '../onnx/model-file.ts';
import { writeModel } from '../onnx/write-model.ts';
import type { GraphView } from '../quantization/graph-view.ts';
import { runtimeProduct } from '../quantization/reconstruction/matrix-product.ts';
import { auditWeightsOnly } from '../quantization/weight-only/audit-weights-only.ts';
import { type LearnedCodes, learnCodes } from '../quantization/weight-only/learn-codes.ts';
import { quantizeWeightsOnly } from '../quantization/weight-only/quantize-weights-only.ts';
import type { WeightOnlyRecipe } from '../quantization/weight-only/recipe.ts';
import { openSession } from '../runtime/session.ts';
import type { AppliedRecipe, RecipeRun } from './applied-recipe.ts';
import { leftOutSamples } from './left-out-samples.ts';
import { peakRssBytes } from './process-memory.ts';
import type { CalibrationReport, QuantizeTask } from './quantize-task.ts';
import { requireLoadable } from './rejected-model.ts';
import { scratchModelOpener } from './scratch-models.ts';
import { openTaskData } from './task-data.ts';
import { unwrap } from './unwrap.ts';

/** What inputs have in common does not become clearer by more samples. */
const MOST_SAMPLES = 128;

/** Quantizes weights alone, by calibration data where the algorithm is one that asks for them. Throws `ProblemError`. */
export async function applyWeightsOnly(
  view: GraphView,
  recipe: WeightOnlyRecipe,
  run: RecipeRun,
): Promise<AppliedRecipe> {
  const seen =
    recipe.algorithm === 'gptq' ? await run.phase('calibrate', () => learn(view, recipe, run)) : undefined;
  return run.phase('quantize', async () => {
    const nodes = view.graph.node;
    const { quantized, float } = unwrap(quantizeWeightsOnly(view, recipe, seen?.learned));
    const audit = (optimized: GraphProto) => auditWeightsOnly(quantized, view.graph, optimized);
    const unseen =
      seen === undefined ? 0 : quantized.length - nodes.filter((node) => seen.learned.has(node)).length;
    return {
      quantized: quantized.length,
      float,
      ...(seen === undefined ? {} : { calibration: seen.report }),
      warnings: [
        ...(unseen === 0
          ? []
          : [
              `weights of ${unseen} nodes were rounded to nearest: their inputs cannot be seen, or tell too little`,
            ]),
        ...(seen === undefined || seen.skipped === 0
          ? []
          : [`${leftOutSamples(seen.skipped)} of the calibration`]),
      ],
      audit,
    };
  });
}

interface Learned {
  readonly learned: LearnedCodes;
  readonly report: CalibrationReport;
  readonly skipped: number;
}

async function learn(
  view: GraphView,
  recipe: WeightOnlyRecipe,
  { task, scratch, context: { clock, emit } }: RecipeRun,
): Promise<Learned> {
  const { data, states = [], subject } = task;
  if (data === undefined) throw noCalibrationData(recipe);
  const startNs = clock.nowNs();
  const path = join(scratch, 'observing.onnx');
  const modelOutputs = new Set(view.graph.output.map(({ name }) => name));
  let samples = 0;
  let skipped = 0;
  let inferenceNs = 0n;
  const run = async function* (model: OnnxModel) {
    unwrap(writeModel(model, path, { durable: false }));
    const session = unwrap(await openObserving(path, task));
    let source: SampleSource | undefined;
    try {
      const outputs = session.outputs.filter(({ name }) => modelOutputs.has(name));
      source = await openTaskData(data, { inputs: session.inputs, outputs }, { states });
      const runBatch = carryStates(session.run, states);
      const total = Math.min(source.count, MOST_SAMPLES);
      samples = 0;
      for await (const { feeds } of chosen(source, states.length > 0)) {
        const runNs = clock.nowNs();
        const results = await runBatch(feeds);
        inferenceNs += clock.nowNs() - runNs;
        yield { outputs: results };
        samples += 1;
        const named = subject === undefined ? {} : { subject };
        emit({
          kind: 'progress',
          progress: { phase: 'calibrate', ...named, done: samples, total, unit: 'samples' },
        });
      }
      skipped = source.skipped().length;
    } finally {
      await source?.close();
      await session.close();
    }
  };
  const product = runtimeProduct(scratchModelOpener(scratch, task.threads));
  const learned = await learnCodes(view, recipe, run, product.multiply).finally(product.close);
  return {
    learned,
    skipped,
    report: {
      method: recipe.algorithm,
      samples,
      seconds: secondsBetween(startNs, clock.nowNs()),
      inferenceSeconds: Number(inferenceNs) / 1e9,
      peakRssBytes: peakRssBytes(),
    },
  };
}

async function openObserving(path: string, { modelPath, threads }: QuantizeTask) {
  const session = await openSession(path, { intraOpThreads: threads });
  if (!session.ok) await requireLoadable(modelPath, threads);
  return session;
}

/** As many as are wanted, evenly spread, as data sets are often sorted; the first ones where states are carried. */
async function* chosen(source: SampleSource, inSequence: boolean): AsyncGenerator<Sample> {
  const step = inSequence ? 1 : Math.max(1, Math.floor(source.count / MOST_SAMPLES));
  let given = 0;
  for await (const sample of source.samples({ step })) {
    yield sample;
    given += 1;
    if (given === MOST_SAMPLES) return;
  }
}

function noCalibrationData({ format, algorithm }: WeightOnlyRecipe): ProblemError {
  return new ProblemError(
    problem('no-calibration-data', `${format} with the algorithm ${algorithm} needs calibration data`, {
      hint: 'name it with --calibration, or take the algorithm hqq, which needs none',
    }),
  );
}
