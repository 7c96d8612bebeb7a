import { basename, join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { ProblemError, problem } from '../core/problem.ts';
import {
  answerOf,
  createEvaluator,
  type Evaluator,
  finishTogether,
  type VariantEvaluation,
} from '../evaluation/evaluation.ts';
import { collectIndices } from '../evaluation/index-list.ts';
import type { Task } from '../evaluation/task.ts';
import { DEFAULT_VERDICT_SETTINGS, type VerdictSettings } from '../evaluation/verdict.ts';
import type { ModelPort } from '../runtime/session.ts';
import { type BaselineCheck, concludeBaselines, openBaselineCheck } from './baseline-check.ts';
import type { EvaluatedCandidate, EvaluateTask, ModelEvaluation, WatchedAnswers } from './evaluate-task.ts';
import type { LaneOutputs, LaneResult } from './evaluation-lane.ts';
import { openLanes } from './evaluation-lanes.ts';
import { type GoldenCheck, openGoldenCheck, recordGolden } from './golden-check.ts';
import { describeBadSample, LISTED_PROBLEMS } from './left-out-samples.ts';
import { openTask } from './open-task.ts';
import { readOwnCounters } from './own-counters.ts';
import { createPhaseRecorder } from './phase-recorder.ts';
import { isProgressDue } from './progress-interval.ts';
import { openReferenceOutputs, type ReferenceOutputs } from './reference-outputs.ts';
import { type StoredOutputPaths, storedOutputPaths } from './stored-outputs.ts';
import type { TaskContext } from './task-context.ts';
import { unwrapIn } from './unwrap.ts';
import { writeJsonLines } from './write-lines.ts';

interface Candidate extends EvaluatedCandidate {
  readonly evaluator: Evaluator;
  readonly goldenCheck: GoldenCheck | undefined;
  readonly baselineCheck: BaselineCheck | undefined;
}

/**
 * Runs the reference and every candidate on the same samples, streamed, so that memory grows by an answer a sample and
 * model and no more. Runs in a worker process. Throws `ProblemError` where the models cannot be compared at all; a sample
 * on which a model fails makes that candidate's verdict `invalid`.
 * @param laneEntry the compiled `lane-main.js`, for sharing samples out among threads
 */
export function evaluateModels(
  task: EvaluateTask,
  { clock, emit }: TaskContext,
  laneEntry?: URL,
): Promise<ModelEvaluation[]> {
  const phase = createPhaseRecorder(clock, emit, {
    readCounters: readOwnCounters,
  });
  return phase('evaluate', async () => {
    const opened: { close(): Promise<void> }[] = [];
    const keep = <T extends { close(): Promise<void> }>(made: T): T => {
      opened.push(made);
      return made;
    };
    try {
      const paths = await storedOutputPaths(task);
      const stored = keep(await openReferenceOutputs(paths.reference, clock));
      const lanes = keep(await openLanes(laneTask(task, stored), laneEntry));
      requireRealData(lanes.source);
      const comparison = await openComparison(task, lanes.outputs, { paths, clock, keep });
      const skipped = { list: collectIndices(), problems: [] as string[] };
      const total = lanes.source.count;
      const isDue = isProgressDue(clock);
      let done = 0;
      for await (const result of lanes.results()) {
        if (result.kind === 'sample') await compareSample(result, comparison, stored, lanes.source.path);
        else skip(result, lanes.source, skipped);
        done += 1;
        if (!isDue(done, total)) continue;
        emit({ kind: 'progress', progress: { phase: 'evaluate', done, total, unit: 'samples' } });
      }
      await stored.finish();
      return await finish(comparison, paths, {
        skipped: { ...skipped.list.list(), problems: skipped.problems },
        referenceReused: stored.isKnown,
        unused: listUnused(lanes.source.unused),
      });
    } finally {
      for (const made of opened.reverse()) await made.close();
    }
  });
}

function laneTask(task: EvaluateTask, { isKnown }: ReferenceOutputs): Parameters<typeof openLanes>[0] {
  const { reference, candidates, data, samples, states, threads, trace } = task;
  return {
    referencePath: reference.path,
    candidatePaths: candidates.map(({ path }) => path),
    skipsReference: isKnown,
    data,
    samples,
    states,
    threads,
    ...(trace === undefined
      ? {}
      : {
          trace: {
            folder: trace.folder,
            samples: trace.samples,
            modelIds: [reference, ...candidates].map(({ variant }) => `${trace.model}:${variant}`),
          },
        }),
  };
}

interface Comparison {
  readonly task: Task<unknown> | undefined;
  readonly candidates: readonly Candidate[];
  /** Of the reference itself. */
  readonly own: Pick<Candidate, 'goldenCheck' | 'baselineCheck'>;
}

async function openComparison(
  task: EvaluateTask,
  ports: readonly ModelPort[],
  golden: {
    readonly paths: StoredOutputPaths;
    readonly clock: Clock;
    /** Sees to it that a check is closed. */
    readonly keep: <T extends { close(): Promise<void> }>(check: T) => T;
  },
): Promise<Comparison> {
  const outputs = ports.filter(({ type }) => type !== 'string').map(({ name }) => name);
  if (outputs.length === 0) {
    throw new ProblemError(
      problem(
        'output-unsupported',
        'all outputs of the model hold text, which cannot be compared as numbers',
        {
          place: { file: task.reference.path },
          hint: 'export the model with the scores that its texts are chosen by',
        },
      ),
    );
  }
  const opened = await openTask(task.task, outputs);
  const settings = verdictSettings(task.budget, opened);
  const { paths, clock, keep } = golden;
  const openBaseline = async (variant: string) => {
    const path = baselinePath(task, variant, paths.data);
    const check = await openBaselineCheck(path, { task: opened, outputs, settings });
    return check && keep(check);
  };
  const candidates: Candidate[] = [];
  for (const [position, candidate] of task.candidates.entries()) {
    const goldenCheck = await openGoldenCheck(paths.golden[position], { task: opened, outputs, clock });
    candidates.push({
      ...candidate,
      evaluator: createEvaluator({ task: opened, outputs, settings }),
      goldenCheck: goldenCheck && keep(goldenCheck),
      baselineCheck: await openBaseline(candidate.variant),
    });
  }
  const recorder = await recordGolden(paths.referenceGolden, clock);
  const own = {
    goldenCheck: recorder && keep(recorder),
    baselineCheck: await openBaseline(task.reference.variant),
  };
  return { task: opened, candidates, own };
}

/** Undefined where there is no baseline, or it is on other samples. */
function baselinePath({ golden }: EvaluateTask, variant: string, data: string | undefined) {
  const baseline = golden?.baselines?.[variant];
  if (golden === undefined || baseline === undefined || baseline.outputs === null) return undefined;
  return baseline.data === data ? join(golden.folder, `${baseline.outputs}.outputs`) : undefined;
}

function verdictSettings(
  { metric, atLeast, alpha, confidence, ...budget }: EvaluateTask['budget'],
  task: Task<unknown> | undefined,
): VerdictSettings {
  const known = [...(task?.metrics ?? []).map(({ name }) => name), 'agreement', 'sqnr_db'];
  if (metric !== undefined && !known.includes(metric)) {
    throw new ProblemError(
      problem('unknown-metric', `the task ${task?.name ?? 'fidelity'} has no metric '${metric}'`, {
        hint: `it has ${known.join(', ')}`,
      }),
    );
  }
  return {
    alpha: alpha ?? DEFAULT_VERDICT_SETTINGS.alpha,
    confidence: confidence ?? DEFAULT_VERDICT_SETTINGS.confidence,
    budget,
    ...(metric === undefined ? {} : { metric }),
    ...(atLeast === undefined ? {} : { minSqnrDb: atLeast }),
  };
}

async function compareSample(
  { facts, outputs: [ofReference, ...ofCandidates] }: LaneResult & { readonly kind: 'sample' },
  { task, candidates, own }: Comparison,
  stored: ReferenceOutputs,
  dataPath: string,
): Promise<void> {
  const reference = await stored.take(facts.index, ofReference);
  const referenceAnswer =
    'tensors' in reference ? locate(dataPath, () => answerOf(task, reference.tensors, facts)) : undefined;
  for (const [position, candidate] of candidates.entries()) {
    const found = ofCandidates[position] as NonNullable<LaneOutputs>;
    if ('problem' in reference) candidate.evaluator.fail(facts.index, reference.problem);
    else if ('problem' in found) candidate.evaluator.fail(facts.index, found.problem);
    else {
      const item = { ...facts, reference: reference.tensors, candidate: found.tensors, referenceAnswer };
      unwrapIn(dataPath, candidate.evaluator.add(item));
    }
    await candidate.goldenCheck?.add(facts, found);
    await candidate.baselineCheck?.add(facts, found);
  }
  await own.goldenCheck?.add(facts, reference);
  await own.baselineCheck?.add(facts, reference);
}

/** A problem that a task finds knows the sample, not the file. */
function locate<T>(file: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    throw new ProblemError({ ...error.problem, place: { file, ...error.problem.place } });
  }
}

