import { writeFile } from 'node:fs/promises';
import type { SpeedUp } from '../benchmark/compare.ts';
import type { Profile } from '../config/profile.ts';
import { toJson } from '../core/json.ts';
import { attemptAsync, type Problem, ProblemError, problem } from '../core/problem.ts';
import type { Result } from '../core/result.ts';
import type { WorkerRole } from '../metrics/worker-metrics.ts';
import { type ArtifactsInUse, useArtifacts } from './artifacts-in-use.ts';
import { benchSuites, readySuites } from './bench-run.ts';
import type { SuiteBenchResult } from './bench-suite.ts';
import type { InputDigests } from './digest-inputs.ts';
import type { ModelEvaluation, WatchedAnswers } from './evaluate-task.ts';
import { explainVariants, type VariantSensitivity } from './explain/explain-variants.ts';
import { type HostFingerprint, readHostFingerprint } from './host-fingerprint.ts';
import type { LiveSystem } from './live-system.ts';
import { digestProfile } from './run-basis.ts';
import type { PipelineDeps, PipelinePlan, RunContext } from './run-context.ts';
import { changedItemsFile, timelineFile, traceRecordFile } from './run-files.ts';
import { beginRunTrace, type RunTraceRecord } from './run-trace.ts';
import { startRunWatch } from './run-watch.ts';
import type { SearchedReport } from './search/searched-report.ts';
import type { RunTimeline } from './timeline-task.ts';
import { unwrap } from './unwrap.ts';
import { ensureVariant, type VariantArtifact } from './variant-artifact.ts';
import type { NamedModel } from './variant-sut.ts';
import { runTask } from './worker-process.ts';
import type { WorkerEvent } from './worker-protocol.ts';

/** The name of the model itself among its variants. */
export const FP32 = 'fp32';

/** Under which an artifact is measured that a variant was before. No variant of a profile can have it. */
export function earlierName(variant: string): string {
  return `${variant}@earlier`;
}

export interface VariantOutcome {
  readonly variant: string;
  readonly sizeBytes: number;
  readonly quantization?: SearchedReport & { readonly reused: boolean };
  readonly evaluation?: ModelEvaluation;
  /** What is kept of its answers, and how they compare with those that it is held to. */
  readonly watched?: WatchedAnswers;
  readonly sensitivity?: VariantSensitivity;
  /** One a measurement, in the order of the plan. */
  readonly bench: readonly SuiteBenchResult[];
  /** Against FP32, one a measurement. */
  readonly speedUps: readonly SpeedUp[];
}

/** The record of a run: plain data, ready for JSON. */
export interface PipelineResult {
  readonly model: string;
  readonly host: HostFingerprint;
  /** What it was made from; absent in results of older versions. */
  readonly inputs?: Pick<InputDigests, 'modelDigest' | 'dataDigest'> & { readonly profileDigest: string };
  readonly variants: readonly VariantOutcome[];
  readonly timeline?: RunTimeline;
  /** Where one was wanted. */
  readonly trace?: RunTraceRecord;
  readonly seconds: number;
}

/**
 * Takes a registered model through quantize, evaluate and bench, watched by the sampler. What computes runs in worker
 * processes; this function only waits for them. The timeline goes into the run's folder in the store.
 * Errors: the first problem of any step.
 */
