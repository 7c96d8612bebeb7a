import { PROFILE_SUITE } from '../config/suite.ts';
import { type Problem, ProblemError, problem } from '../core/problem.ts';
import {
  benchMeasurement,
  checkSuiteData,
  namedResults,
  type ReadySuite,
  readySuite,
  type SuiteRun,
} from './bench-suite.ts';
import { createPhaseRecorder } from './phase-recorder.ts';
import type { ReadyMeasurement } from './ready-measurement.ts';
import type { RunContext } from './run-context.ts';
import { unwrap } from './unwrap.ts';
import type { NamedModel } from './variant-sut.ts';

/** A suite that cannot be run, or is for other data, is told before anything is made. */
export async function readySuites({ profile, plan, host, deps }: RunContext): Promise<readonly ReadySuite[]> {
  const { model, data } = profile;
  const own = { spec: data.set, split: data.evaluation.split };
  const ready: ReadySuite[] = [];
  for (const suite of plan.suites) {
    const one = await readySuite(suite, { data: own, threads: plan.threads });
    if (!one.ok) throw new ProblemError(one.error[0] as Problem);
    const { signal } = deps;
    unwrap(
      await checkSuiteData(one.value, {
        modelPath: model,
        host,
        ...(signal === undefined ? {} : { signal }),
      }),
    );
    ready.push(one.value);
  }
  return ready;
}

/** Every measurement of every suite, one after another. Throws `ProblemError` where a system died or the run was cancelled. */
export async function benchSuites(
  context: RunContext,
  suites: readonly ReadySuite[],
  models: readonly NamedModel[],
) {
  const runs: SuiteRun[] = [];
  for (const suite of suites) {
    for (const measurement of suite.measurements)
      runs.push(await benchOne(context, suite, measurement, models));
  }
  const results = runs.flatMap(namedResults);
  return {
    results: (variant: string) => results.filter((result) => result.variant === variant),
    speedUps: (variant: string) =>
      runs.flatMap(({ run }) => run.speedUps.filter(({ candidate }) => candidate === variant)),
  };
}

async function benchOne(
  context: RunContext,
  suite: ReadySuite,
  measurement: ReadyMeasurement,
  variants: readonly NamedModel[],
): Promise<SuiteRun> {
  const { profile, deps, host, watch, trace, onEvent } = context;
  const { states } = profile.data;
  const subject = suite.name === PROFILE_SUITE ? measurement.name : `${suite.name}/${measurement.name}`;
  const { traceFolder, tracing } = trace.bench(suite.name, measurement.name) ?? {};
  const phase = createPhaseRecorder(deps.clock, onEvent, { subject });
  const run = await phase('bench', () =>
    watch.sampledAs(measurement.sampling, (sampling) =>
      benchMeasurement(
        suite,
        measurement,
        {
          model: profile.name,
          variants,
          ...(states === undefined ? {} : { states }),
          ...(traceFolder === undefined ? {} : { traceFolder }),
        },
        {
          host,
          wasCaptured: (startNs, endNs) => deps.live?.wasCaptured(startNs, endNs) === true,
          sampling,
          clock: deps.clock,
          ...(deps.signal === undefined ? {} : { signal: deps.signal }),
          stopAtFirstFailure: true,
          ...(tracing === undefined ? {} : { tracing }),
          onWaiting: (holder) => {
            deps.logger.info(`waiting for another benchmark: ${holder}`);
            deps.onWaiting?.(holder);
          },
          onProgress: ({ completedTurns, totalTurns, variant }) =>
            deps.onProgress?.({
              phase: 'bench',
              subject: `${subject} ${variant}`,
              done: completedTurns,
              total: totalTurns,
              unit: 'turns',
            }),
        },
      ),
    ),
  );
  if (deps.signal?.aborted) throw new ProblemError(problem('cancelled', 'the job was cancelled'));
  failOnDeadVariant(run.run.records);
  trace.benchEnded(run);
  return run;
}

/** A system that died is the run's failure, told in its own words; the others were cancelled because of it. */
function failOnDeadVariant(records: readonly { readonly failure: Problem | null }[]): void {
  const failures = records.flatMap(({ failure }) => failure ?? []);
  const first = failures.find(({ kind }) => kind !== 'bench-cancelled') ?? failures[0];
  if (first !== undefined) throw new ProblemError(first);
}
