import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/core/clock.ts';
import { openSamples } from '../../src/data/open-samples.ts';
import { evaluateModels } from '../../src/jobs/evaluate-models.ts';
import { resolveRecipe } from '../../src/jobs/resolve-recipe.ts';
import { readModel } from '../../src/onnx/model-file.ts';
import { eliminateDead } from '../../src/onnx/passes/eliminate-dead.ts';
import { nameNodes } from '../../src/onnx/passes/name-nodes.ts';
import { prepareModel } from '../../src/onnx/passes/prepare.ts';
import { writeModel } from '../../src/onnx/write-model.ts';
import type { ValueRange } from '../../src/quantization/affine.ts';
import { calibrate } from '../../src/quantization/calibration/calibrate.ts';
import { observeTensors } from '../../src/quantization/calibration/observation.ts';
import { createObserver, valuesPerRun } from '../../src/quantization/calibration/observers.ts';
import { type GraphView, viewGraph } from '../../src/quantization/graph-view.ts';
import { insertQdq } from '../../src/quantization/insert-qdq.ts';
import { placeQuantization } from '../../src/quantization/placement.ts';
import { qdqSettings } from '../../src/quantization/qdq-settings.ts';
import { STATIC_INT8, type StaticRecipe } from '../../src/quantization/recipe.ts';
import { readCpuFeatures } from '../../src/runtime/cpu-features.ts';
import { openSession } from '../../src/runtime/session.ts';
import { unwrap } from '../support/unwrap.ts';
import { BASELINE_MODELS, bundledSubject, findSubjects, type PeerSubject } from './peer-subjects.ts';
import { type OnRow, type PerfRow, plainRow } from './perf-row.ts';
import { median } from './statistics.ts';

const METHODS = ['percentile', 'entropy', 'mse'] as const;
type Method = (typeof METHODS)[number];

type Ranges = ReadonlyMap<string, ValueRange>;

/** How much of the values a calibration looks at. */
interface Counting {
  readonly wholeMaps: boolean;
  readonly mostValues: (samples: number) => number;
}

const EVERYTHING: Counting = { wholeMaps: true, mostValues: () => Number.POSITIVE_INFINITY };
const SAMPLED: Counting = { wholeMaps: false, mostValues: valuesPerRun };

const RECIPE = resolveRecipe(STATIC_INT8, readCpuFeatures()) as StaticRecipe;
const EVALUATED_SAMPLES = 100;

/**
 * What the sampling of the histogram methods does: the ranges that it gives against those from counting every value of
 * the same runs, and what becomes of the quantized model on other samples.
 */
export async function sampledRanges(onRow: OnRow): Promise<readonly PerfRow[]> {
  const subjects = [bundledSubject(), ...findSubjects(BASELINE_MODELS, (reason) => console.error(reason))];
  const rows: PerfRow[] = [];
  for (const subject of subjects) {
    for (const row of await compareCountings(subject)) {
      onRow(row);
      rows.push(row);
    }
  }
  return rows;
}

async function compareCountings(subject: PeerSubject): Promise<readonly PerfRow[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'ptq-sampled-ranges-'));
  try {
    const full = await findRanges(subject, EVERYTHING, scratch);
    const sampled = await findRanges(subject, SAMPLED, scratch);
    const rows: PerfRow[] = [];
    for (const method of METHODS) {
      const shifts = shiftsOf(full[method], sampled[method]);
      const before = await sqnrWith(subject, full[method], scratch);
      const after = await sqnrWith(subject, sampled[method], scratch);
      const name = `${subject.name}, ${method}`;
      rows.push(
        {
          ...plainRow(name, 'range, sampled / counted in full', percent(median(shifts))),
          detail: `worst ${percent(Math.max(...shifts))}`,
        },
        {
          ...plainRow(name, 'SQNR, sampled − counted in full', `${(after - before).toFixed(2)} dB`),
          detail: `${after.toFixed(1)} − ${before.toFixed(1)} dB`,
        },
      );
    }
    return rows;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The ranges of all three methods from one pass. */
async function findRanges(
  { modelPath, dataPath }: PeerSubject,
  { wholeMaps, mostValues }: Counting,
  scratch: string,
): Promise<Record<Method, Ranges>> {
  const view = await openView(modelPath);
  const tensors = [...new Set(placeQuantization(view, RECIPE).edges.values())];
  const observing = observeTensors(view, tensors, { values: true, wholeMaps });
  const path = join(scratch, 'observing.onnx');
  unwrap(writeModel(observing.model, path));
  const session = unwrap(await openSession(path, { intraOpThreads: 1 }));
  const source = unwrap(
    await openSamples({ path: dataPath }, { split: 'calib', modelInputs: session.inputs }),
  );
  const observers = METHODS.map((method) =>
    createObserver({ method }, observing.observed, mostValues(source.count)),
  );
  const all = {
    add: (sample: number, outputs: Parameters<(typeof observers)[number]['add']>[1]) => {
      for (const observer of observers) observer.add(sample, outputs);
    },
    ranges: () => new Map(),
  };
  unwrap(
    await calibrate(source.samples(), all, { runBatch: session.run, clock: systemClock, onSample: () => {} }),
  );
  await source.close();
  await session.close();
  const [percentile, entropy, mse] = observers.map((observer) => observer.ranges());
  return { percentile, entropy, mse } as Record<Method, Ranges>;
}

async function openView(modelPath: string): Promise<GraphView> {
  const model = unwrap(readModel(modelPath));
  unwrap(await prepareModel(model));
  nameNodes(model);
  return viewGraph(model);
}

/** How far each range's width is from the other's, as a share of it. */
function shiftsOf(before: Ranges, after: Ranges): readonly number[] {
  return [...before].map(([tensor, range]) => {
    const { min, max } = after.get(tensor) as ValueRange;
    return Math.abs((max - min) / (range.max - range.min || 1) - 1);
  });
}

/** Of the model quantized with these ranges against FP32, on samples that did not calibrate. */
async function sqnrWith(
  { modelPath, dataPath }: PeerSubject,
  ranges: Ranges,
  scratch: string,
): Promise<number> {
  const outputPath = join(scratch, 'quantized.onnx');
  const view = await openView(modelPath);
  unwrap(insertQdq(view, placeQuantization(view, RECIPE), ranges, qdqSettings(RECIPE)));
  eliminateDead(view.model);
  unwrap(writeModel(view.model, outputPath));
  const [result] = await evaluateModels(
    {
      kind: 'evaluate',
      reference: { variant: 'fp32', path: modelPath },
      candidates: [{ variant: 'int8', path: outputPath }],
      data: { spec: { path: dataPath }, split: 'eval' },
      samples: EVALUATED_SAMPLES,
      task: { name: 'fidelity', settings: {} },
      budget: {},
      threads: 1,
    },
    { clock: systemClock, emit: () => {} },
  );
  return result?.sqnrDb ?? Number.NaN;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
