import { basename } from 'node:path';
import type { SpeedUp } from '../benchmark/compare.ts';
import { paretoFront } from '../benchmark/statistics/pareto.ts';
import type { Profile } from '../config/profile.ts';
import type { Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import type { SuiteBenchResult } from './bench-suite.ts';
import type { ModelEvaluation } from './evaluate-task.ts';
import { latestSensitivity } from './explain/explain-variants.ts';
import { FP32, type PipelineResult, type VariantOutcome } from './pipeline.ts';
import { type Recommendation, recommendVariant } from './recommend-variant.ts';

/** A registered model with what its last full run found out. */
export interface ModelView {
  readonly name: string;
  readonly task: string;
  readonly variants: readonly VariantView[];
  /** Absent before the first full run. */
  readonly recommended?: Recommendation;
  readonly run?: { readonly id: string; readonly finishedMs: number };
}

export interface VariantView {
  readonly variant: string;
  /** The rest is absent where the variant was not made yet. */
  readonly sizeBytes?: number;
  /** Names the file of a quantized variant; the same content has the same name. */
  readonly artifact?: string;
  readonly accuracy?: AccuracyView;
  readonly bench: readonly BenchView[];
  readonly speedUps: readonly SpeedUp[];
  /** The run that told what its nodes cost. */
  readonly explainedBy?: string;
  /** Whether no other variant is as accurate, as fast and as small, and better in one of these. */
  readonly onFront?: boolean;
}

/** What an evaluation says in short. */
export interface AccuracyView
  extends Pick<ModelEvaluation, 'verdict' | 'verdictReason' | 'n' | 'agreement' | 'sqnrDb'> {
  /** What was judged by, with its value here and that of fp32; absent where it is no figure of the task. */
  readonly figure?: {
    readonly metric: string;
    readonly value: number | null;
    readonly reference: number | null;
  };
}

/** What a measurement says in short. */
export interface BenchView
  extends Pick<
    SuiteBenchResult,
    'suite' | 'measurement' | 'scenario' | 'device' | 'valid' | 'throughput' | 'peakRssBytes'
  > {
  readonly p50Seconds: number | null;
  readonly p99Seconds: number | null;
}

/** What there is to know of a registered model now. Variants that its profile no longer has are left out. */
export function modelView(profile: Profile, store: Pick<Store, 'listRuns'>): ModelView {
  const { name, task } = profile;
  const last = lastFullRun(name, store);
  const outcomes = outcomesOf(last);
  const variants = [FP32, ...profile.variants.map((variant) => variant.name)].map((variant) => ({
    variant,
    outcome: outcomes.find((outcome) => outcome.variant === variant),
  }));
  const made = variants.flatMap(({ outcome }) => (outcome === undefined ? [] : [outcome]));
  const front = frontOf(made);
  const names = variants.map(({ variant }) => variant);
  const explained = latestSensitivity(name, names, last?.result, store);
  const explainedBy = (variant: string): Pick<VariantView, 'explainedBy'> => {
    const run = explained.get(variant)?.run;
    return run === undefined ? {} : { explainedBy: run };
  };
  return {
    name,
    task: task.name,
    variants: variants.map(({ variant, outcome }) => ({
      ...(outcome === undefined ? { variant, bench: [], speedUps: [] } : variantView(outcome, front)),
      ...explainedBy(variant),
    })),
    ...(last?.finishedMs === undefined ? {} : { run: { id: last.id, finishedMs: last.finishedMs } }),
    ...recommendedOf(made),
  };
}

function lastFullRun(model: string, store: Pick<Store, 'listRuns'>): Run | undefined {
  return store.listRuns({ model, kind: 'pipeline', state: 'succeeded', limit: 1 })[0];
}

/** A result that another version wrote may have a shape of its own. */
function outcomesOf(run: Run | undefined): readonly VariantOutcome[] {
  const { variants } = (run?.result ?? {}) as Partial<PipelineResult>;
  return Array.isArray(variants) ? variants.filter((outcome) => Array.isArray(outcome?.bench)) : [];
}

function recommendedOf(made: readonly VariantOutcome[]): Pick<ModelView, 'recommended'> {
  const base = made.find(({ variant }) => variant === FP32);
  if (base === undefined) return {};
  const candidates = made
    .filter((outcome) => outcome !== base)
    .map(({ variant, sizeBytes, evaluation, speedUps }) => ({
      variant,
      sizeBytes,
      verdict: evaluation?.verdict,
      speedUps,
    }));
  return { recommended: recommendVariant(base, candidates) };
}

function variantView(outcome: VariantOutcome, front: ReadonlySet<VariantOutcome>): VariantView {
  const { variant, sizeBytes, quantization, evaluation, bench, speedUps } = outcome;
  const artifact = /^([0-9a-f]{64})\.onnx$/.exec(basename(quantization?.output ?? ''))?.[1];
  return {
    variant,
    sizeBytes,
    ...(artifact === undefined ? {} : { artifact }),
    ...(evaluation === undefined ? {} : { accuracy: accuracyView(evaluation) }),
    bench: bench.map(benchView),
    speedUps,
    ...(front.size === 0 ? {} : { onFront: front.has(outcome) }),
  };
}

function accuracyView(evaluation: ModelEvaluation): AccuracyView {
  const { verdict, verdictReason, n, agreement, sqnrDb } = evaluation;
  const figure = judgedBy(evaluation);
  return {
    verdict,
    verdictReason,
    n,
    ...(agreement === undefined ? {} : { agreement }),
    sqnrDb,
    ...(figure === undefined
      ? {}
      : { figure: { metric: figure.name, value: figure.value, reference: figure.reference } }),
  };
}

function judgedBy({ figures = [], metric }: ModelEvaluation) {
  return figures.find(({ name }) => name === metric);
}

/** Accuracy, speed of the first measurement, and size. Empty where one of these is not known of any variant. */
function frontOf(made: readonly VariantOutcome[]): ReadonlySet<VariantOutcome> {
  const { front } = paretoFront(made, [
    { name: 'loss', better: 'lower', figure: lossOf },
    {
      name: 'throughput',
      better: 'higher',
      figure: ({ bench }) => (bench[0]?.valid ? bench[0].throughput : null),
    },
    { name: 'size', better: 'lower', figure: ({ sizeBytes }) => sizeBytes },
  ]);
  return new Set(front);
}

/** By what was judged by; without labels by how many answers are others. */
function lossOf({ variant, evaluation }: VariantOutcome): number | null {
  if (variant === FP32) return 0;
  if (evaluation === undefined) return null;
  const { agreement } = evaluation;
  return judgedBy(evaluation)?.loss ?? (agreement === undefined ? null : 1 - agreement);
}

function benchView(result: SuiteBenchResult): BenchView {
  const { suite, measurement, scenario, device, valid, throughput, peakRssBytes, latencySeconds } = result;
  const { p50 = null, p99 = null } = latencySeconds ?? {};
  return {
    suite,
    measurement,
    scenario,
    device,
    valid,
    throughput,
    peakRssBytes,
    p50Seconds: p50,
    p99Seconds: p99,
  };
}
