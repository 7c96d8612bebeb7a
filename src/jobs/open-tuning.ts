import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { evenPositions } from '../core/even-positions.ts';
import { type Problem, ProblemError, problem } from '../core/problem.ts';
import type { NamedTensors } from '../core/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import type { GraphView } from '../quantization/graph-view.ts';
import type { LeftFloat, Placement } from '../quantization/placement.ts';
import type { StaticRecipe } from '../quantization/recipe.ts';
import { type CalibrationWitness, witnessCalibration } from '../quantization/tuning/calibration-witness.ts';
import type { Draft } from '../quantization/tuning/draft.ts';
import { channelsToObserve } from '../quantization/tuning/draft-statistics.ts';
import type { TuningReport } from '../quantization/tuning/tune.ts';
import { tuningPasses } from '../quantization/tuning/tuning-passes.ts';
import { openSession } from '../runtime/session.ts';
import type { RecipeRun } from './applied-recipe.ts';
import type { CalibrationRun } from './calibrate-model.ts';
import type { QuantizeTask } from './quantize-task.ts';
import { requireLoadable } from './rejected-model.ts';
import { openTaskData } from './task-data.ts';
import { tuneModel } from './tune-model.ts';
import { divideSamples, type TuningSamples, tensorsSizeBytes } from './tuning-samples.ts';
import { unwrap } from './unwrap.ts';

/** A calibration split whose samples are divided for tuning. */
export interface OpenedTuning {
  readonly samples: TuningSamples;
  /**
   * How the calibration is to go. Ranges are found on the samples to learn from, which also tell of channels; those that
   * judge are run after them, as the original's outputs for them are needed.
   */
  calibrating(placement: Placement): Pick<CalibrationRun, 'only' | 'companion' | 'later'>;
  /** @param left what the latency gate leaves float */
  tune(draft: Draft, left?: LeftFloat): Promise<{ readonly draft: Draft; readonly report: TuningReport }>;
  close(): Promise<void>;
}

/**
 * Opens the calibration data of a recipe that tunes. Throws `ProblemError`: `tuning-not-possible`, `too-few-samples`, and what
 * opening and reading data reports.
 */
export async function openTuning(
  view: GraphView,
  recipe: StaticRecipe,
  run: RecipeRun,
): Promise<OpenedTuning> {
  const { task } = run;
  const data = requireData(task);
  const ports = await readPorts(view, run);
  const source = await openTaskData(data, ports, { limit: recipe.calibration.samples });
  try {
    const samples = await divideSamples(source);
    const { learn, judge } = samples.split;
    const references = createReferences();
    let witness: CalibrationWitness | undefined;
    return {
      samples,
      calibrating: (placement) => {
        const division = { only: new Set(learn), later: { positions: judge, add: references.add } };
        if (recipe.tune === 'none') return division;
        const kept = evenPositions(learn.length, KEPT_SAMPLES);
        witness = witnessCalibration(view, channelsToObserve({ view, placement }), {
          samples: learn.length,
          keptSamples: new Set(Array.from(kept, (at) => learn[at] as number)),
        });
        return { ...division, companion: witness };
      },
      tune: (draft, left = new Map()) => {
        const found = witness && { view, statistics: witness.statistics(), kept: witness.kept() };
        const tuning = { ...run, recipe, data, samples, references: references.outputs, left, found };
        return tuneModel(draft, tuningPasses(recipe), tuning);
      },
      close: () => source.close(),
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Outputs of the original are kept as long as they are no larger; samples beyond do not judge. */
const MOST_REFERENCE_BYTES = 64 * 2 ** 20;

/** Keeps what the original gives for the samples that judge: for the first of them where that of all is too much. */
function createReferences() {
  const kept = new Map<number, NamedTensors>();
  let sizeBytes = 0;
  return {
    outputs: kept as ReadonlyMap<number, NamedTensors>,
    add: (sample: number, outputs: NamedTensors): void => {
      if (sizeBytes > MOST_REFERENCE_BYTES) return;
      kept.set(sample, outputs);
      sizeBytes += tensorsSizeBytes(outputs);
    },
  };
}

/** So many samples, evenly spread, tell the ranges of tensors whose channels are scaled. */
const KEPT_SAMPLES = 32;

function requireData({ data, ranges, saveRangesPath, states = [] }: QuantizeTask) {
  if (ranges !== undefined || saveRangesPath !== undefined) {
    throw notPossible(
      'ranges that are read or saved are those of a model that is not tuned',
      'leave out the ranges, or --tune',
    );
  }
  if (states.length > 0) {
    throw notPossible(
      'a model that carries states cannot be tuned yet',
      'leave out --tune; --method mse or percentile, and --exclude for single nodes, work with states as well',
    );
  }
  if (data !== undefined) return data;
  throw notPossible('tuning needs calibration data', 'name it with --calibration, or leave out --tune');
}

function notPossible(message: string, hint: string): ProblemError {
  const cause: Problem<'tuning-not-possible'> = problem('tuning-not-possible', message, { hint });
  return new ProblemError(cause);
}

/** What the model takes and gives, as the runtime says it. */
async function readPorts(view: GraphView, { task, scratch }: RecipeRun) {
  const path = join(scratch, 'ports.onnx');
  unwrap(writeModel(view.model, path, { durable: false }));
  const settings = { intraOpThreads: 1, graphOptimization: 'disabled', inspectOnly: true } as const;
  const session = await openSession(path, settings);
  if (!session.ok) await requireLoadable(task.modelPath, task.threads);
  const { inputs, outputs, close } = unwrap(session);
  await close();
  await rm(path, { force: true });
  return { inputs, outputs };
}
