import { basename } from 'node:path';
import { ProblemError, problem } from '../core/problem.ts';
import type { SkippedSample } from '../data/sample-source.ts';
import type { ValueRange } from '../quantization/affine.ts';
import type { Calibration } from '../quantization/calibration/calibrate.ts';
import type { GraphView } from '../quantization/graph-view.ts';
import type { CalibrationSettings } from '../quantization/recipe.ts';
import { onnxRuntimeVersion } from '../runtime/versions.ts';
import { agentVersion } from './agent-version.ts';
import {
  type CalibrationCompanion,
  calibrateModel,
  type FurtherCalibration,
  type LaterSamples,
} from './calibrate-model.ts';
import { digestInputs, digestModel } from './digest-inputs.ts';
import type { QuantizeTask } from './quantize-task.ts';
import { type CalibrationOrigin, openRangesCache } from './ranges-cache.ts';
import type { SavedRanges } from './saved-ranges.ts';
import type { TaskContext } from './task-context.ts';

/** Ranges for what is to be quantized, and what finding them took. */
export interface FoundRanges {
  readonly ranges: ReadonlyMap<string, ValueRange>;
  /** With the samples that come later. */
  readonly rangesOfAll?: ReadonlyMap<string, ValueRange>;
  /** All that were run. */
  readonly samples: number;
  readonly seconds: number;
  readonly inferenceSeconds: number;
  /** Samples that could not be read and were left out. */
  readonly skipped?: readonly SkippedSample[];
  /** They come from a file or from an earlier calibration: nothing was run, and the seconds are 0. */
  readonly reused?: true;
}

/**
 * The ranges of `tensors`: those of the file that the task names, or those that an earlier task left in the cache, or
 * those that calibration finds, which are then saved where the task says. Throws `ProblemError`; `no-calibration-data`
 * where there is neither a file nor data.
 * @param run `scratch` is an empty folder for the model that observes; with `only`, ranges of a part of the samples are
 *   found, which are not those that a cache keeps
 */
export async function findRanges(
  view: GraphView,
  tensors: readonly string[],
  settings: CalibrationSettings,
  run: {
    readonly task: QuantizeTask;
    readonly scratch: string;
    readonly only?: ReadonlySet<number>;
    readonly companion?: CalibrationCompanion;
    readonly later?: LaterSamples;
  },
  context: TaskContext,
): Promise<FoundRanges> {
  const { task } = run;
  if (task.ranges !== undefined) return rangesOfFile(view, tensors, task, task.ranges);
  const { data } = task;
  if (data === undefined) throw noCalibrationData(task);
  const isKept = task.saveRangesPath !== undefined || task.rangesCache !== undefined;
  if (!isKept || run.only !== undefined) {
    return figuresOf(await calibrateModel(view, tensors, settings, { ...run, data }, context));
  }
  const digests =
    task.rangesCache?.digests ??
    (await digestInputs({ kind: 'digest', modelPath: task.modelPath, data: data.spec }));
  const made = { settings, task, data, digests };
  const cache = openRangesCache(task.rangesCache?.folder, view, made);
  const cached = await cache.read();
  const isCovered = cached !== undefined && tensors.every((tensor) => Object.hasOwn(cached.tensors, tensor));
  const further = task.rangesCache?.further ?? [];
  const calibration = isCovered
    ? reused(cached, pickRanges(cached, tensors))
    : await calibrateModel(view, tensors, settings, { ...run, data, further }, context);
  const saved = isCovered ? cached : describe(calibration, made);
  if (!isCovered) await cache.write({ ...saved, tensors: { ...cached?.tensors, ...saved.tensors } });
  if ('further' in calibration) await keepFurther(view, calibration, made);
  if (task.saveRangesPath !== undefined) {
    // Loaded when needed, as it brings a schema library.
    const { writeRanges } = await import('./write-ranges.ts');
    await writeRanges(task.saveRangesPath, saved);
  }
  return figuresOf(calibration);
}

/** As if each of them had been asked for. */
async function keepFurther(
  view: GraphView,
  { further, samples }: { readonly further: readonly FurtherCalibration[]; readonly samples: number },
  made: CalibrationOrigin,
): Promise<void> {
  for (const { settings, ...found } of further) {
    const origin = { ...made, settings };
    const cache = openRangesCache(made.task.rangesCache?.folder, view, origin);
    const cached = await cache.read();
    const saved = describe({ ...found, samples }, origin);
    await cache.write({ ...saved, tensors: { ...cached?.tensors, ...saved.tensors } });
  }
}

async function rangesOfFile(
  view: GraphView,
  tensors: readonly string[],
  task: QuantizeTask,
  { file, saved, anyModel }: NonNullable<QuantizeTask['ranges']>,
): Promise<FoundRanges> {
  const { chooseRanges, requireSameModel } = await import('./match-ranges.ts');
  if (!anyModel) requireSameModel(file, saved, task.modelPath, await digestModel(task.modelPath));
  return reused(saved, chooseRanges(saved, tensors, view, file));
}

function pickRanges({ tensors: saved }: SavedRanges, tensors: readonly string[]) {
  return new Map(
    tensors.flatMap((tensor) => {
      const range = saved[tensor];
      return range === undefined ? [] : [[tensor, { min: range.min, max: range.max }] as const];
    }),
  );
}

function reused({ data }: SavedRanges, ranges: ReadonlyMap<string, ValueRange>): FoundRanges {
  return { ranges, samples: data.samples, seconds: 0, inferenceSeconds: 0, reused: true };
}

/** What the report tells, without what is only saved. */
function figuresOf({
  observed: _,
  further: __,
  ...found
}: FoundRanges & Pick<Calibration, 'observed'> & { readonly further?: unknown }): FoundRanges {
  return found;
}

function describe(
  { ranges, observed, samples }: Pick<Calibration, 'ranges' | 'observed' | 'samples'>,
  { settings, task, data, digests }: CalibrationOrigin,
): SavedRanges {
  const tensors = [...ranges].map(([name, { min, max }]) => {
    const seen = observed?.get(name);
    return [name, { min, max, ...(seen === undefined ? {} : { observed: seen }) }] as const;
  });
  return {
    format: 'ptq-agent ranges',
    version: 1,
    model: { file: basename(task.modelPath), sha256: digests.modelDigest },
    data: { file: basename(data.spec.path), sha256: digests.dataDigest, split: data.split, samples },
    calibration: settings,
    versions: { 'ptq-agent': agentVersion(), onnxruntime: onnxRuntimeVersion() },
    tensors: Object.fromEntries(tensors),
  };
}

function noCalibrationData({ recipe }: QuantizeTask): ProblemError {
  return new ProblemError(
    problem('no-calibration-data', `${recipe.format} needs calibration data`, {
      hint: 'name it with --calibration, or saved ranges with --ranges, or take dynamic-int8, which needs neither',
    }),
  );
}
