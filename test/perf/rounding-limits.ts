import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '../../src/benchmark/random.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { NamedTensors } from '../../src/core/tensor.ts';
import { quantizeModel } from '../../src/jobs/quantize-model.ts';
import { scratchModelOpener } from '../../src/jobs/scratch-models.ts';
import { openTaskData } from '../../src/jobs/task-data.ts';
import { type OnnxModel, readModel } from '../../src/onnx/model-file.ts';
import { nameNodes } from '../../src/onnx/passes/name-nodes.ts';
import { prepareModel } from '../../src/onnx/passes/prepare.ts';
import { writeModel } from '../../src/onnx/write-model.ts';
import { completeRecipe, type RecipeRequest } from '../../src/quantization/recipe.ts';
import { createOutputError } from '../../src/quantization/tuning/output-error.ts';
import { openSession, type SessionSettings } from '../../src/runtime/session.ts';
import { unwrap } from '../support/unwrap.ts';
import { agreementUnderNoise, type NoisyAgreement } from './agreement-under-noise.ts';
import { type OnRow, type PerfRow, plainRow } from './perf-row.ts';
import { withFineActivations, withFloatWeights } from './rounding-variants.ts';

const MODELS: Readonly<Record<string, string>> = {
  squeezenet1_1: 'squeezenet1_1.onnx',
  mobilenetv2_imagenet: 'mobilenetv2.onnx',
  resnet20_cifar10: 'resnet20.onnx',
  kwt1_speech: 'kwt1_mfcc.onnx',
};

const SAMPLES = 200;
const SEED = 1;
/** Names of the models, with commas between; all unless set. */
const ONLY = process.env['PTQ_ONLY']?.split(',');

/**
 * What each half of the rounding costs alone, in output SQNR on the evaluation split: of weights, with activations on 16
 * bits; of activations, with weights as they were; of both, in int8 kernels and as a simulation in float. It shows how far
 * rounding weights better can lead at most, and that the kernels lose nothing besides. Beside the answers that stay stands what noise
 * of the same SQNR would leave of them.
 */
export async function roundingLimits(onRow: OnRow): Promise<readonly PerfRow[]> {
  const { PTQ_MODELS: models, PTQ_DATA: data } = process.env;
  if (models === undefined || data === undefined) {
    console.error('set PTQ_MODELS and PTQ_DATA');
    return [];
  }
  const rows: PerfRow[] = [];
  for (const [name, file] of Object.entries(MODELS)) {
    if (ONLY?.includes(name) === false) continue;
    const scratch = mkdtempSync(join(tmpdir(), 'ptq-rounding-limits-'));
    try {
      for await (const [figure, closeness] of figuresOf(
        join(models, name, file),
        join(data, `${name}.npz`),
        scratch,
      )) {
        const row = rowOf(name, figure, closeness);
        onRow(row);
        rows.push(row);
      }
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  }
  return rows;
}

function rowOf(subject: string, figure: string, { sqnrDb, agreement, underNoise }: Closeness): PerfRow {
  const [mean, lower, upper] = [underNoise.mean, underNoise.lower, underNoise.upper].map((share) =>
    (share * 100).toFixed(1),
  );
  return {
    ...plainRow(subject, figure, `${sqnrDb.toFixed(1)} dB`),
    detail: `${(agreement * 100).toFixed(1)} % as float32, by noise ${mean} % [${lower}, ${upper}]`,
  };
}

/** How near a model is to float32. */
interface Closeness {
  readonly sqnrDb: number;
  readonly agreement: number;
  readonly underNoise: NoisyAgreement;
}

async function* figuresOf(
  modelPath: string,
  dataPath: string,
  scratch: string,
): AsyncGenerator<[string, Closeness]> {
  const original = unwrap(readModel(modelPath));
  unwrap(await prepareModel(original, { open: scratchModelOpener(scratch, 0) }));
  nameNodes(original);
  const run = createRunner(dataPath, scratch);
  const references = await run(original);
  const scores = references.map(scoresOf);
  const closenessOf = async (
    model: OnnxModel,
    graphOptimization?: SessionSettings['graphOptimization'],
  ): Promise<Closeness> => {
    const error = createOutputError();
    const outputs = await run(model, graphOptimization);
    outputs.forEach((own, at) => {
      error.add(references[at] as NamedTensors, own);
    });
    const kept = outputs.filter((own, at) => bestOf(scoresOf(own)) === bestOf(scores[at] as Float32Array));
    const sqnrDb = error.sqnrDb();
    return {
      sqnrDb,
      agreement: kept.length / outputs.length,
      underNoise: agreementUnderNoise(scores, sqnrDb, seededRandom(SEED)),
    };
  };
  const quantize = async (request: Omit<RecipeRequest, 'format'>) => {
    const report = await quantizeModel(
      {
        kind: 'quantize',
        modelPath,
        outputPath: join(scratch, 'int8.onnx'),
        data: { spec: { path: dataPath }, split: 'calib' },
        recipe: completeRecipe({ format: 'static-int8', latencyGate: 'off', ...request }),
        threads: 0,
      },
      { clock: systemClock, emit: () => {} },
    );
    return unwrap(readModel(report.output));
  };
  const nearest = await quantize({});
  yield ['tune none: int8', await closenessOf(nearest)];
  // Short of `extended`, the runtime does not fuse Q/DQ with what lies between.
  yield ['tune none: simulated in float', await closenessOf(nearest, 'basic')];
  yield ['tune none: weights alone', await closenessOf(withFineActivations(nearest))];
  yield ['tune none: activations alone', await closenessOf(withFloatWeights(nearest, original))];
  for (const tune of ['fast', 'full'] as const) {
    const tuned = await quantize({ tune });
    yield [`tune ${tune}: int8`, await closenessOf(tuned)];
    yield [`tune ${tune}: simulated in float`, await closenessOf(tuned, 'basic')];
    yield [`tune ${tune}: weights alone`, await closenessOf(withFineActivations(tuned))];
  }
}

/** These models have one output, of a score a class. */
function scoresOf(outputs: NamedTensors): Float32Array {
  return Object.values(outputs)[0]?.data as Float32Array;
}

function bestOf(scores: Float32Array): number {
  return scores.indexOf(scores.reduce((highest, value) => Math.max(highest, value)));
}

/** Runs models over the evaluation split. */
function createRunner(dataPath: string, scratch: string) {
  return async (model: OnnxModel, graphOptimization: SessionSettings['graphOptimization'] = 'all') => {
    const path = join(scratch, 'tried.onnx');
    unwrap(writeModel(model, path, { durable: false }));
    const session = unwrap(await openSession(path, { intraOpThreads: 0, graphOptimization }));
    const source = await openTaskData({ spec: { path: dataPath }, split: 'eval' }, session, {
      limit: SAMPLES,
    });
    const outputs: NamedTensors[] = [];
    for await (const { feeds } of source.samples()) outputs.push(await session.run(feeds));
    await source.close();
    await session.close();
    return outputs;
  };
}