export function runPipeline(
  runId: string,
  profile: Profile,
  plan: PipelinePlan,
  deps: PipelineDeps,
): Promise<Result<PipelineResult, Problem>> {
  return attemptAsync(async () => {
    const { clock, logger } = deps;
    const startNs = clock.nowNs();
    const file = timelineFile(deps.store.runDirectory(runId));
    const watch = await startRunWatch(deps.sampler, file, {
      about: { run: runId, model: profile.name },
      idleIntervalMs: deps.samplerIdleIntervalMs,
      sampling: plan.sampling,
      logger,
    });
    const { live } = deps;
    const onEvent = (event: WorkerEvent) => {
      if (event.kind === 'phase-begin') {
        watch.beginPhase(event.begun);
        live?.phaseBegan(event.begun);
      } else if (event.kind === 'phase') {
        watch.phase(event.span);
        live?.phaseEnded(event.span);
      } else if (event.kind === 'progress') deps.onProgress?.(event.progress);
    };
    const host = {
      entry: deps.workerEntry,
      onSpawn: (pid: number, role: WorkerRole) => {
        deps.workers?.workerStarted(pid, role);
        watch.addProcess(pid);
      },
      onExit: (pid: number) => {
        watch.removeProcess(pid);
        deps.workers?.workerEnded(pid);
      },
      onStderrLine: (line: string, pid: number | undefined) => logger.debug('a worker says', { pid, line }),
      beforeEnd: watch.seeLast,
      peakGpuMemoryBytes: watch.peakGpuMemoryBytes,
      ...(live === undefined ? {} : { onSystem: (system: LiveSystem) => live.systemStarted(system) }),
    };
    const trace = await beginRunTrace(profile.name, plan.trace, deps);
    const context: RunContext = { runId, profile, plan, deps, host, watch, trace, onEvent };
    const artifacts = useArtifacts(deps.store);
    try {
      let found: Pick<PipelineResult, 'inputs' | 'variants'>;
      let watched = false;
      try {
        found = await runSteps(context, artifacts);
      } finally {
        watched = await watch.finish();
      }
      const timeline = watched ? await summarize(file, context) : undefined;
      const traced = await trace.finish(watched ? file : undefined);
      if (traced !== undefined) await keepTraceRecord(traced, deps.store.runDirectory(runId));
      return {
        model: profile.name,
        host: readHostFingerprint(await deps.hardware),
        ...found,
        ...(timeline === undefined ? {} : { timeline }),
        ...(traced === undefined ? {} : { trace: traced }),
        seconds: Number(clock.nowNs() - startNs) / 1e9,
      };
    } finally {
      artifacts.release();
      await trace.close();
    }
  });
}

/** For commands that find a run by its folder, as a daemon may have the store. Without it they do not find the trace. */
async function keepTraceRecord(record: RunTraceRecord, runFolder: string): Promise<void> {
  if (record.run === null) return;
  await writeFile(traceRecordFile(runFolder), toJson(record, 2)).catch(() => {});
}

/** The timeline is an extra: where it cannot be read the run has its results all the same. */
async function summarize(file: string, { deps }: RunContext): Promise<RunTimeline | undefined> {
  const { workerEntry: entry, signal, logger } = deps;
  const summary = await runTask(
    { entry },
    { kind: 'timeline', file },
    signal === undefined ? {} : { signal },
  );
  if (summary.ok) return summary.value as RunTimeline;
  logger.warn(`the timeline cannot be summed up: ${summary.error.message}`, { file });
  return undefined;
}

async function runSteps(
  context: RunContext,
  artifactsInUse: ArtifactsInUse,
): Promise<Pick<PipelineResult, 'inputs' | 'variants'>> {
  const { profile, plan } = context;
  const artifacts: VariantArtifact[] = [];
  const variants = chosenVariants(profile, plan);
  const suites = await readySuites(context);
  const inputs = await digest(context);
  for (const variant of variants) {
    const artifact = await ensureVariant(
      profile,
      variant,
      inputs,
      artifactsInUse,
      context.host,
      controls(context),
      context.trace.calibration,
    );
    artifacts.push(unwrap(artifact));
  }
  const models: NamedModel[] = [
    { variant: FP32, path: profile.model },
    ...artifacts.map(({ variant, path }) => ({ variant, path })),
  ];
  const earlier = earlierArtifacts(context, artifacts, artifactsInUse);
  const evaluations = plan.evaluate ? await evaluate(context, models, inputs) : [];
  const sensitivities = await explainVariants(context, artifacts, controls(context));
  const ownAnswers = evaluations[0]?.referenceWatched;
  const bench = await benchSuites(context, suites, [...models, ...earlier]);
  const fp32 = {
    variant: FP32,
    sizeBytes: inputs.modelSizeBytes,
    ...(ownAnswers === undefined ? {} : { watched: ownAnswers }),
    bench: bench.results(FP32),
    speedUps: [],
  };
  const made = artifacts.map(({ variant, sizeBytes, report, reused }) => {
    const found = evaluations.find((candidate) => candidate.variant === variant);
    const { watched, referenceWatched: _, ...evaluation } = found ?? {};
    const sensitivity = sensitivities.get(variant);
    return {
      variant,
      sizeBytes,
      quantization: { ...report, reused },
      ...(found === undefined ? {} : { evaluation: evaluation as ModelEvaluation }),
      ...(watched === undefined ? {} : { watched }),
      ...(sensitivity === undefined ? {} : { sensitivity }),
      bench: bench.results(variant),
      speedUps: bench.speedUps(variant),
    };
  });
  const besides = earlier.map(({ variant, sizeBytes }) => ({
    ...{ variant, sizeBytes },
    bench: bench.results(variant),
    speedUps: bench.speedUps(variant),
  }));
  const { modelDigest, dataDigest } = inputs;
  const profileDigest = digestProfile(profile);
  return { inputs: { modelDigest, dataDigest, profileDigest }, variants: [fp32, ...made, ...besides] };
}

