import { basename } from 'node:path';
import { compareResults, type SpeedUp } from '../benchmark/compare.ts';
import { compareSeparateRuns } from '../benchmark/compare-separate-runs.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { differing, hostDifferences } from './bench-file-differences.ts';
import type { SuiteBenchResult } from './bench-suite.ts';
import { FP32, type PipelineResult, type VariantOutcome } from './pipeline.ts';

/** A run that succeeded, as far as it is compared. */
export interface ComparedRun {
  readonly id: string;
  readonly result: unknown;
}

export interface CompareRunsRequest {
  readonly base: ComparedRun;
  /** May be the same run. */
  readonly head: ComparedRun;
  /** Absent: every variant with its like; within one run, every variant with fp32. */
  readonly baseVariant?: string | undefined;
  readonly headVariant?: string | undefined;
}

export interface RunComparison {
  readonly suite: string;
  readonly measurement: string;
  readonly scenario: string;
  readonly baseVariant: string;
  readonly headVariant: string;
  /** Whether their rounds were measured side by side. */
  readonly paired: boolean;
  /** Above 1 the head is faster. */
  readonly speedUp: SpeedUp;
  /** Settings that differ, as sentences. */
  readonly differences: readonly string[];
}

/** What all comparisons together say: `slower` as soon as one of them does, `invalid` where none is valid and has rounds enough. */
export type ComparisonVerdict = 'faster' | 'slower' | 'not-distinguished' | 'invalid';

export interface RunsComparison {
  readonly verdict: ComparisonVerdict;
  readonly comparisons: readonly RunComparison[];
  /** What differs between hosts, versions and models, as sentences. */
  readonly differences: readonly string[];
}

/**
 * Compares what two runs measured, measurement by measurement and variant by variant, or the variants of one run. Rounds of one run
 * are paired; those of two are not, and a difference has to be larger to be claimed (see `compareSeparateRuns`).
 * Problems: `unknown-variant`, `nothing-to-compare`.
 */
export function compareRuns(request: CompareRunsRequest): Result<RunsComparison, Problem> {
  const { base, head, baseVariant, headVariant } = request;
  const isSameRun = base.id === head.id;
  const bases = variantsOf(base);
  const heads = variantsOf(head);
  for (const [name, run, field] of [
    [baseVariant, base, 'baseVariant'],
    [headVariant, head, 'headVariant'],
  ] as const) {
    const known = variantsOf(run).map(({ variant }) => variant);
    if (name !== undefined && !known.includes(name)) {
      return err(
        problem('unknown-variant', `the run '${run.id}' measured no variant '${name}'`, {
          place: { field: `/${field}` },
          hint: `it measured: ${known.join(', ') || 'none'}`,
        }),
      );
    }
  }
  const ofBase = baseVariant ?? (isSameRun ? FP32 : undefined);
  const comparisons = bases
    .filter(({ variant }) => ofBase === undefined || variant === ofBase)
    .flatMap((one) =>
      heads
        .filter((other) => isCounterpart(one.variant, other.variant, headVariant, isSameRun))
        .flatMap((other) => compareVariants(one, other, isSameRun)),
    );
  if (comparisons.length === 0) {
    return err(
      problem('nothing-to-compare', 'the runs have no measurement in common', {
        hint: 'order both with the same suite or scenario, or name the variants with baseVariant and headVariant',
      }),
    );
  }
  return ok({
    verdict: verdictOf(comparisons),
    comparisons,
    differences: isSameRun ? [] : runDifferences(base, head),
  });
}

/** Whether a variant of the head is compared with one of the base. */
function isCounterpart(base: string, head: string, wanted: string | undefined, isSameRun: boolean): boolean {
  if (isSameRun && head === base) return false;
  return wanted === undefined ? isSameRun || head === base : head === wanted;
}

function compareVariants(
  one: VariantOutcome,
  other: VariantOutcome,
  paired: boolean,
): readonly RunComparison[] {
  return one.bench.flatMap((base) => {
    const head = other.bench.find(
      ({ suite, measurement, scenario }) =>
        suite === base.suite && measurement === base.measurement && scenario === base.scenario,
    );
    if (head === undefined) return [];
    return [
      {
        suite: base.suite,
        measurement: base.measurement,
        scenario: base.scenario,
        baseVariant: one.variant,
        headVariant: other.variant,
        paired,
        speedUp: paired ? compareResults(base, head) : compareSeparateRuns(base, head),
        differences: settingDifferences(base, head),
      },
    ];
  });
}

function settingDifferences(base: SuiteBenchResult, head: SuiteBenchResult): readonly string[] {
  const fields = ['device', 'threads', 'batch', 'concurrency'] as const;
  return fields.flatMap((field) => differing(field, base[field] ?? '', head[field] ?? ''));
}

function verdictOf(comparisons: readonly RunComparison[]): ComparisonVerdict {
  const outcomes = new Set(
    comparisons.filter(({ speedUp }) => speedUp.valid).map(({ speedUp }) => speedUp.outcome),
  );
  outcomes.delete('too-few-rounds');
  if (outcomes.size === 0) return 'invalid';
  if (outcomes.has('slower')) return 'slower';
  return outcomes.has('faster') ? 'faster' : 'not-distinguished';
}

function runDifferences(base: ComparedRun, head: ComparedRun): readonly string[] {
  const hosts = [base, head].map(({ result }) => (result as Partial<PipelineResult>).host);
  const [one, other] = hosts;
  const host = one === undefined || other === undefined ? [] : hostDifferences(hostOf(one), hostOf(other));
  const artifacts = variantsOf(base).flatMap((variant) => {
    const like = variantsOf(head).find((of) => of.variant === variant.variant);
    return like === undefined ? [] : artifactDifferences(variant, like);
  });
  return [...host, ...artifacts];
}

function hostOf(host: PipelineResult['host']) {
  return { ...host, cpuFeatures: [...host.cpuFeatures] };
}

/** Artifacts have the hash of what made them for a name; of fp32 nothing but its size is known. */
function artifactDifferences(one: VariantOutcome, other: VariantOutcome): readonly string[] {
  const name = ({ quantization }: VariantOutcome) => basename(quantization?.output ?? '', '.onnx');
  if (name(one) !== name(other))
    return [`${one.variant} is another file: ${name(one).slice(0, 12)}…, then ${name(other).slice(0, 12)}…`];
  return differing(`size of ${one.variant}`, one.sizeBytes, other.sizeBytes);
}

/** A result that another version wrote may have a shape of its own. */
function variantsOf({ result }: ComparedRun): readonly VariantOutcome[] {
  const { variants } = (result ?? {}) as Partial<PipelineResult>;
  return Array.isArray(variants)
    ? variants.filter(
        ({ bench }) => Array.isArray(bench) && bench.every(({ rounds }) => Array.isArray(rounds)),
      )
    : [];
}
