import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { evenPositions } from '../core/even-positions.ts';
import type { NamedTensors } from '../core/tensor.ts';
import type { OnnxModel } from '../onnx/model-file.ts';
import { writeModel } from '../onnx/write-model.ts';
import type { GraphView } from '../quantization/graph-view.ts';
import type { LeftFloat } from '../quantization/placement.ts';
import { rangesOfEdges } from '../quantization/ranges-of-edges.ts';
import type { StaticRecipe } from '../quantization/recipe.ts';
import { runtimeProduct } from '../quantization/reconstruction/matrix-product.ts';
import type { Draft } from '../quantization/tuning/draft.ts';
import { createDraftStatistics, type FoundStatistics } from '../quantization/tuning/draft-statistics.ts';
import { createOutputError, type OutputError } from '../quantization/tuning/output-error.ts';
import { runPasses, type TuningReport } from '../quantization/tuning/tune.ts';
import type { TuningPass, TuningTools } from '../quantization/tuning/tuning-pass.ts';
import { openSession, type Session } from '../runtime/session.ts';
import type { RecipeRun } from './applied-recipe.ts';
import { calibrateModel } from './calibrate-model.ts';
import { placeFor, quantizedCopy } from './quantized-copy.ts';
import { scratchModelOpener } from './scratch-models.ts';
import type { TaskData } from './task-data.ts';
import { type TuningSamples, tensorsSizeBytes } from './tuning-samples.ts';
import { unwrap } from './unwrap.ts';

export interface TuningRun extends RecipeRun {
  readonly recipe: StaticRecipe;
  readonly data: TaskData;
  readonly samples: TuningSamples;
  /** What the latency gate leaves float. */
  readonly left: LeftFloat;
  /** What the calibration has seen of the original besides ranges. */
  readonly found?: FoundStatistics | undefined;
}

/**
 * Makes a draft more accurate, pass by pass, and judges each on samples that none of them learns from. Models are tried in
 * a file in `scratch`. Throws `ProblemError`: what building and running models reports.
 */
export async function tuneModel(
  draft: Draft,
  passes: readonly TuningPass[],
  run: TuningRun,
): Promise<{ readonly draft: Draft; readonly report: TuningReport }> {
  const { context, samples, task } = run;
  const { learn, judge } = samples.split;
  const subject = task.subject === undefined ? {} : { subject: task.subject };
  const product = runtimeProduct(scratchModelOpener(run.scratch, task.threads));
  const tools = { ...(await createTools(draft.view, run)), multiply: product.multiply };
  const { draft: tuned, report } = await runPasses(draft, passes, tools, {
    clock: context.clock,
    onPass: (done) => {
      context.emit({
        kind: 'progress',
        progress: { phase: 'quantize', ...subject, done, total: passes.length, unit: 'passes' },
      });
    },
  }).finally(product.close);
  return { draft: tuned, report: { samples: { learn: learn.length, judge: judge.length }, ...report } };
}

async function createTools(original: GraphView, run: TuningRun): Promise<Omit<TuningTools, 'multiply'>> {
  const { recipe, task, data, samples, scratch, context, left, found } = run;
  const settled = evenPositions(samples.split.learn.length, SETTLING_SAMPLES);
  const only = new Set(Array.from(settled, (at) => samples.split.learn[at] as number));
  let tried = 0;
  const withSession = async function* <T>(
    model: OnnxModel,
    use: (session: Session) => AsyncIterable<T>,
  ): AsyncGenerator<T> {
    tried += 1;
    const path = join(scratch, `tuning-${tried}.onnx`);
    unwrap(writeModel(model, path, { durable: false }));
    const session = unwrap(await openSession(path, { intraOpThreads: task.threads }));
    try {
      yield* use(session);
    } finally {
      await session.close();
      await rm(path, { force: true });
    }
  };
  const references = await referenceOutputs(original.model, samples, withSession);
  const allLeft = (more: LeftFloat = new Map()): LeftFloat => new Map([...left, ...more]);
  const quantize = ({ view, ranges, constants, left: more }: Draft) =>
    quantizedCopy(view, recipe, { ranges, left: allLeft(more), constants });
  const learn: TuningTools['learn'] = (model, limit) =>
    withSession(model, async function* (session) {
      for await (const { index, feeds } of samples.learn(limit)) {
        yield { sample: index, feeds, outputs: await session.run(feeds) };
      }
    });
  const errors = new WeakMap<Draft, OutputError>();
  const judged = async (draft: Draft): Promise<OutputError> => {
    const known = errors.get(draft);
    if (known !== undefined) return known;
    const error = createOutputError();
    const runs = withSession(quantize(draft), async function* (session) {
      for await (const { index, feeds } of samples.judge()) {
        const reference = references.get(index);
        if (reference !== undefined) yield { reference, candidate: await session.run(feeds) };
      }
    });
    for await (const { reference, candidate } of runs) error.add(reference, candidate);
    errors.set(draft, error);
    return error;
  };
  return {
    recipe,
    quantize,
    leave: (draft, more) => {
      const together = new Map([...(draft.left ?? []), ...more]);
      return {
        ...draft,
        left: together,
        placement: placeFor(draft.view, recipe, allLeft(together)),
        ranges: rangesOfEdges(draft.placement, draft.ranges),
      };
    },
    settle: async (view, known) => {
      const placement = placeFor(view, recipe, left);
      const tensors = [...new Set(placement.edges.values())].filter((tensor) => !known.has(tensor));
      const calibrating = { task, data, scratch, only };
      // The progress of a calibration within tuning would look like that of the first one.
      const quiet = { ...context, emit: () => {} };
      const { ranges } = await calibrateModel(view, tensors, recipe.calibration, calibrating, quiet);
      return { view, placement, ranges: new Map([...known, ...ranges]), constants: new Map() };
    },
    learn,
    statistics: createDraftStatistics(learn, found),
    judge: async (draft) => (await judged(draft)).sqnrDb(),
    noiseShares: async (draft) => (await judged(draft)).shares(),
  };
}

/** So many samples, evenly spread, give the ranges of a rewritten model: they are found from as many values as with all. */
const SETTLING_SAMPLES = 32;

/** Outputs of the original are kept as long as they are no larger; samples beyond do not judge. */
const MOST_REFERENCE_BYTES = 64 * 2 ** 20;

/** What the original gives for the samples that judge. */
async function referenceOutputs(
  model: OnnxModel,
  samples: TuningSamples,
  withSession: <T>(model: OnnxModel, use: (session: Session) => AsyncIterable<T>) => AsyncIterable<T>,
): Promise<ReadonlyMap<number, NamedTensors>> {
  const outputs = withSession(model, async function* (session) {
    for await (const { index, feeds } of samples.judge()) {
      yield [index, await session.run(feeds)] as const;
    }
  });
  const all = new Map<number, NamedTensors>();
  let sizeBytes = 0;
  for await (const [index, results] of outputs) {
    all.set(index, results);
    sizeBytes += tensorsSizeBytes(results);
    if (sizeBytes > MOST_REFERENCE_BYTES) break;
  }
  return all;
}
