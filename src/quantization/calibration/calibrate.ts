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
 * Errors: `no-samples`; `non-finite-activation` with tensor and sample; what `runBatch` and `samples` report.
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
