import { describe, expect, it, onTestFinished } from 'vitest';
import type { BaselineComparison } from '../../../../src/jobs/evaluate-task.ts';
import type { PipelineResult, VariantOutcome } from '../../../../src/jobs/pipeline.ts';
import { type StateDetail, watchResult } from '../../../../src/jobs/watching/watch-result.ts';
import { openStore, type Store } from '../../../../src/store/store.ts';
import { benchResultOf, evaluationOf, pipelineResultOf } from '../../../support/pipeline-result.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { unwrap } from '../../../support/unwrap.ts';

function openedStore(): Store {
  const store = unwrap(openStore(temporaryFolder()));
  onTestFinished(() => store.close());
  return store;
}

let runs = 0;

/** Takes up a run of a model that is called m, and tells what became of the states. */
function take(store: Store, result: unknown, request: object = { kind: 'pipeline' }) {
  runs += 1;
  const run = { id: `R${runs}`, model: 'm', request, createdMs: runs, finishedMs: runs };
  const changes = watchResult(run, result, store);
  store.keepWatched(changes);
  return changes.map(({ key, state, events }) => ({
    what: `${key.kind} ${key.variant}`,
    state,
    events: events.map(({ kind, detail }) => ({ kind, ...(detail as StateDetail) })),
  }));
}

const slower = (seconds: number) =>
  ({ p50: seconds }) as NonNullable<ReturnType<typeof benchResultOf>['latencySeconds']>;

/** FP32 and int8 with these medians, measured and nothing else. */
function measured(fp32: number, int8: number, more: Partial<PipelineResult> = {}): PipelineResult {
  const outcome = (variant: string, seconds: number): VariantOutcome => ({
    variant,
    sizeBytes: 1,
    bench: [benchResultOf(variant, { latencySeconds: slower(seconds) })],
    speedUps: [],
  });
  return pipelineResultOf({ variants: [outcome('fp32', fp32), outcome('int8', int8)], ...more });
}

function learned(): Store {
  const store = openedStore();
  for (let run = 0; run < 12; run += 1) take(store, measured(0.01, 0.005));
  return store;
}

const eventsOf = (taken: ReturnType<typeof take>, what: string) =>
  taken.find((of) => of.what === what)?.events ?? [];

describe('the latency of runs', () => {
  it('is remembered for each variant and measurement, and expected once there are enough', () => {
    const store = learned();
    expect(
      store.watchedSeries('m').map(({ variant, measurement, device, host, state }) => ({
        variant,
        measurement,
        device,
        host,
        state,
      })),
    ).toEqual(
      ['fp32', 'int8'].map((variant) => ({
        variant,
        measurement: 'single-stream',
        device: 'cpu',
        host: 'a processor (2 CPUs)',
        state: 'steady',
      })),
    );
    expect(
      store.watchEvents('m', 10).map(({ kind, fromState, toState }) => `${kind} ${fromState} ${toState}`),
    ).toEqual(['state learning steady', 'state learning steady']);
  });

  it('is suspected, regressed and over with the figures as the reason', () => {
    const store = learned();
    const states = [0.006, 0.006, 0.006, 0.005, 0.005].map((int8) =>
      take(store, measured(0.01, int8)).find(({ what }) => what === 'latency int8'),
    );
    expect(states.map((of) => of?.state)).toEqual([
      'suspected',
      'suspected',
      'regressed',
      'regressed',
      'steady',
    ]);
    expect(states.map((of) => of?.events.length)).toEqual([1, 0, 1, 0, 1]);
    expect(states[2]?.events[0]?.reason).toBe(
      'the median is 6.000 ms; 5.000 ms is expected, and up to 5.250 ms',
    );
  });

  it('names what differs from the last run that was as expected', () => {
    const store = learned();
    const host = { ...measured(1, 1).host, onnxRuntimeVersion: '1.31.0' };
    const [suspected] = eventsOf(take(store, measured(0.01, 0.006, { host })), 'latency int8');
    expect(suspected?.causes).toEqual([
      { kind: 'runtime', words: 'ONNX Runtime: 1.30.0 before, 1.31.0 now' },
    ]);
  });

  it('blames the host where fp32 is slower too', () => {
    const [event] = eventsOf(take(learned(), measured(0.012, 0.006)), 'latency int8');
    expect(event?.causes).toEqual([{ kind: 'host', words: 'fp32 is slower too' }]);
  });

  it('says nothing of a figure that is invalid, or was measured otherwise than the profile says', () => {
    const store = learned();
    const invalid = measured(0.01, 0.006);
    const [fp32, int8] = invalid.variants as [VariantOutcome, VariantOutcome];
    const bench = int8.bench.map((of) => ({ ...of, valid: false }));
    const taken = take(store, { ...invalid, variants: [fp32, { ...int8, bench }] });
    expect(taken.map(({ state }) => state)).toEqual(['steady', 'steady']);
    const series = store.watchedSeries('m').find(({ variant }) => variant === 'int8');
    expect(store.watchedPoints(series?.id ?? 0).at(-1)).toMatchObject({ valid: false, figure: 0.006 });
    for (const more of [{ threads: 4 }, { durationSeconds: 1 }])
      expect(take(store, measured(0.01, 0.006), { kind: 'bench', ...more })).toEqual([]);
    expect(take(store, measured(0.01, 0.006), { kind: 'bench' })[1]?.state).toBe('suspected');
  });

  it('of another processor has nothing to do with it', () => {
    const store = learned();
    const host = { ...measured(1, 1).host, cpuModel: 'another' };
    expect(take(store, measured(0.02, 0.02, { host })).map(({ state }) => state)).toEqual([
      'learning',
      'learning',
    ]);
    expect(store.watchedSeries('m')).toHaveLength(4);
  });
});

