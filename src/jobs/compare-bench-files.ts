import { basename } from 'node:path';
import { compareResults, type SpeedUp } from '../benchmark/compare.ts';
import { type PercentileRatio, percentileRatios } from '../benchmark/compare-percentiles.ts';
import { compareSeparateRuns } from '../benchmark/compare-separate-runs.ts';
import type { BenchFile, BenchFileMeasurement, BenchFileResult } from '../config/bench-file-schema.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { fileDifferences, measurementDifferences } from './bench-file-differences.ts';

export interface CompareRequest {
  readonly base: BenchFile;
  /** Absent where models of one file are compared. */
  readonly candidate?: BenchFile;
  /** Names of models, whole or without their folders, where the files have several. */
  readonly baseModel?: string;
  readonly candidateModel?: string;
  readonly confidence?: number;
  /** The smallest relative difference that is claimed. */
  readonly minEffectRatio?: number;
}

/** Two results of one measurement against each other. */
export interface ResultComparison {
  readonly suite: string | null;
  readonly measurement: string;
  readonly scenario: BenchFileResult['scenario'];
  readonly base: BenchFileResult;
  readonly candidate: BenchFileResult;
  /** Whether their rounds were measured side by side. */
  readonly paired: boolean;
  readonly speedUp: SpeedUp;
  /** At every percentile that enough rounds can tell. */
  readonly percentiles: readonly PercentileRatio[];
  /** Settings that differ, as sentences. */
  readonly differences: readonly string[];
}

export interface FileComparison {
  readonly comparisons: readonly ResultComparison[];
  /** What differs between the hosts, versions, models and data of two runs, as sentences. */
  readonly differences: readonly string[];
}

type CompareProblem = Problem<'nothing-to-compare' | 'scenarios-differ' | 'unknown-model'>;

/**
 * Compares the results of two runs, or of models in one. Measurements are matched by name and scenario, models by the
 * request or by name; where each file has one model, those two are meant.
 * Problems: `scenarios-differ`, `unknown-model`, `nothing-to-compare`.
 */
export function compareBenchFiles(request: CompareRequest): Result<FileComparison, CompareProblem> {
  const { base, candidate } = request;
  const pairs =
    candidate === undefined ? ok(base.measurements.map((of) => [of, of] as const)) : matched(base, candidate);
  if (!pairs.ok) return pairs;
  const paired = candidate === undefined || isSameRun(base, candidate);
  const comparisons: ResultComparison[] = [];
  for (const [ofBase, ofCandidate] of pairs.value) {
    const models =
      candidate === undefined ? modelsWithin(ofBase, request) : modelsBetween(ofBase, ofCandidate, request);
    if (!models.ok) return models;
    for (const [one, other] of models.value)
      comparisons.push(compareOne(ofBase, ofCandidate, [one, other], paired, request));
  }
  if (comparisons.length === 0) {
    return err(
      problem('nothing-to-compare', 'the file holds one model, and nothing to compare it with', {
        hint: 'name a second file, or benchmark two models in one run',
      }),
    );
  }
  return ok({
    comparisons,
    differences: candidate === undefined || paired ? [] : fileDifferences(base, candidate),
  });
}

function compareOne(
  ofBase: BenchFileMeasurement,
  ofCandidate: BenchFileMeasurement,
  [base, candidate]: readonly [BenchFileResult, BenchFileResult],
  paired: boolean,
  { confidence = 0.95, minEffectRatio }: CompareRequest,
): ResultComparison {
  const options = { confidence, ...(minEffectRatio === undefined ? {} : { minEffectRatio }) };
  return {
    suite: ofBase.suite,
    measurement: ofBase.name,
    scenario: base.scenario,
    base,
    candidate,
    paired,
    speedUp: paired
      ? compareResults(base, candidate, options)
      : compareSeparateRuns(base, candidate, options),
    percentiles: percentileRatios(base.roundPercentiles, candidate.roundPercentiles, { paired, confidence }),
    differences: measurementDifferences(ofBase, ofCandidate),
  };
}

