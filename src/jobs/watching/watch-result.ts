import { expectationOf, takeLatency } from '../../benchmark/watch/latency-watch.ts';
import { PROFILE_SUITE } from '../../config/suite.ts';
import {
  type JudgedLoss,
  type ObservedAccuracy,
  takeAccuracy,
} from '../../evaluation/watch/accuracy-watch.ts';
import type { Run } from '../../store/run.ts';
import type { SeriesChange, SeriesKey, Watched } from '../../store/watched.ts';
import type { SuiteBenchResult } from '../bench-suite.ts';
import { hostWords } from '../model-history.ts';
import type { BenchOrder, RunOrder } from '../orders.ts';
import { FP32, type PipelineResult, type VariantOutcome } from '../pipeline.ts';
import { type Cause, causesBetween } from './causes.ts';
import { findingOf } from './confirmation.ts';
import { factsOf } from './point-facts.ts';
import {
  type AccuracySeriesMemory,
  accuracyMemoryOf,
  type LatencySeriesMemory,
  latencyMemoryOf,
} from './watch-memory.ts';

/** Why the state of a series changed. */
export interface StateDetail {
  /** With the figures, as a sentence. */
  readonly reason: string;
  readonly causes: readonly Cause[];
}

type KnownSeries = Pick<Watched, 'findSeries'>;

/** A run as far as what it found out goes. */
type EndedRun = Pick<Run, 'id' | 'model' | 'request' | 'finishedMs' | 'createdMs'>;

/**
 * What the result of a run changes of what is watched: a figure for each variant and measurement, and what it makes of the state.
 * Results of older versions have a shape of their own and may lack anything.
 */
export function watchResult(run: EndedRun, result: unknown, store: KnownSeries): readonly SeriesChange[] {
  const found = (result ?? {}) as PipelineResult;
  const outcomes: PipelineResult['variants'] = Array.isArray(found.variants) ? found.variants : [];
  const order = (run.request ?? {}) as Partial<RunOrder>;
  const latency = isComparable(order)
    ? outcomes
        .filter(isOfProfile)
        .flatMap((outcome) =>
          (outcome.bench ?? []).map((bench) => watchBench(run, found, outcome, bench, store)),
        )
    : [];
  const accuracy = isOfAllSamples(order)
    ? outcomes.flatMap((outcome) => watchAccuracy(run, found, outcome, store) ?? [])
    : [];
  return [...blameHost(latency), ...accuracy];
}

/** What was measured only to compare with has no history of its own. */
function isOfProfile({ variant }: VariantOutcome): boolean {
  return !variant.includes('@');
}

/** What somebody measured otherwise than the profile says is no figure to compare with others. */
function isComparable(order: Partial<RunOrder>): boolean {
  const { threads, durationSeconds } = order as { threads?: unknown; durationSeconds?: unknown };
  return threads === undefined && durationSeconds === undefined;
}

function isOfAllSamples(order: Partial<RunOrder>): boolean {
  return (order as { samples?: unknown }).samples === undefined;
}

