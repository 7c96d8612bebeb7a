import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Tensor } from '../../src/core/tensor.ts';
import { openSamples } from '../../src/data/open-samples.ts';
import { openModel } from '../../src/jobs/open-model.ts';
import type { QuantizeTask } from '../../src/jobs/quantize-task.ts';
import { type CalibrationMethod, STATIC_INT8 } from '../../src/quantization/recipe.ts';
import { unwrap } from '../support/unwrap.ts';
import { BASELINE_MODELS, findSubjects, type PeerSubject } from './peer-subjects.ts';
import { memoryRow, type OnRow, type PerfRow } from './perf-row.ts';
import { writeRepeatedSamples } from './repeated-samples.ts';
import { watchJson } from './watched-process.ts';

const FEW = 50;
const MANY = 5000;
const METHODS: readonly CalibrationMethod[] = ['minmax', 'percentile', 'entropy', 'mse'];
const MOST_ABOVE_RUN_MIB = 150;
/** What the garbage collector may leave lying longer in a longer run. */
const MOST_GROWTH_MIB = 32;

/**
 * Peak memory of a whole quantization above that of running the model, for few and for many samples, which are those of
 * the baseline models over and over. For pictures the file of many takes 3 GB in the temporary folder (`TMPDIR`).
 */
export async function calibrationMemory(onRow: OnRow): Promise<readonly PerfRow[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'ptq-calibration-memory-'));
  const rows: PerfRow[] = [];
  try {
    for (const subject of findSubjects(BASELINE_MODELS, (reason) => console.error(reason))) {
      const dataPath = join(scratch, 'repeated.npz');
      await repeatSamples(subject, dataPath);
      const run = await peakOf('run', taskOf({ ...subject, dataPath }, 'minmax', MANY, scratch));
      for (const method of METHODS) {
        for (const row of await memoryOf({ ...subject, dataPath }, method, run, scratch)) {
          onRow(row);
          rows.push(row);
        }
      }
    }
    return rows;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function taskOf(
  { modelPath, dataPath }: PeerSubject,
  method: CalibrationMethod,
  samples: number,
  scratch: string,
): QuantizeTask {
  return {
    kind: 'quantize',
    modelPath,
    outputPath: join(scratch, `${method}.onnx`),
    data: { spec: { path: dataPath }, split: 'calib' },
    // The peer has no gate, and what the gate tries does not depend on the number of samples.
    recipe: { ...STATIC_INT8, latencyGate: 'off', calibration: { method, samples } },
    threads: 0,
  };
}

/** @param run peak memory of running the model */
async function memoryOf(
  given: PeerSubject,
  method: CalibrationMethod,
  run: number,
  scratch: string,
): Promise<readonly PerfRow[]> {
  const few = await peakOf('quantize', taskOf(given, method, FEW, scratch));
  const many = await peakOf('quantize', taskOf(given, method, MANY, scratch));
  const subject = `${given.name}, ${method}`;
  const mebibytes = (bytes: number) => Math.round(bytes / 2 ** 20);
  return [
    {
      ...memoryRow(subject, `memory above the FP32 run, ${FEW} samples`, few - run, MOST_ABOVE_RUN_MIB),
      detail: `${mebibytes(few)} − ${mebibytes(run)} MiB`,
    },
    {
      ...memoryRow(subject, `memory above the FP32 run, ${MANY} samples`, many - run, MOST_ABOVE_RUN_MIB),
      detail: `${mebibytes(many)} − ${mebibytes(run)} MiB`,
    },
    memoryRow(subject, `growth from ${FEW} to ${MANY} samples`, many - few, MOST_GROWTH_MIB),
  ];
}

async function peakOf(mode: 'run' | 'quantize', task: QuantizeTask): Promise<number> {
  const child = fileURLToPath(new URL('./quantize-cost-child.ts', import.meta.url));
  const { report } = await watchJson<{ readonly peakRssBytes: number }>(process.execPath, [
    ...process.execArgv,
    child,
    mode,
    JSON.stringify(task),
  ]);
  return report.peakRssBytes;
}

async function repeatSamples({ modelPath, dataPath }: PeerSubject, target: string): Promise<void> {
  const session = await openModel(modelPath, 1);
  const source = unwrap(
    await openSamples({ path: dataPath }, { split: 'calib', modelInputs: session.inputs }),
  );
  const [input] = source.inputs;
  if (input === undefined) throw new Error('the model has no input');
  const samples: Tensor[] = [];
  for await (const { feeds } of source.samples()) samples.push(feeds[input.name] as Tensor);
  await source.close();
  await session.close();
  writeRepeatedSamples(target, input.name, samples, MANY);
}
