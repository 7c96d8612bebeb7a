import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { QuantizeTask } from '../../src/jobs/quantize-task.ts';
import { CALIBRATION_METHODS, type CalibrationMethod, STATIC_INT8 } from '../../src/quantization/recipe.ts';
import { BASELINE_MODELS, bundledSubject, findSubjects, type PeerSubject } from './peer-subjects.ts';
import { type Measured, type MeasuredQuantization, measure } from './quantize-in-child.ts';
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

const REPETITIONS = 3;
const SAMPLES = 256;

/**
 * Quantizes the bundled example and the baseline models with every calibration method, and tells each result. Each time
 * the model alone is run right before, with as many threads as there are cores, as a busy host slows both.
 */
export async function quantizeCost(onResult: (result: QuantizeCostResult) => void): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'ptq-quantize-cost-'));
  try {
    for (const subject of [bundledSubject(), ...findSubjects(BASELINE_MODELS, (why) => console.error(why))]) {
      for (const method of CALIBRATION_METHODS) onResult(await costOf(subject, method, scratch));
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function costOf(
  { name, modelPath, dataPath }: PeerSubject,
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
    quantizations.push(await measure('quantize', task));
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
