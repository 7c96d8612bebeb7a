import { type Clock, secondsBetween } from '../../core/clock.ts';
import { attemptAsync, type Problem, ProblemError, problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { runAhead } from '../../core/run-ahead.ts';
import type { NamedTensors, RunBatch, Tensor } from '../../core/tensor.ts';
import type { ValueRange } from '../affine.ts';
import { nonFiniteActivation } from './extremes.ts';
import type { RangeObserver } from './observers.ts';

export interface CalibrationSample {
  readonly index: number;
  readonly feeds: NamedTensors;
}

export interface Calibration {
  readonly ranges: ReadonlyMap<string, ValueRange>;
  /** The extremes that were seen, before the method cut any off. */
  readonly observed?: ReadonlyMap<string, ValueRange>;
  readonly samples: number;
  /** Wall time of the whole pass. */
  readonly seconds: number;
  /** Wall time in which the model ran, a part of `seconds`. */
  readonly inferenceSeconds: number;
}

export interface CalibrationDeps {
  /** Runs the observing model. */
  readonly runBatch: RunBatch;
  /** How many runs may be under way at once; one unless told. Their results are taken in the order of the samples. */
  readonly runsAtOnce?: number;
  readonly clock: Clock;
  /** Told after every sample how many are done. */
  readonly onSample: (done: number) => void;
  /** Outputs that the model itself has. NaN that arises somewhere inside it nearly always comes out of one of them. */
  readonly modelOutputs?: readonly string[];
}

/**
 * One streaming pass over the samples, which keeps nothing of a sample but what the observer counts.
 * Errors: `no-samples`; `nan-in-sample` and `non-finite-activation` with tensor and sample; what `runBatch` and
 * `samples` report.
 */
export function calibrate(
  samples: AsyncIterable<CalibrationSample>,
  observer: RangeObserver,
  { runBatch, runsAtOnce = 1, clock, onSample, modelOutputs = [] }: CalibrationDeps,
): Promise<Result<Calibration, Problem>> {
  return attemptAsync(async () => {
    const startNs = clock.nowNs();
    const inference = measureBusyTime(clock);
    const run = async ({ index, feeds }: CalibrationSample) => {
      requireNoNan(index, feeds);
      return { index, outputs: await inference.of(() => runBatch(feeds)) };
    };
    let done = 0;
    for await (const { index, outputs } of runAhead(readAhead(samples), run, runsAtOnce)) {
      observer.add(index, outputs);
      requireNoNanOutput(index, outputs, modelOutputs);
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
      ...(observer.extremes === undefined ? {} : { observed: observer.extremes() }),
      samples: done,
      seconds: secondsBetween(startNs, clock.nowNs()),
      inferenceSeconds: inference.seconds(),
    };
  });
}

/** The wall time in which one or more of some actions are under way. */
function measureBusyTime(clock: Clock) {
  let underWay = 0;
  let sinceNs = 0n;
  let totalNs = 0n;
  return {
    of: async <T>(action: () => Promise<T>): Promise<T> => {
      if (underWay === 0) sinceNs = clock.nowNs();
      underWay += 1;
      try {
        return await action();
      } finally {
        underWay -= 1;
        if (underWay === 0) totalNs += clock.nowNs() - sinceNs;
      }
    },
    seconds: () => Number(totalNs) / 1e9,
  };
}

/** Asks for the next item while the one before is worked on, so that a file is read while the model computes. */
async function* readAhead<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
  const iterator = items[Symbol.asyncIterator]();
  try {
    for (let next = iterator.next(); ; ) {
      const { done, value } = await next;
      if (done === true) return;
      next = iterator.next();
      // A failure is met when its turn comes; until then nobody waits for it.
      next.catch(() => {});
      yield value;
    }
  } finally {
    await iterator.return?.();
  }
}

/** The runtime's reductions skip most NaN, so what can be looked at here is. */
function requireNoNan(sample: number, feeds: NamedTensors): void {
  for (const [tensor, { data }] of Object.entries(feeds)) {
    if (!hasNan(data)) continue;
    throw new ProblemError(
      problem('nan-in-sample', `the sample holds NaN in '${tensor}'`, {
        place: { tensor, sample },
        hint: 'check the preprocessing of that sample, or leave it out of the calibration data',
      }),
    );
  }
}

function requireNoNanOutput(sample: number, outputs: NamedTensors, modelOutputs: readonly string[]): void {
  const tensor = modelOutputs.find((name) => hasNan(outputs[name]?.data));
  if (tensor !== undefined) throw nonFiniteActivation(tensor, sample);
}

function hasNan(values: Tensor['data'] | undefined): boolean {
  if (!(values instanceof Float32Array || values instanceof Float64Array)) return false;
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) return true;
  return false;
}
