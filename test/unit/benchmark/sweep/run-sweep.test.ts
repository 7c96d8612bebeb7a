import { describe, expect, it } from 'vitest';
import { runBench } from '../../../../src/benchmark/controller.ts';
import type { BenchSettings } from '../../../../src/benchmark/settings.ts';
import {
  type SweepConfiguration,
  sweepConfigurations,
} from '../../../../src/benchmark/sweep/configurations.ts';
import { runSweep, type SweepProgress } from '../../../../src/benchmark/sweep/run-sweep.ts';
import type { VariantRecord } from '../../../../src/benchmark/variant-record.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { type Problem, problem } from '../../../../src/core/problem.ts';
import { identityOf, settingsOf, startedOnce, virtualSut } from '../fakes.ts';

const settings = settingsOf({
  scenario: 'closed-loop',
  rounds: 2,
  minDurationSeconds: 0.4,
  warmUpWindowSeconds: 0.01,
});

const lists = { models: ['a'], batches: [1, 2, 4], threads: [1], concurrencies: [1, 2] };

/** Measures a system that takes a millisecond for a run, or fails before it is loaded. */
function measuring(failureOf: (configuration: SweepConfiguration) => Problem | null = () => null) {
  const tried: { readonly configuration: SweepConfiguration; readonly settings: BenchSettings }[] = [];
  const measure = async (
    configuration: SweepConfiguration,
    ofRepetition: BenchSettings,
  ): Promise<VariantRecord> => {
    tried.push({ configuration, settings: ofRepetition });
    const failure = failureOf(configuration);
    if (failure !== null) return failed(failure);
    const run = await runBench([startedOnce(virtualSut(configuration.model, () => 1e6))], ofRepetition, {
      clock: systemClock,
    });
    return run.records[0] as VariantRecord;
  };
  return { measure, tried };
}

function failed(failure: Problem, more: Partial<VariantRecord> = {}): VariantRecord {
  return { identity: identityOf('a'), loaded: null, warmUp: null, rounds: [], usage: null, failure, ...more };
}