function watchBench(
  run: EndedRun,
  result: PipelineResult,
  outcome: VariantOutcome,
  bench: SuiteBenchResult,
  store: KnownSeries,
): SeriesChange {
  const { scenario, suite = PROFILE_SUITE, measurement = scenario, device = 'cpu', provider } = bench;
  const key: SeriesKey = {
    ...{ kind: 'latency', model: run.model, variant: outcome.variant },
    ...{ suite, measurement, device, host: hostWords(result.host) },
  };
  const series = store.findSeries(key);
  const before = latencyMemoryOf(series);
  const latency = bench.latencySeconds?.p50 ?? null;
  const isFigure = bench.valid && latency !== null && latency > 0;
  const facts = factsOf(result, outcome, bench);
  const watch = isFigure ? takeLatency(before.watch, { run: run.id, latency }) : before.watch;
  const { state } = watch;
  const isGood = isFigure && (state === 'learning' || state === 'steady' || state === 'improved');
  const memory: LatencySeriesMemory = {
    ...before,
    ...{ watch, provider, scenario, good: isGood ? facts : before.good },
  };
  const changed = series === undefined ? state !== 'learning' : state !== series.state;
  const { confirms } = (run.request ?? {}) as Partial<BenchOrder>;
  const finding =
    confirms === undefined || !isTrouble(state)
      ? undefined
      : findingOf(confirms, { variant: outcome.variant, bench }, { good: before.good, now: facts }, result);
  const causes = [...(finding?.causes ?? []), ...causesIn(state, before.good, facts)];
  return {
    key,
    state,
    memory,
    atMs: run.finishedMs ?? run.createdMs,
    point: pointOf(run, latency, bench.valid, facts),
    events: [
      ...(changed ? [stateEvent(run, latencyWords(watch, latency), causes)] : []),
      ...(finding === undefined ? [] : [{ kind: 'confirmation', run: run.id, detail: finding } as const]),
    ],
  };
}

function latencyWords(watch: LatencySeriesMemory['watch'], latency: number | null): string {
  const { expected, limit } = expectationOf(watch);
  const words = (seconds: number) => `${(seconds * 1e3).toPrecision(4)} ms`;
  const measured = latency === null ? 'nothing was measured' : `the median is ${words(latency)}`;
  if (expected === null || limit === null) return measured;
  return `${measured}; ${words(expected.level)} is expected, and up to ${words(limit)}`;
}

/** Where fp32 got slower in the same measurement, that is not for what a variant is. */
function blameHost(changes: readonly SeriesChange[]): readonly SeriesChange[] {
  const slow = new Set(
    changes
      .filter(({ key, state }) => key.variant === FP32 && (state === 'suspected' || state === 'regressed'))
      .map(({ key }) => `${key.suite} ${key.measurement} ${key.device}`),
  );
  const host: Cause = { kind: 'host', words: 'fp32 is slower too' };
  return changes.map((change) => {
    const { key, state, events } = change;
    const isSlow = state === 'suspected' || state === 'regressed';
    if (key.variant === FP32 || !isSlow || !slow.has(`${key.suite} ${key.measurement} ${key.device}`))
      return change;
    return {
      ...change,
      events: events.map((event) => {
        const { causes, reason } = event.detail as StateDetail;
        return { ...event, detail: { reason, causes: [host, ...causes] } satisfies StateDetail };
      }),
    };
  });
}

function watchAccuracy(
  run: EndedRun,
  result: PipelineResult,
  outcome: VariantOutcome,
  store: KnownSeries,
): SeriesChange | undefined {
  const { variant, evaluation, watched } = outcome;
  if (evaluation === undefined && watched === undefined) return undefined;
  const key: SeriesKey = {
    ...{ kind: 'accuracy', model: run.model, variant, suite: '', measurement: '', device: '' },
    host: hostWords(result.host),
  };
  const series = store.findSeries(key);
  const before = accuracyMemoryOf(series);
  const facts = factsOf(result, outcome);
  const observed = observedOf(run, result, outcome, facts.artifact ?? null);
  const watch = takeAccuracy(before.watch, observed);
  const { state } = watch;
  const isValid = watch !== before.watch;
  const isGood = isValid && (state === 'steady' || state === 'improved');
  const memory: AccuracySeriesMemory = {
    ...before,
    ...{ watch, good: isGood ? facts : before.good, drop: isValid ? dropOf(outcome) : before.drop },
  };
  const isPinned = watch.baseline !== null && watch.baseline !== before.watch.baseline;
  return {
    key,
    state,
    memory,
    atMs: run.finishedMs ?? run.createdMs,
    point: pointOf(run, observed.value, isValid, facts),
    events: [
      ...(state === (series?.state ?? 'learning')
        ? []
        : [stateEvent(run, accuracyWords(outcome), causesIn(state, before.good, facts))]),
      ...(isPinned ? [pinnedEvent(run, before.watch.baseline !== null)] : []),
    ],
  };
}