const against = (more: Partial<BaselineComparison> = {}): BaselineComparison => ({
  n: 50,
  metric: 'top1',
  unit: 'proportion',
  value: 0.9,
  baseline: 0.9,
  loss: 0,
  lossUpperBound: 0.01,
  allowedDrop: 0.05,
  changed: 0,
  verdict: 'non_inferior',
  verdictReason: 'nothing was lost',
  ...more,
});

const WORSE = against({
  value: 0.7,
  loss: 0.2,
  changed: 12,
  verdict: 'regressed',
  verdictReason: 'top-1 went from 90 % to 70 %',
});

/** @param found of int8, and of fp32 unless told */
function evaluated(
  found?: BaselineComparison,
  ofFp32 = found,
  more: Partial<PipelineResult> = {},
): PipelineResult {
  const watched = (of: BaselineComparison | undefined, outputs: string) => ({
    watched: { outputs, data: 'samples', ...(of === undefined ? {} : { againstBaseline: of }) },
  });
  return pipelineResultOf({
    inputs: { modelDigest: 'first', dataDigest: 'd', profileDigest: 'p' },
    variants: [
      { variant: 'fp32', sizeBytes: 1, bench: [], speedUps: [], ...watched(ofFp32, 'of-fp32') },
      {
        variant: 'int8',
        sizeBytes: 1,
        bench: [],
        speedUps: [],
        evaluation: evaluationOf(),
        ...watched(found, 'of-int8'),
      },
    ],
    ...more,
  });
}

describe('the accuracy of runs', () => {
  it('is held to the first that is good, of fp32 too', () => {
    const store = openedStore();
    const taken = take(store, evaluated());
    expect(taken.map(({ what, state }) => `${what} ${state}`)).toEqual([
      'accuracy fp32 steady',
      'accuracy int8 steady',
    ]);
    expect(eventsOf(taken, 'accuracy int8').map(({ kind }) => kind)).toEqual(['state', 'baseline']);
    const points = store.watchedSeries('m').map(({ id }) => store.watchedPoints(id)[0]?.figure);
    expect(points).toEqual([0.92, 0.9]);
    expect(take(store, evaluated(against())).flatMap(({ events }) => events)).toEqual([]);
  });

  it('regressed where a model is worse than that, with what was replaced for a cause, and is over with the old one', () => {
    const store = openedStore();
    take(store, evaluated());
    const inputs = { modelDigest: 'second', dataDigest: 'd', profileDigest: 'p' };
    const taken = take(store, evaluated(WORSE, WORSE, { inputs }));
    expect(taken.map(({ state }) => state)).toEqual(['regressed', 'regressed']);
    expect(eventsOf(taken, 'accuracy fp32')).toEqual([
      {
        kind: 'state',
        reason: 'Against the baseline: top-1 went from 90 % to 70 %',
        causes: [{ kind: 'model', words: 'the float32 model is another file' }],
      },
    ]);
    const over = take(store, evaluated(against()));
    expect(over.map(({ state }) => state)).toEqual(['steady', 'steady']);
    expect(over.flatMap(({ events }) => events.map(({ causes }) => causes))).toEqual([[], []]);
  });

  it('is no word on a part of the samples', () => {
    const store = openedStore();
    take(store, evaluated());
    expect(take(store, evaluated(WORSE), { kind: 'evaluate', samples: 10 })).toEqual([]);
    expect(take(store, evaluated(WORSE), { kind: 'evaluate' })[1]?.state).toBe('regressed');
  });
});

describe('results of other versions', () => {
  it.each([[undefined], [null], [{}], [{ variants: 'none' }], [{ variants: [{ variant: 'int8' }] }]])(
    'that have nothing to watch are nothing: %j',
    (result) => {
      expect(take(openedStore(), result)).toEqual([]);
    },
  );

  it('without suites, hosts and inputs are watched all the same', () => {
    const { variants } = measured(0.01, 0.005);
    const bench = variants[1]?.bench.map(
      ({ suite: _, measurement: __, device: ___, rounds: ____, ...rest }) => rest,
    );
    expect(take(openedStore(), { variants: [{ ...variants[1], bench }] })).toEqual([
      { what: 'latency int8', state: 'learning', events: [] },
    ]);
  });
});
