import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { QuantizeTask } from '../../src/jobs/quantize-task.ts';
import { CALIBRATION_METHODS, type CalibrationMethod, STATIC_INT8 } from '../../src/quantization/recipe.ts';
import { findRealModels } from '../support/real-models.ts';
import { median } from './statistics.ts';

/** What quantizing one model with one calibration method costs, against running the model over the same samples. */
export interface QuantizeCostResult {
  readonly model: string;
  readonly method: CalibrationMethod;
  /** The calibration pass over the time of the model alone on the same samples; the median of the repetitions. */
  readonly calibrationRatio: number;
  /** All of a quantization: loading, preparing, writing, the audit and the self-check as well. */
  readonly quantizeSeconds: number;
  readonly runSeconds: number;
  /** Peak memory above that of running the model. */
  readonly extraPeakRssBytes: number;
}

interface Subject {
  readonly name: string;
  readonly modelPath: string;
  readonly dataPath: string;
}

interface Measured {
  readonly seconds: number;
  readonly peakRssBytes: number;
}

interface MeasuredQuantization extends Measured {
  readonly calibrationSeconds: number;
}

const REPETITIONS = 3;
const SAMPLES = 256;

/**
 * Quantizes the bundled example, and the real models for which `PTQ_DATA` names a folder with `<model folder>.npz`, with
 * every calibration method. Each time the model alone is run right before, as a busy host slows both.
 */
export async function quantizeCost(): Promise<readonly QuantizeCostResult[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'ptq-quantize-cost-'));
  try {
    const results: QuantizeCostResult[] = [];
    for (const subject of subjects()) {
      for (const method of CALIBRATION_METHODS) results.push(await costOf(subject, method, scratch));
    }
    return results;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function subjects(): readonly Subject[] {
  const digits = fileURLToPath(new URL('../../profiles/digits/digits', import.meta.url));
  const bundled = { name: 'digits', modelPath: `${digits}.onnx`, dataPath: `${digits}.npz` };
  const { directory } = findRealModels();
  const dataFolder = process.env['PTQ_DATA'];
  if (directory === undefined || dataFolder === undefined) return [bundled];
  const real = readdirSync(directory).flatMap((name) => {
    const dataPath = join(dataFolder, `${name}.npz`);
    const [model] = existsSync(dataPath)
      ? readdirSync(join(directory, name)).filter((file) => file.endsWith('.onnx'))
      : [];
    return model === undefined ? [] : [{ name, modelPath: join(directory, name, model), dataPath }];
  });
  return [bundled, ...real];
}

async function costOf(
  { name, modelPath, dataPath }: Subject,
  method: CalibrationMethod,
  scratch: string,
): Promise<QuantizeCostResult> {
  const task: QuantizeTask = {
    kind: 'quantize',
    modelPath,
    outputPath: join(scratch, `${name}-${method}.onnx`),
    data: { spec: { path: dataPath }, split: 'calib' },
    // What does not pay here is to be quantized all the same: its cost is what is measured.
    recipe: { ...STATIC_INT8, latencyGate: 'off', calibration: { method, samples: SAMPLES } },
    threads: 0,
  };
  const runs: Measured[] = [];
  const quantizations: MeasuredQuantization[] = [];
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    runs.push(await measure('run', task));
    quantizations.push((await measure('quantize', task)) as MeasuredQuantization);
  }
  const ratios = quantizations.map(
    ({ calibrationSeconds }, index) => calibrationSeconds / (runs[index] as Measured).seconds,
  );
  return {
    model: name,
    method,
    calibrationRatio: median(ratios),
    quantizeSeconds: median(quantizations.map(({ seconds }) => seconds)),
    runSeconds: median(runs.map(({ seconds }) => seconds)),
    extraPeakRssBytes:
      median(quantizations.map(({ peakRssBytes }) => peakRssBytes)) -
      median(runs.map(({ peakRssBytes }) => peakRssBytes)),
  };
}

async function measure(mode: 'run' | 'quantize', task: QuantizeTask): Promise<Measured> {
  const child = fileURLToPath(new URL('./quantize-cost-child.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...process.execArgv,
    child,
    mode,
    JSON.stringify(task),
  ]);
  return JSON.parse(stdout) as Measured;
}