/** The test that says most: the one that shows a loss, against the baseline first. */
function accuracyWords({ evaluation, watched }: VariantOutcome): string {
  const against = watched?.againstBaseline;
  const baselineWords = against === undefined ? undefined : `Against the baseline: ${against.verdictReason}`;
  const fp32Words = evaluation === undefined ? undefined : `Against fp32: ${evaluation.verdictReason}`;
  if (against?.verdict === 'regressed' || evaluation === undefined)
    return baselineWords ?? 'the first evaluation whose answers were kept';
  if (evaluation.verdict === 'regressed') return fp32Words as string;
  return baselineWords ?? (fp32Words as string);
}

function observedOf(
  run: EndedRun,
  result: PipelineResult,
  { evaluation, watched }: VariantOutcome,
  artifact: string | null,
): ObservedAccuracy {
  const against = watched?.againstBaseline;
  const figure = evaluation?.figures?.find(({ name }) => name === evaluation.metric);
  // Of fp32 the figure stands beside that of any variant.
  const reference = result.variants
    .flatMap(({ evaluation: of }) => of?.figures?.filter(({ name }) => name === of.metric) ?? [])
    .find((of) => of.reference !== null)?.reference;
  return {
    run: run.id,
    data: watched?.data ?? null,
    outputs: watched?.outputs ?? null,
    artifact,
    value: evaluation === undefined ? (against?.value ?? reference ?? null) : (figure?.value ?? null),
    ...(evaluation === undefined ? {} : { fp32: lossAgainstFp32(evaluation) }),
    ...(against === undefined
      ? {}
      : {
          baseline: {
            verdict: against.verdict,
            loss: against.loss,
            lossUpperBound: against.lossUpperBound,
            allowed: against.allowedDrop,
          },
          isAsBaseline: against.changed === 0 && against.verdict !== 'invalid',
        }),
  };
}

function dropOf({ watched }: VariantOutcome): AccuracySeriesMemory['drop'] {
  const { metric, unit, loss = null } = watched?.againstBaseline ?? {};
  return metric === undefined || unit !== 'proportion' || loss === null ? null : { metric, ratio: loss };
}

function lossAgainstFp32(evaluation: NonNullable<VariantOutcome['evaluation']>): JudgedLoss {
  const { verdict, metric, figures = [], paired, resampled, allowedDrop } = evaluation;
  return {
    verdict,
    loss: figures.find(({ name }) => name === metric)?.loss ?? null,
    lossUpperBound: paired?.dropUpperBound ?? resampled?.upperBound ?? null,
    allowed: allowedDrop ?? null,
  };
}

const isTrouble = (state: string) => state === 'suspected' || state === 'regressed';

/** Nobody asks why something is well. */
function causesIn(state: string, ...facts: Parameters<typeof causesBetween>): readonly Cause[] {
  return isTrouble(state) ? causesBetween(...facts) : [];
}

function pointOf(
  { id, finishedMs, createdMs }: EndedRun,
  figure: number | null,
  valid: boolean,
  facts: unknown,
): NonNullable<SeriesChange['point']> {
  return { run: id, finishedMs: finishedMs ?? createdMs, figure, valid, facts };
}

function stateEvent({ id }: EndedRun, reason: string, causes: readonly Cause[]) {
  return { kind: 'state', run: id, detail: { reason, causes } satisfies StateDetail } as const;
}

function pinnedEvent({ id }: EndedRun, isOther: boolean) {
  const reason = isOther
    ? 'the samples are others: what came before says nothing about them'
    : 'the first evaluation that is good enough';
  return { kind: 'baseline', run: id, detail: { reason, causes: [] } satisfies StateDetail } as const;
}
