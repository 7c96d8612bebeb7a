import type { Verdict } from '../verdict.ts';

/**
 * `learning`: no evaluation yet that could be a baseline. `suspected`: more is lost than allowed, and the samples are too few to say so for sure.
 * `regressed`: a paired test shows it. `improved`: surely better than the baseline. `acknowledged`: a regression that somebody knows of, which
 * is `regressed` again when more is lost.
 */
export type AccuracyState = 'learning' | 'steady' | 'suspected' | 'regressed' | 'improved' | 'acknowledged';

/** A loss, what a test says of it, and what is allowed, in units of the metric; null is what could not be told. */
export interface JudgedLoss {
  readonly verdict: Verdict;
  readonly loss: number | null;
  readonly lossUpperBound: number | null;
  readonly allowed: number | null;
}

/** A result that later ones are held against. */
export interface AccuracyBaseline {
  readonly run: string;
  /** Names the samples: figures on others are not comparable. */
  readonly data: string | null;
  /** Names what was answered, so that later answers can be compared one by one; null where that is not kept. */
  readonly outputs: string | null;
  /** Names the quantized model that gave it; null for fp32. */
  readonly artifact: string | null;
  /** Of the metric that was judged by. */
  readonly value: number | null;
}

/** What one run says of the accuracy of a variant. */
export interface ObservedAccuracy extends AccuracyBaseline {
  /** Against fp32; absent for fp32 itself. */
  readonly fp32?: JudgedLoss;
  /** Against the baseline; absent where there is none, or the samples are others. */
  readonly baseline?: JudgedLoss;
  /** Every sample has the answer that it has in the baseline. */
  readonly isAsBaseline?: boolean;
}

/** All that has to be remembered of a history of evaluations, as plain data. */
export interface AccuracyMemory {
  readonly state: AccuracyState;
  readonly baseline: AccuracyBaseline | null;
  /** The run at which the state began. */
  readonly since: string | null;
  readonly last: ObservedAccuracy | null;
  /** The tests that show the present regression. */
  readonly shownBy: readonly ComparedWith[];
  readonly acknowledged: Losses | null;
}

type ComparedWith = 'fp32' | 'baseline';

interface Losses {
  readonly fp32: number | null;
  readonly baseline: number | null;
}

/** Before the first evaluation. */
export const NO_EVALUATIONS: AccuracyMemory = {
  state: 'learning',
  baseline: null,
  since: null,
  last: null,
  shownBy: [],
  acknowledged: null,
};

/**
 * What is remembered after one more evaluation. A regression is shown by a test of its own, on samples that answer the same whenever they
 * are asked, so nothing has to confirm it; and it is over only when an evaluation shows that, not when one leaves it open.
 */
export function takeAccuracy(before: AccuracyMemory, now: ObservedAccuracy): AccuracyMemory {
  const judged = [now.fp32, now.baseline].filter((of) => of !== undefined);
  if (judged.some(({ verdict }) => verdict === 'invalid')) return before;
  const next = nextState(before, now);
  const { state } = next;
  return {
    ...next,
    baseline: isBaseline(before, now, state) ? baselineOf(now) : before.baseline,
    since: state === before.state ? before.since : now.run,
    last: now,
  };
}

/** Takes a regression as it is for known. Undefined where there is none. */
export function acknowledgeAccuracy(before: AccuracyMemory): AccuracyMemory | undefined {
  if (before.state !== 'regressed' || before.last === null) return undefined;
  const { fp32, baseline } = before.last;
  return {
    ...before,
    state: 'acknowledged',
    acknowledged: { fp32: fp32?.loss ?? null, baseline: baseline?.loss ?? null },
  };
}

/** Holds later evaluations against the last one. Undefined before the first. */
export function rebaselineAccuracy(before: AccuracyMemory): AccuracyMemory | undefined {
  const { last } = before;
  if (last === null) return undefined;
  const { baseline: _, ...kept } = last;
  const state = isBad(kept.fp32) ? before.state : 'steady';
  return {
    state,
    baseline: baselineOf(last),
    since: state === before.state ? before.since : last.run,
    last: kept,
    shownBy: state === 'steady' ? [] : ['fp32'],
    acknowledged: state === 'steady' ? null : before.acknowledged,
  };
}

function nextState(
  before: AccuracyMemory,
  now: ObservedAccuracy,
): Pick<AccuracyMemory, 'state' | 'shownBy' | 'acknowledged'> {
  const wasBad = before.state === 'regressed' || before.state === 'acknowledged';
  const shownBy = COMPARED.filter(
    (other) => isBad(now[other]) || (before.shownBy.includes(other) && isLeftOpen(before, now, other)),
  );
  if (shownBy.length > 0) {
    const isKnown = before.acknowledged !== null && !isWorse(before.acknowledged, now);
    return isKnown
      ? { state: 'acknowledged', shownBy, acknowledged: before.acknowledged }
      : { state: 'regressed', shownBy, acknowledged: null };
  }
  const calm = { shownBy, acknowledged: null };
  const judged = COMPARED.flatMap((other) => now[other] ?? []);
  // What was a regression and is one no longer is not suspected at once of what it was.
  if (!wasBad && judged.some(isDoubtful)) return { state: 'suspected', ...calm };
  const gain = now.baseline?.lossUpperBound ?? null;
  return { state: gain !== null && gain < 0 ? 'improved' : 'steady', ...calm };
}

const COMPARED: readonly ComparedWith[] = ['fp32', 'baseline'];

/** The answers of the baseline are good ones, whatever so few samples can show. */
function isLeftOpen(before: AccuracyMemory, now: ObservedAccuracy, other: ComparedWith): boolean {
  return now[other]?.verdict === 'inconclusive' && isSameData(before, now) && now.isAsBaseline !== true;
}

function isBad(of: JudgedLoss | undefined): boolean {
  return of?.verdict === 'regressed';
}

function isDoubtful({ verdict, loss, allowed }: JudgedLoss): boolean {
  return verdict === 'inconclusive' && loss !== null && allowed !== null && loss > allowed;
}

/** By more than what is allowed, against either. */
function isWorse(known: Losses, { fp32, baseline }: ObservedAccuracy): boolean {
  return worsened(known.fp32, fp32) || worsened(known.baseline, baseline);
}

function worsened(known: number | null, now: JudgedLoss | undefined): boolean {
  if (!isBad(now)) return false;
  if (known === null || now?.loss == null) return true;
  return now.loss > known + (now.allowed ?? 0);
}

/** The first that is good enough, and the first that is on other samples: what came before says nothing about those. */
function isBaseline(before: AccuracyMemory, now: ObservedAccuracy, state: AccuracyState): boolean {
  if (state === 'regressed' || state === 'acknowledged' || state === 'suspected') return false;
  return before.baseline === null || before.baseline.data !== now.data;
}

function isSameData({ baseline }: AccuracyMemory, { data }: ObservedAccuracy): boolean {
  return baseline === null || baseline.data === data;
}

function baselineOf({ run, data, outputs, artifact, value }: ObservedAccuracy): AccuracyBaseline {
  return { run, data, outputs, artifact, value };
}
