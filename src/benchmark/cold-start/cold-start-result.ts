import type { Problem } from '../../core/problem.ts';
import { geometricMeanInterval } from '../confidence-interval.ts';
import { binomialRanks } from '../statistics/binomial-ranks.ts';
import { trimmedMeanInterval } from '../trimmed-interval.ts';
import type { SutIdentity } from '../variant-record.ts';

/** What one start of a model took, in a process of its own. */
export interface ColdStartRecord {
  /** From 0. Only the first may have had to read the file from the disk. */
  readonly repetition: number;
  /** From the start of the process until it took its task. */
  readonly processSeconds: number;
  /** Loading the runtime's library. */
  readonly runtimeSeconds: number;
  /** Reading, optimizing and preparing the model: the session. */
  readonly modelSeconds: number;
  /** Making samples ready, which is no part of a start. */
  readonly feedsSeconds: number;
  /** The first run of each distinct input shape. */
  readonly firstInferencesSeconds: readonly number[];
  /** The first of `firstInferencesSeconds`. */
  readonly firstInferenceSeconds: number;
  /** From the start of the process until the first answer, without `feedsSeconds`. */
  readonly firstAnswerSeconds: number;
  /** Runs before the model was at its steady speed, and how long they took. */
  readonly runsToSteady: number;
  readonly secondsToSteady: number;
  readonly steadyMedianSeconds: number;
  /** False where the speed never came to rest. */
  readonly steady: boolean;
  /** What had to be read from a disk until the first answer, as far as the kernel tells; 0 where the page cache had it. */
  readonly diskReadBytes: number;
  readonly peakRssBytes: number;
}

const FIGURES = [
  'processSeconds',
  'runtimeSeconds',
  'modelSeconds',
  'firstInferenceSeconds',
  'firstAnswerSeconds',
  'runsToSteady',
  'secondsToSteady',
  'steadyMedianSeconds',
] as const;

type ColdStartFigureName = (typeof FIGURES)[number];

/** A figure over the repetitions after the first, whose page cache was warm. */
export interface ColdStartFigure {
  /** Null where there was but one repetition. */
  readonly median: number | null;
  /** 95 % interval of the median; null for fewer than six repetitions after the first. */
  readonly lower: number | null;
  readonly upper: number | null;
  /** Of the very first start. */
  readonly first: number;
}

/** How a model starts, ready for JSON. */
export interface ColdStartResult extends SutIdentity {
  readonly repetitions: readonly ColdStartRecord[];
  /** Null where no start succeeded. */
  readonly figures: Readonly<Record<ColdStartFigureName, ColdStartFigure>> | null;
  /** The first run of each distinct shape, of which `figures` has the first. */
  readonly firstInferences: readonly ColdStartFigure[];
  /** Against the first model; null for the first itself. */
  readonly ratios: readonly ColdStartRatio[] | null;
  /** Why there are no further repetitions. */
  readonly failure: Problem | null;
}

const COMPARED = [
  'firstAnswerSeconds',
  'modelSeconds',
  'firstInferenceSeconds',
  'steadyMedianSeconds',
] as const;

/** How many times as long as the base a model takes: below 1 it is faster. */
export interface ColdStartRatio {
  readonly figure: (typeof COMPARED)[number];
  /** Geometric mean over the repetitions, with its 95 % interval; null for fewer than three pairs. */
  readonly ratio: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
  readonly pairedRepetitions: number;
}

const CONFIDENCE = 0.95;
const FEWEST_PAIRS = 3;
/** From here on a fifth at either end can be done without, as in `compareResults`. */
const PAIRS_TO_TRIM = 8;

/** Medians over the repetitions of each model, and their ratios to the first model, repetition by repetition. */
export function summarizeColdStarts(
  models: readonly {
    readonly identity: SutIdentity;
    readonly records: readonly ColdStartRecord[];
    readonly failure: Problem | null;
  }[],
): readonly ColdStartResult[] {
  const base = models[0]?.records ?? [];
  return models.map(({ identity, records, failure }, index) => ({
    ...identity,
    repetitions: records,
    figures: records.length === 0 ? null : figuresOf(records),
    firstInferences: (records[0]?.firstInferencesSeconds ?? []).map((_, shape) =>
      figureOf(records, (record) => record.firstInferencesSeconds[shape] as number),
    ),
    ratios: index === 0 ? null : COMPARED.map((figure) => ratioOf(base, records, figure)),
    failure,
  }));
}

function figuresOf(records: readonly ColdStartRecord[]) {
  return Object.fromEntries(
    FIGURES.map((name) => [name, figureOf(records, (record) => record[name])]),
  ) as Record<ColdStartFigureName, ColdStartFigure>;
}

function figureOf(
  records: readonly ColdStartRecord[],
  readFigure: (record: ColdStartRecord) => number,
): ColdStartFigure {
  const first = readFigure(records[0] as ColdStartRecord);
  const sorted = warm(records)
    .map(readFigure)
    .sort((a, b) => a - b);
  const n = sorted.length;
  if (n === 0) return { median: null, lower: null, upper: null, first };
  const ranks = binomialRanks(n, 500, CONFIDENCE);
  const at = (rank: number | null) => (rank === null ? null : (sorted[rank] ?? null));
  const middle = ((sorted[Math.floor((n - 1) / 2)] as number) + (sorted[Math.floor(n / 2)] as number)) / 2;
  return { median: middle, lower: at(ranks.lower), upper: at(ranks.upper), first };
}

function ratioOf(
  base: readonly ColdStartRecord[],
  candidate: readonly ColdStartRecord[],
  figure: (typeof COMPARED)[number],
): ColdStartRatio {
  const ofBase = new Map(warm(base).map((record) => [record.repetition, record[figure]]));
  const ratios = warm(candidate).flatMap((record) => {
    const against = ofBase.get(record.repetition);
    return against === undefined ? [] : record[figure] / against;
  });
  const pairedRepetitions = ratios.length;
  const intervalOf = pairedRepetitions < PAIRS_TO_TRIM ? geometricMeanInterval : trimmedMeanInterval;
  const interval = pairedRepetitions < FEWEST_PAIRS ? null : intervalOf(ratios, CONFIDENCE);
  if (interval === null) return { figure, ratio: null, lower: null, upper: null, pairedRepetitions };
  const { estimate: ratio, lower, upper } = interval;
  return { figure, ratio, lower, upper, pairedRepetitions };
}

function warm(records: readonly ColdStartRecord[]): readonly ColdStartRecord[] {
  return records.filter(({ repetition }) => repetition > 0);
}