/** One run is one moment on one host. */
function isSameRun(a: BenchFile, b: BenchFile): boolean {
  return (
    a.created === b.created && JSON.stringify([a.host, a.command]) === JSON.stringify([b.host, b.command])
  );
}

/** Measurements of two files that are of one kind. */
function matched(
  base: BenchFile,
  candidate: BenchFile,
): Result<readonly (readonly [BenchFileMeasurement, BenchFileMeasurement])[], CompareProblem> {
  const likes = ({ measurements }: BenchFile, of: BenchFileMeasurement) =>
    measurements.filter(({ settings }) => settings.scenario === of.settings.scenario);
  const pairs = base.measurements.flatMap((of) => {
    const sameScenario = likes(candidate, of);
    const sameName = sameScenario.filter((other) => other.name === of.name);
    // Where a scenario was measured once in each file, its name does not matter.
    const onlyLike = likes(base, of).length === 1 ? only(sameScenario) : undefined;
    const other = sameName.find(({ suite }) => suite === of.suite) ?? sameName[0] ?? onlyLike;
    return other === undefined ? [] : [[of, other] as const];
  });
  if (pairs.length > 0) return ok(pairs);
  const scenarios = ({ measurements }: BenchFile) =>
    [...new Set(measurements.map(({ settings }) => settings.scenario))].join(', ') || 'nothing';
  return err(
    problem(
      'scenarios-differ',
      `the first file measured ${scenarios(base)}, the second ${scenarios(candidate)}: figures of different scenarios say nothing of each other`,
      { hint: 'measure both in one scenario' },
    ),
  );
}

type Pairs = Result<readonly (readonly [BenchFileResult, BenchFileResult])[], CompareProblem>;

function modelsWithin(
  { results }: BenchFileMeasurement,
  { baseModel, candidateModel }: CompareRequest,
): Pairs {
  const base = baseModel === undefined ? results[0] : named(results, baseModel);
  if (base === undefined) return unknownModel(baseModel ?? '', results);
  const others = results.filter((result) => result !== base);
  if (candidateModel === undefined) return ok(others.map((other) => [base, other]));
  const candidate = named(results, candidateModel);
  return candidate === undefined ? unknownModel(candidateModel, results) : ok([[base, candidate]]);
}

function modelsBetween(
  { results: first }: BenchFileMeasurement,
  { results: second }: BenchFileMeasurement,
  { baseModel, candidateModel }: CompareRequest,
): Pairs {
  const bases =
    baseModel === undefined ? first : first.filter((result) => result === named(first, baseModel));
  const candidates =
    candidateModel === undefined
      ? second
      : second.filter((result) => result === named(second, candidateModel));
  if (bases.length === 0) return unknownModel(baseModel ?? '', first);
  if (candidates.length === 0) return unknownModel(candidateModel ?? '', second);
  const [base, candidate] = [only(bases), only(candidates)];
  if (base !== undefined && candidate !== undefined) return ok([[base, candidate]]);
  const pairs = bases.flatMap((of) => {
    const other = named(candidates, of.variant) ?? named(candidates, basename(of.variant));
    return other === undefined ? [] : [[of, other] as const];
  });
  if (pairs.length > 0) return ok(pairs);
  const names = (results: readonly BenchFileResult[]) => results.map(({ variant }) => variant).join(', ');
  return err(
    problem('nothing-to-compare', 'no model of the first file has its like in the second', {
      hint: `choose with --base from ${names(first)}, and with --candidate from ${names(second)}`,
    }),
  );
}

function named(results: readonly BenchFileResult[], name: string): BenchFileResult | undefined {
  return (
    results.find(({ variant }) => variant === name) ??
    only(results.filter(({ variant }) => basename(variant) === name))
  );
}

function only<T>(values: readonly T[]): T | undefined {
  return values.length === 1 ? values[0] : undefined;
}

function unknownModel(name: string, results: readonly BenchFileResult[]): Result<never, CompareProblem> {
  return err(
    problem('unknown-model', `the result has no model '${name}'`, {
      hint: `it has ${results.map(({ variant }) => variant).join(', ') || 'none'}`,
    }),
  );
}
