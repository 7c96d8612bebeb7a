import { type Clock, secondsBetween } from '../../core/clock.ts';
import { attemptAsync, type Problem, ProblemError, problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import type { NamedTensors, RunBatch } from '../../core/tensor.ts';
import type { ValueRange } from '../affine.ts';
import type { RangeObserver } from './observers.ts';

export interface CalibrationSample {
  readonly index: number;
  readonly feeds: NamedTensors;
}

export interface Calibration {
  readonly ranges: ReadonlyMap<string, ValueRange>;
  readonly samples: number;
  /** Wall time of the whole pass. */
  readonly seconds: number;
  /** Wall time inside the runtime, a part of `seconds`. */
  readonly inferenceSeconds: number;
}

export interface CalibrationDeps {
  /** Runs the observing model. */
  readonly runBatch: RunBatch;
  readonly clock: Clock;
  /** Told after every sample how many are done. */
  readonly onSample: (done: number) => void;
}

/**
 * One streaming pass over the samples, which keeps nothing of a sample but what the observer counts.
 * Errors: `no-samples`; `nan-in-sample` and `non-finite-activation` with tensor and sample; what `runBatch` and
 * `samples` report.
 */
export function calibrate(
  samples: AsyncIterable<CalibrationSample>,
  observer: RangeObserver,
  { runBatch, clock, onSample }: CalibrationDeps,
): Promise<Result<Calibration, Problem>> {
  return attemptAsync(async () => {
    const startNs = clock.nowNs();
    let inferenceNs = 0n;
    let done = 0;
    for await (const { index, feeds } of samples) {
      requireNoNan(index, feeds);
      const runStartNs = clock.nowNs();
      const outputs = await runBatch(feeds);
      inferenceNs += clock.nowNs() - runStartNs;
      observer.add(index, outputs);
      done += 1;
      onSample(done);
    }
    if (done === 0) {
      throw new ProblemError(
        problem('no-samples', 'there is no calibration sample', {
          hint: 'name a split that has samples with --split, or raise --samples',
        }),
      );
    }
    return {
      ranges: observer.ranges(),
      samples: done,
      seconds: secondsBetween(startNs, clock.nowNs()),
      inferenceSeconds: Number(inferenceNs) / 1e9,
    };
  });
}

/** The runtime's reductions skip most NaN, so what can be looked at here is. */
function requireNoNan(sample: number, feeds: NamedTensors): void {
  for (const [tensor, { data }] of Object.entries(feeds)) {
    if (!(data instanceof Float32Array || data instanceof Float64Array) || !hasNan(data)) continue;
    throw new ProblemError(
      problem('nan-in-sample', `the sample holds NaN in '${tensor}'`, {
        place: { tensor, sample },
        hint: 'check the preprocessing of that sample, or leave it out of the calibration data',
      }),
    );
  }
}

function hasNan(values: Float32Array | Float64Array): boolean {
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) return true;
  return false;
}
