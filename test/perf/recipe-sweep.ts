import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadProfile, type ProfileProblem } from '../../src/config/load-profiles.ts';
import type { Profile } from '../../src/config/profile.ts';
import type { Problem } from '../../src/core/problem.ts';
import type { ModelEvaluation } from '../../src/jobs/evaluate-task.ts';
import { runQuantization } from '../../src/jobs/run-quantization.ts';
import { runTask } from '../../src/jobs/worker-process.ts';
import type { Recipe } from '../../src/quantization/recipe.ts';
import { findRealModels } from '../support/real-models.ts';
import { writeRealProfile } from '../support/real-profiles.ts';
import { SWEEP_RECIPES } from '../support/sweep-recipes.ts';
import { type OnRow, type PerfRow, plainRow } from './perf-row.ts';

const WORKER = new URL('../../dist/jobs/worker-main.js', import.meta.url);

/** A recurrent network in bodies of If, transformers, detectors, and the oldest opset. */
const SUBJECTS = ['silero_vad', 'kwt1_mfcc', 'kwt1_wave', 'mnist_cntk', 'ultraface_rfb320', 'nanodet_coco'];

/** Refusals that say that a recipe does not fit a model; any other one is a defect of ours. */
const DOES_NOT_FIT: ReadonlySet<string> = new Set(['nothing-to-quantize']);

const SAMPLES = 256;

/**
 * Takes the real models through every recipe, the latency gate off so that what does not pay is made all the same: each
 * result is loaded and compared with the original on up to 256 samples of its own data, which also calibrate.
 */
export async function recipeSweep(onRow: OnRow): Promise<readonly PerfRow[]> {
  const { directory, reason } = findRealModels();
  if (directory === undefined) {
    console.error(reason);
    return [];
  }
  const scratch = mkdtempSync(join(tmpdir(), 'ptq-recipe-sweep-'));
  const rows: PerfRow[] = [];
  try {
    for (const name of SUBJECTS) {
      const profile = orThrow(await loadProfile(writeRealProfile(name, directory, scratch)));
      for (const [recipeName, { recipe }] of Object.entries(SWEEP_RECIPES)) {
        const row = await rowOf(profile, recipeName, recipe, join(scratch, 'quantized.onnx'));
        onRow(row);
        rows.push(row);
      }
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return rows;
}

function orThrow<T>(
  result:
    | { readonly ok: true; readonly value: T }
    | { readonly ok: false; readonly error: readonly ProfileProblem[] },
): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

async function rowOf(
  { name, model, data }: Profile,
  recipeName: string,
  recipe: Recipe,
  outputPath: string,
): Promise<PerfRow> {
  // Where the samples are split by the profile there are few of them.
  const splitNamed = (split: string) => (data.set.splits === undefined ? split : 'all');
  const states = data.states === undefined ? {} : { states: data.states };
  const limited =
    'calibration' in recipe
      ? { ...recipe, calibration: { ...recipe.calibration, samples: SAMPLES } }
      : recipe;
  const made = await runQuantization(
    { entry: WORKER },
    {
      kind: 'quantize',
      modelPath: model,
      outputPath,
      data: { spec: data.set, split: splitNamed('calib') },
      recipe: limited,
      threads: 0,
      ...states,
    },
  );
  if (!made.ok) return refusalRow(name, recipeName, made.error);
  const compared = await runTask(
    { entry: WORKER },
    {
      kind: 'evaluate',
      reference: { variant: 'original', path: model },
      candidates: [{ variant: 'quantized', path: outputPath }],
      data: { spec: data.set, split: splitNamed('eval') },
      samples: SAMPLES,
      task: { name: 'fidelity', settings: {} },
      budget: {},
      threads: 0,
      ...states,
    },
  );
  if (!compared.ok) return { ...plainRow(name, recipeName, compared.error.message), reached: false };
  const [evaluation] = compared.value as readonly [ModelEvaluation];
  const { sqnrDb, n, failed, nonFinite } = evaluation;
  const { ops, sizeBytes } = made.value;
  return {
    ...plainRow(name, recipeName, sqnrDb === null ? 'no difference' : `${sqnrDb.toFixed(1)} dB`),
    target: 'runs, finite',
    reached: n > 0 && failed.count === 0 && nonFinite.count === 0,
    detail: `${n} samples, ${ops.quantized} nodes, ${(sizeBytes.before / sizeBytes.after).toFixed(2)}x smaller`,
  };
}

function refusalRow(subject: string, figure: string, { kind, message }: Problem): PerfRow {
  return {
    ...plainRow(subject, figure, kind),
    target: 'fits or says why not',
    reached: DOES_NOT_FIT.has(kind),
    detail: message.slice(0, 160),
  };
}