describe('runSweep', () => {
  it('measures every configuration in every repetition, and gives intervals over them', async () => {
    const { measure, tried } = measuring();
    const configurations = sweepConfigurations(lists, 2);
    const { rows, skipped, cancelled } = await runSweep(configurations, settings, { measure });
    expect(tried).toHaveLength(12);
    expect(skipped).toEqual([]);
    expect(cancelled).toBe(false);
    expect(rows.map(({ batch, concurrency }) => [batch, concurrency])).toEqual(
      configurations.map(({ batch, concurrency }) => [batch, concurrency]),
    );
    expect(rows[0]).toMatchObject({
      valid: true,
      queries: 400,
      throughput: 1000,
      repetitions: [
        { repetition: 0, throughput: 1000 },
        { repetition: 1, throughput: 1000 },
      ],
      latencySeconds: { p50: 0.001, p99: 0.001 },
      peakRssBytes: 64 * 1024 ** 2,
      failure: null,
    });
    expect(rows[0]?.throughputInterval?.lower).toBeCloseTo(1000, 6);
  });

  it('goes through the second repetition in the mirrored order of the first, with the lanes of each', async () => {
    const { measure, tried } = measuring();
    await runSweep(sweepConfigurations(lists, 2), settings, { measure });
    const order = tried.map(({ configuration }) => configuration);
    expect(order.slice(6)).toEqual(order.slice(0, 6).reverse());
    expect(new Set(order.slice(0, 6)).size).toBe(6);
    for (const { configuration, settings: given } of tried) {
      expect(given).toMatchObject({
        concurrency: configuration.concurrency,
        rounds: 1,
        minDurationSeconds: 0.2,
        minQueries: 50,
      });
    }
  });

  it('skips, with one reason, the batches that a model refuses', async () => {
    const refused = problem('batch-not-supported', 'the model takes no batch of another size');
    const { measure, tried } = measuring(({ batch }) => (batch > 1 ? refused : null));
    const { rows, skipped } = await runSweep(sweepConfigurations(lists, 2), settings, { measure });
    expect(rows.map(({ batch }) => batch)).toEqual([1, 1]);
    expect(skipped).toHaveLength(1);
    expect(skipped[0]).toMatchObject({ model: 'a', problem: refused });
    expect(skipped[0]?.configurations.map(({ batch }) => batch)).toEqual([2, 2, 4, 4]);
    expect(tried.filter(({ configuration }) => configuration.batch > 1)).toHaveLength(1);
  });

  it('asks another model itself whether it takes a batch', async () => {
    const refused = problem('batch-not-supported', 'the model takes no batch of another size');
    const { measure } = measuring(({ model, batch }) => (model === 'a' && batch > 1 ? refused : null));
    const { rows } = await runSweep(sweepConfigurations({ ...lists, models: ['a', 'b'] }, 2), settings, {
      measure,
    });
    expect(rows.map(({ model }) => model).join('')).toBe('aabbbbbb');
  });

  it('has a row with the reason for a configuration that takes too much memory, and goes on', async () => {
    const killed = problem('memory-limit-exceeded', 'the worker had 9 GiB of memory resident');
    const { measure, tried } = measuring(({ batch }) => (batch === 4 ? killed : null));
    const { rows, skipped } = await runSweep(sweepConfigurations(lists, 2), settings, { measure });
    expect(skipped).toEqual([]);
    expect(rows.slice(4)).toMatchObject([
      { batch: 4, valid: false, failure: killed, throughput: null, peakRssBytes: null },
      { batch: 4, valid: false, failure: killed, throughput: null },
    ]);
    expect(rows.slice(0, 4).every(({ valid }) => valid)).toBe(true);
    // What failed once is not repeated.
    expect(tried.filter(({ configuration }) => configuration.batch === 4)).toHaveLength(2);
  });

  it.each([
    ['a model that cannot be opened', problem('model-not-found', 'no such model'), 1, 0],
    ['a device for one thread', problem('concurrency-not-supported', 'one thread alone'), 0, 0],
    ['a session that finds no room', problem('model-rejected-by-runtime', 'Failed to allocate memory'), 0, 6],
  ])('tells what %s means for the others', async (_what, failure, wholeModel, rowsFailed) => {
    const { measure } = measuring(({ concurrency }) =>
      failure.kind === 'concurrency-not-supported' && concurrency === 1 ? null : failure,
    );
    const { rows, skipped } = await runSweep(sweepConfigurations(lists, 2), settings, { measure });
    expect(skipped.filter(({ configurations }) => configurations.length === 6)).toHaveLength(wholeModel);
    expect(rows.filter((row) => row.failure !== null)).toHaveLength(rowsFailed);
    if (failure.kind === 'concurrency-not-supported') {
      expect(skipped).toMatchObject([{ model: null }]);
      expect(rows.map(({ concurrency }) => concurrency)).toEqual([1, 1, 1]);
    }
  });

  it('tries a larger batch than the data has samples for no more', async () => {
    const { measure, tried } = measuring(({ batch }) =>
      batch > 1 ? problem('too-few-samples', 'the data has 1') : null,
    );
    const { skipped } = await runSweep(sweepConfigurations(lists, 2), settings, { measure });
    expect(skipped.flatMap(({ configurations }) => configurations)).toHaveLength(4);
    expect(tried.filter(({ configuration }) => configuration.batch > 1).length).toBeLessThanOrEqual(2);
  });

  it('does not try a batch again that a model with a free dimension cannot compute', async () => {
    const loaded = { sampleCount: 4, samplesPerRun: 2, laneCount: 1, loadSeconds: 0.1, idleEnergy: null };
    const broken = failed(problem('inference-failed', 'a Reshape is made for one sample'), { loaded });
    const { measure } = measuring();
    const { rows, skipped } = await runSweep(sweepConfigurations(lists, 2), settings, {
      measure: (configuration, given) =>
        configuration.batch === 2 ? Promise.resolve(broken) : measure(configuration, given),
    });
    expect(skipped).toMatchObject([{ configurations: [{ batch: 2 }, { batch: 2 }] }]);
    expect(rows.map(({ batch }) => batch)).toEqual([1, 1, 4, 4]);
  });

  it('keeps what is measured when it is cancelled', async () => {
    const cancel = new AbortController();
    const { measure, tried } = measuring();
    const { rows, cancelled } = await runSweep(sweepConfigurations(lists, 2), settings, {
      measure: (configuration, given) => {
        if (tried.length === 3) {
          cancel.abort();
          return Promise.resolve(failed(problem('bench-cancelled', 'The benchmark was cancelled')));
        }
        return measure(configuration, given);
      },
      signal: cancel.signal,
    });
    expect(cancelled).toBe(true);
    expect(rows).toHaveLength(3);
    expect(rows.every(({ throughput, valid }) => throughput === 1000 && !valid)).toBe(true);
  });

  it('tells how far it is, also over what it skips', async () => {
    const { measure } = measuring(({ batch }) => (batch > 1 ? problem('batch-not-supported', 'no') : null));
    const told: SweepProgress[] = [];
    await runSweep(sweepConfigurations(lists, 2), settings, {
      measure,
      onProgress: (progress) => void told.push(progress),
    });
    expect(told.map(({ done }) => done)).toEqual(Array.from({ length: 13 }, (_, done) => done));
    expect(told.every(({ total }) => total === 12)).toBe(true);
  });
});
