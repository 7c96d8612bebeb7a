import type { BenchResult } from '../benchmark/bench-result.ts';
import type { BenchRun } from '../benchmark/controller.ts';
import type { Suite } from '../config/suite.ts';
import { attemptAsync, type Problem, ProblemError, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { CarriedState } from '../data/carried-state.ts';
import { type BenchDeps, benchVariants } from './bench-variants.ts';
import type { InputDigests } from './digest-inputs.ts';
import { type ReadyMeasurement, readyMeasurement } from './ready-measurement.ts';
import type { TaskData } from './task-data.ts';
import type { NamedModel } from './variant-sut.ts';
import { runTask, type WorkerHost } from './worker-process.ts';

/** A suite that can begin: every measurement checked, every trace read. */
export interface ReadySuite {
  readonly name: string;
  readonly measurements: readonly ReadyMeasurement[];
  /** The data that feeds the models. */
  readonly data: TaskData;
  /** What the data's SHA-256 must be. */
  readonly digest?: string;
}

/**
 * Checks a whole suite before anything of it runs.
 * @param data what the suite is fed where it has no data of its own
 * @param threads inside an operator, where a measurement does not say
 * Errors: `data-missing`, and those of the measurements.
 */
export async function readySuite(
  { name, measurements, inputs, limits }: Suite,
  { data, threads }: { readonly data: TaskData | undefined; readonly threads: number },
): Promise<Result<ReadySuite, readonly Problem[]>> {
  const ready = await Promise.all(
    measurements.map((measurement) => readyMeasurement(measurement, { threads, limits })),
  );
  const problems = ready.flatMap((one) => (one.ok ? [] : [one.error]));
  const own = inputs?.set === undefined ? data : { spec: inputs.set, split: 'all' };
  if (own === undefined) {
    problems.push(
      problem('data-missing', `the suite '${name}' has no data of its own`, {
        hint: 'say with --data what the models are fed, or add "inputs" to the suite',
      }),
    );
  }
  if (own === undefined || problems.length > 0) return err(problems);
  return ok({
    name,
    measurements: ready.flatMap((one) => (one.ok ? [one.value] : [])),
    data: inputs?.split === undefined ? own : { ...own, split: inputs.split },
    ...(inputs?.digest === undefined ? {} : { digest: inputs.digest }),
  });
}

/**
 * Compares the data of a suite with the digest that it names. A worker reads it.
 * Errors: `data-differs`, and those of reading.
 */
export function checkSuiteData(
  { name, data, digest }: ReadySuite,
  {
    modelPath,
    host,
    signal,
  }: { readonly modelPath: string; readonly host: WorkerHost; readonly signal?: AbortSignal },
): Promise<Result<void, Problem>> {
  return attemptAsync(async () => {
    if (digest === undefined) return;
    const task = { kind: 'digest', modelPath, data: data.spec } as const;
    const answer = await runTask(host, task, signal === undefined ? {} : { signal });
    if (!answer.ok) throw new ProblemError(answer.error);
    const { dataDigest } = answer.value as InputDigests;
    if (dataDigest === digest) return;
    throw new ProblemError(
      problem(
        'data-differs',
        `the suite '${name}' is for data with the digest sha256:${digest}, and this is sha256:${dataDigest}`,
        {
          ...(data.spec.path === '' ? {} : { place: { file: data.spec.path } }),
          hint: 'use the data that the suite was made for, or change "digest" in the suite if the data was meant to change',
        },
      ),
    );
  });
}

/** What one measurement of a suite gave. */
export interface SuiteRun {
  readonly suite: string;
  readonly measurement: ReadyMeasurement;
  readonly run: BenchRun;
}

/** A result under the names by which metrics and reports know it. */
export interface SuiteBenchResult extends BenchResult {
  readonly suite: string;
  readonly measurement: string;
}

/** The results of a run, one a variant, under the names of their suite and measurement. */
export function namedResults({ suite, measurement, run }: SuiteRun): readonly SuiteBenchResult[] {
  return run.results.map((result) => ({ ...result, suite, measurement: measurement.name }));
}

export interface SuiteRequest {
  readonly model: string;
  readonly variants: readonly NamedModel[];
  readonly states?: readonly CarriedState[];
  /** What a process may have resident before it is ended; most of what is free unless given. */
  readonly maxRssBytes?: number;
  /** Where traced passes leave what they traced. */
  readonly traceFolder?: string;
}

/** Runs one measurement of a suite. */
export async function benchMeasurement(
  suite: ReadySuite,
  measurement: ReadyMeasurement,
  request: SuiteRequest,
  deps: BenchDeps,
): Promise<SuiteRun> {
  const { settings, batch, threads, device } = measurement;
  const run = await benchVariants({ ...request, data: suite.data, threads, batch, device, settings }, deps);
  return { suite: suite.name, measurement, run };
}
