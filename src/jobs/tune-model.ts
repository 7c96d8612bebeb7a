import { evenPositions } from '../core/even-positions.ts';
import { runAhead } from '../core/run-ahead.ts';
import type { NamedTensors } from '../core/tensor.ts';
import type { Sample } from '../data/sample-source.ts';
import type { OnnxModel } from '../onnx/model-file.ts';
import type { LeftFloat } from '../quantization/placement.ts';
import { rangesOfEdges } from '../quantization/ranges-of-edges.ts';
import type { StaticRecipe } from '../quantization/recipe.ts';
import { runtimeProduct } from '../quantization/reconstruction/matrix-product.ts';
import type { Draft } from '../quantization/tuning/draft.ts';
import { createDraftStatistics, type FoundStatistics } from '../quantization/tuning/draft-statistics.ts';
import { rangesOfScaled } from '../quantization/tuning/kept-values.ts';
import type { LearningRun } from '../quantization/tuning/learning-run.ts';
import { createOutputError, type OutputError } from '../quantization/tuning/output-error.ts';
import { runPasses, type TuningReport } from '../quantization/tuning/tune.ts';
import type { TuningPass, TuningTools } from '../quantization/tuning/tuning-pass.ts';
import type { RecipeRun } from './applied-recipe.ts';
import { calibrateModel } from './calibrate-model.ts';
import { createModelRunner, type ModelRunner } from './model-runner.ts';
import { placeFor, quantizedCopy } from './quantized-copy.ts';
import { scratchModelOpener } from './scratch-models.ts';
import type { TaskData } from './task-data.ts';
import type { TuningSamples } from './tuning-samples.ts';

export interface TuningRun extends RecipeRun {
  readonly recipe: StaticRecipe;
  readonly data: TaskData;
  readonly samples: TuningSamples;
  /** What the original gives for the first samples that judge; others do not. */
  readonly references: ReadonlyMap<number, NamedTensors>;
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
  const { scratch } = run;
  const product = runtimeProduct(scratchModelOpener(scratch, task.threads));
  const runner = createModelRunner({ scratch, threads: task.threads, sessionEntry: context.sessionEntry });
  try {
    const tools = { ...createTools(run, runner), multiply: product.multiply };
    const { draft: tuned, report } = await runPasses(draft, passes, tools, {
      clock: context.clock,
      onPass: (done) => {
        context.emit({
          kind: 'progress',
          progress: { phase: 'quantize', ...subject, done, total: passes.length, unit: 'passes' },
        });
      },
    });
    return { draft: tuned, report: { samples: { learn: learn.length, judge: judge.length }, ...report } };
  } finally {
    await runner.close();
    await product.close();
  }
}

function createTools(run: TuningRun, runner: ModelRunner): Omit<TuningTools, 'multiply'> {
  const { recipe, task, data, samples, references, scratch, context, left, found } = run;
  const settled = evenPositions(samples.split.learn.length, SETTLING_SAMPLES);
  const only = new Set(Array.from(settled, (at) => samples.split.learn[at] as number));
  const outputsOf: ModelOutputs = async function* (model, samplesToRun) {
    const session = await runner.open(model, 'codes');
    try {
      const run = async ({ index, feeds }: Sample) => ({
        sample: index,
        feeds,
        outputs: await session.run(feeds),
      });
      yield* runAhead(samplesToRun, run, session.runsAtOnce);
    } finally {
      await session.close();
    }
  };
  const allLeft = (more: LeftFloat = new Map()): LeftFloat => new Map([...left, ...more]);
  const quantize = ({ view, ranges, constants, left: more }: Draft) =>
    quantizedCopy(view, recipe, { ranges, left: allLeft(more), constants });
  const learn: TuningTools['learn'] = (model, limit) => outputsOf(model, samples.learn(limit));
  const errors = new WeakMap<Draft, OutputError>();
  const judged = async (draft: Draft): Promise<OutputError> => {
    const known = errors.get(draft);
    if (known !== undefined) return known;
    const error = createOutputError();
    for await (const { sample, outputs } of outputsOf(quantize(draft), samples.judge(references.size))) {
      error.add(references.get(sample) as NamedTensors, outputs);
    }
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
    settle: async (view, known, { from, scalesOf }) => {
      const placement = placeFor(view, recipe, left);
      const wanted = [...new Set(placement.edges.values())].filter((tensor) => !known.has(tensor));
      const told =
        found?.view === from ? rangesOfScaled(wanted, found.kept, scalesOf, recipe.calibration) : new Map();
      const missing = wanted.filter((tensor) => !told.has(tensor));
      const ranges = new Map([...known, ...told]);
      if (missing.length > 0) {
        const calibrating = { task, data, scratch, only };
        // The progress of a calibration within tuning would look like that of the first one.
        const quiet = { ...context, emit: () => {} };
        const calibrated = await calibrateModel(view, missing, recipe.calibration, calibrating, quiet);
        for (const [tensor, range] of calibrated.ranges) ranges.set(tensor, range);
      }
      return { view, placement, ranges, constants: new Map() };
    },
    learn,
    statistics: createDraftStatistics(learn, found),
    judge: async (draft) => (await judged(draft)).sqnrDb(),
    noiseShares: async (draft) => (await judged(draft)).shares(),
  };
}

/** So many samples, evenly spread, give the ranges of a rewritten model: they are found from as many values as with all. */
const SETTLING_SAMPLES = 32;

/** Runs a model over samples; what it gives for them comes in their order. */
type ModelOutputs = (model: OnnxModel, samples: AsyncIterable<Sample>) => AsyncIterable<LearningRun>;