/** The artifacts that variants were before, where they are still there and are others than now. */
function earlierArtifacts(
  { plan: { besides = {} } }: RunContext,
  artifacts: readonly VariantArtifact[],
  { findArtifact }: ArtifactsInUse,
): readonly (NamedModel & { readonly sizeBytes: number })[] {
  return artifacts.flatMap(({ variant, path }) => {
    const hash = besides[variant];
    const known = hash === undefined ? undefined : findArtifact(hash);
    if (known === undefined || known.path === path) return [];
    return [{ variant: earlierName(variant), path: known.path, sizeBytes: known.sizeBytes }];
  });
}

async function digest(context: RunContext): Promise<InputDigests> {
  const { model, data } = context.profile;
  const task = { kind: 'digest', modelPath: model, data: data.set } as const;
  return unwrap(await runTask(context.host, task, controls(context))) as InputDigests;
}

function controls({ deps, onEvent }: RunContext) {
  return { onEvent, ...(deps.signal === undefined ? {} : { signal: deps.signal }) };
}

function chosenVariants(profile: Profile, { variants }: PipelinePlan) {
  const unknown = variants?.find(
    (name) => name !== FP32 && !profile.variants.some((known) => known.name === name),
  );
  if (unknown !== undefined) {
    throw new ProblemError(
      problem('unknown-variant', `the profile '${profile.name}' has no variant '${unknown}'`, {
        hint: `it has ${[FP32, ...profile.variants.map(({ name }) => name)].join(', ')}`,
      }),
    );
  }
  return profile.variants.filter(({ name }) => variants === undefined || variants.includes(name));
}

async function evaluate(
  context: RunContext,
  models: readonly NamedModel[],
  digests: InputDigests,
): Promise<readonly ModelEvaluation[]> {
  const { runId, profile, plan, host, deps, trace } = context;
  const [reference, ...candidates] = models as [NamedModel, ...NamedModel[]];
  const folder = deps.store.runDirectory(runId);
  const { split } = profile.data.evaluation;
  const samples = plan.samples ?? profile.data.evaluation.samples;
  const { states } = profile.data;
  const report = await runTask(
    host,
    {
      kind: 'evaluate',
      reference,
      candidates: candidates.map((candidate) => ({
        ...candidate,
        changedItems: changedItemsFile(folder, candidate.variant),
      })),
      outputsCache: { folder: deps.store.outputsFolder, digests },
      golden: { folder: deps.store.goldenFolder, baselines: deps.baselinesOf?.(profile.name) ?? {} },
      data: { spec: profile.data.set, split },
      ...(samples === undefined ? {} : { samples }),
      task: profile.task,
      budget: profile.budget,
      threads: plan.threads,
      ...(states === undefined ? {} : { states }),
      ...(trace.evaluation === undefined ? {} : { trace: trace.evaluation }),
    },
    controls(context),
  );
  return unwrap(report) as readonly ModelEvaluation[];
}