function skip(
  { index, problem: cause }: LaneResult & { readonly kind: 'bad-sample' },
  { skipsBadSamples }: { readonly skipsBadSamples: boolean },
  skipped: { readonly list: ReturnType<typeof collectIndices>; readonly problems: string[] },
): void {
  if (!skipsBadSamples) throw new ProblemError(cause);
  skipped.list.add(index);
  if (skipped.problems.length < LISTED_PROBLEMS) skipped.problems.push(describeBadSample(index, cause));
}

/** Enough to see what kind of thing it is. */
const LISTED_UNUSED = 5;

function listUnused(names: readonly string[]): ModelEvaluation['unused'] {
  return { count: names.length, names: names.slice(0, LISTED_UNUSED) };
}

function requireRealData({ isMadeUp }: { readonly isMadeUp: boolean }): void {
  if (!isMadeUp) return;
  throw new ProblemError(
    problem('data-made-up', 'random data says nothing about accuracy', {
      hint: 'evaluate on real samples; random data is for benchmarks',
    }),
  );
}

async function finish(
  { candidates, own }: Comparison,
  paths: StoredOutputPaths,
  shared: Pick<ModelEvaluation, 'skipped' | 'referenceReused' | 'unused'>,
): Promise<ModelEvaluation[]> {
  const concluded = finishTogether(candidates.map(({ evaluator }) => evaluator));
  const [ofReference, ...baselines] = concludeBaselines(
    [own, ...candidates].map(({ baselineCheck }) => baselineCheck),
  );
  const ownGolden = await own.goldenCheck?.finish();
  const evaluations: ModelEvaluation[] = [];
  for (const [position, candidate] of candidates.entries()) {
    const { variant, path, evaluator, changedItems, goldenCheck } = candidate;
    if (changedItems !== undefined) await writeJsonLines(changedItems, evaluator.changed());
    const golden = await goldenCheck?.finish();
    evaluations.push({
      variant,
      model: path,
      ...(concluded[position] as VariantEvaluation),
      ...shared,
      ...golden,
      ...watched('watched', paths.golden[position], paths.data, golden, baselines[position]),
      ...watched('referenceWatched', paths.referenceGolden, paths.data, ownGolden, ofReference),
    });
  }
  return evaluations;
}

function watched(
  name: 'watched' | 'referenceWatched',
  path: string | undefined,
  data: string | undefined,
  golden: Awaited<ReturnType<GoldenCheck['finish']>> | undefined,
  againstBaseline: WatchedAnswers['againstBaseline'],
): Pick<ModelEvaluation, 'watched' | 'referenceWatched'> {
  if (path === undefined || data === undefined) return {};
  // What is known already was compared with, or left alone, and lies there.
  const isKept = golden?.goldenRecorded ?? true;
  const answers: WatchedAnswers = {
    outputs: isKept ? basename(path, '.outputs') : null,
    data,
    ...(againstBaseline === undefined ? {} : { againstBaseline }),
  };
  return { [name]: answers };
}
