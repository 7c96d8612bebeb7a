import { DEFAULT_EXPLAIN } from '../config/explain-settings.ts';
import type { Measurement } from '../config/measurement.ts';
import type { Profile, ProfileTrace } from '../config/profile.ts';
import { PROFILE_SUITE, type Suite } from '../config/suite.ts';
import { DEFAULT_TRACED_QUERIES } from '../core/bench-terms.ts';
import { type Problem, problem } from '../core/problem.ts';
import type { Sampling } from '../core/sampling.ts';
import type { RunBasis, RunReason } from './run-basis.ts';
import type { PipelinePlan } from './run-context.ts';

/** What a run was asked to do, as it is stored with the run. */
export type RunOrder = PipelineOrder | BenchOrder | QuantizeOrder | EvaluateOrder | ExplainOrder;

export interface PipelineOrder {
  readonly kind: 'pipeline';
  /** Instead of what the profile says. */
  readonly sampling?: Sampling;
  readonly reasons?: readonly RunReason[];
  /** What it is made from, for the next run to see what has changed. */
  readonly basis?: RunBasis;
  readonly trace?: TraceOrder;
}

/** False: nothing is traced, whatever the profile says. True: as the profile says, or all. */
type TraceOrder = boolean | { readonly queries: number };

/** A benchmark on demand. What is left out is taken from the profile. */
export interface BenchOrder {
  readonly kind: 'bench';
  /** FP32 is always measured too, as the base. */
  readonly variants?: readonly string[];
  /** One of the suites of the profile; all of its measurements unless `scenario` says which. */
  readonly suite?: string;
  /** As the profile or the suite has it; with quick settings where it does not. */
  readonly scenario?: Exclude<Measurement['scenario'], 'replay'>;
  readonly durationSeconds?: number;
  readonly threads?: number;
  readonly sampling?: Sampling;
  readonly trace?: TraceOrder;
  /** What the daemon ordered by itself. */
  readonly confirms?: Confirmation;
}

/** One measurement that is taken anew as its latency is suspected. */
export interface Confirmation {
  readonly measurement: string;
  /** Hashes of the artifacts, by variant, that were as fast as expected: they are measured beside those of now. */
  readonly artifacts: Readonly<Record<string, string>>;
}

/** Makes variants, those that are there already excepted. */
export interface QuantizeOrder {
  readonly kind: 'quantize';
  /** All of the profile unless given. */
  readonly variants?: readonly string[];
  readonly sampling?: Sampling;
  readonly trace?: TraceOrder;
}

/** Holds variants against FP32; those that are not there are made first. */
export interface EvaluateOrder {
  readonly kind: 'evaluate';
  /** All of the profile unless given. */
  readonly variants?: readonly string[];
  /** At most so many; as many as the profile says unless given. */
  readonly samples?: number;
  readonly threads?: number;
  readonly sampling?: Sampling;
  readonly trace?: TraceOrder;
}

/** Tells what each quantized node of variants costs; those that are not there are made first. */
export interface ExplainOrder {
  readonly kind: 'explain';
  /** All of the profile unless given. */
  readonly variants?: readonly string[];
  /** As the profile says, or what it would say, unless given. */
  readonly samples?: number;
  readonly timeLimitSeconds?: number;
  readonly top?: number;
  readonly sampling?: Sampling;
  readonly trace?: TraceOrder;
}

/** The suites that can be ordered of a profile: its own scenarios first, then those that it names. */
export function suitesOf({ bench: { scenarios, suites } }: Profile): readonly Suite[] {
  const own: Suite = { name: PROFILE_SUITE, measurements: scenarios, limits: {} };
  return scenarios.length === 0 ? suites : [own, ...suites];
}

/** What an order names that the profile does not have: `unknown-variant`, `unknown-suite`; and `explain-not-possible`. */
export function mistakeIn(order: RunOrder, profile: Profile): Problem | undefined {
  const { variants, suite }: Pick<BenchOrder, 'variants' | 'suite'> = order.kind === 'pipeline' ? {} : order;
  const made = profile.variants.map(({ name }) => name);
  const known = new Set(order.kind === 'explain' ? made : ['fp32', ...made]);
  const unknown = variants?.find((name) => !known.has(name));
  if (unknown !== undefined) {
    return problem('unknown-variant', `the model '${profile.name}' has no variant '${unknown}'`, {
      place: { field: '/variants' },
      hint: `it has: ${[...known].join(', ')}`,
    });
  }
  if (order.kind === 'explain' && cannotBeExplained(profile)) return notExplainable(profile);
  const suites = suitesOf(profile).map(({ name }) => name);
  if (suite === undefined || suites.includes(suite)) return undefined;
  return problem('unknown-suite', `the model '${profile.name}' has no suite '${suite}'`, {
    place: { field: '/suite' },
    hint: `it has: ${suites.join(', ')}`,
  });
}

/** It runs sample by sample, and the samples of a model that carries states are no such things. */
function cannotBeExplained({ variants, data }: Profile): boolean {
  return variants.length === 0 || data.states !== undefined;
}

function notExplainable({ name, variants }: Profile): Problem {
  return variants.length === 0
    ? problem('explain-not-possible', `the model '${name}' has no variant to explain`, {
        hint: 'add one to the profile',
      })
    : problem(
        'explain-not-possible',
        `the model '${name}' carries states, and such models cannot be explained`,
        {
          hint: "leave layers float32 with 'exclude' in a variant, and compare how it evaluates",
        },
      );
}

export function planOf(profile: Profile, order: RunOrder): PipelinePlan {
  const plan = untracedPlan(profile, order);
  const trace = tracePlan(profile, order.trace);
  const traced = trace === undefined ? plan : { ...plan, trace };
  return order.sampling === undefined ? traced : withSampling(traced, order.sampling);
}

function untracedPlan(profile: Profile, order: RunOrder): PipelinePlan {
  switch (order.kind) {
    case 'pipeline':
      return wholePlan(profile);
    case 'bench':
      return benchPlan(profile, order);
    case 'quantize':
      return { ...nothingMeasured(profile, order), evaluate: false };
    case 'explain': {
      const { samples, timeLimitSeconds, top } = order;
      const usual = profile.explain ?? DEFAULT_EXPLAIN;
      return {
        ...nothingMeasured(profile, order),
        evaluate: false,
        explain: {
          ...usual,
          ...(samples === undefined ? {} : { samples }),
          ...(timeLimitSeconds === undefined ? {} : { timeLimitSeconds }),
          ...(top === undefined ? {} : { top }),
          isOrdered: true,
        },
      };
    }
    case 'evaluate': {
      const { samples, threads } = order;
      return {
        ...nothingMeasured(profile, order),
        ...(samples === undefined ? {} : { samples }),
        ...(threads === undefined ? {} : { threads }),
        ...explainedToo(profile),
        evaluate: true,
      };
    }
  }
}

function nothingMeasured({ bench }: Profile, { variants }: QuantizeOrder | EvaluateOrder | ExplainOrder) {
  return { suites: [], threads: bench.threads, ...(variants === undefined ? {} : { variants }) };
}

const TRACE_ALL: ProfileTrace = { queries: DEFAULT_TRACED_QUERIES, calibration: true, evaluation: true };

function tracePlan({ trace: ofProfile }: Profile, ordered: TraceOrder | undefined): ProfileTrace | undefined {
  if (ordered === undefined) return ofProfile;
  if (ordered === false) return undefined;
  const plan = ofProfile ?? TRACE_ALL;
  return ordered === true ? plan : { ...plan, ...ordered };
}

function wholePlan(profile: Profile): PipelinePlan {
  return {
    evaluate: true,
    suites: suitesOf(profile),
    threads: profile.bench.threads,
    ...explainedToo(profile),
  };
}

/** What is explained besides, where the profile wants that. */
function explainedToo({ explain }: Profile): Pick<PipelinePlan, 'explain'> {
  return explain === undefined ? {} : { explain: { ...explain, isOrdered: false } };
}

function benchPlan(profile: Profile, order: BenchOrder): PipelinePlan {
  const { durationSeconds, variants } = order;
  return {
    evaluate: false,
    suites: changeMeasurements(orderedSuites(profile, order), (measurement) => ({
      ...measurement,
      ...(durationSeconds === undefined || measurement.scenario === 'replay' ? {} : { durationSeconds }),
    })),
    threads: order.threads ?? profile.bench.threads,
    ...(variants === undefined ? {} : { variants }),
    ...(order.confirms === undefined ? {} : { besides: order.confirms.artifacts }),
  };
}

/** The same plan, sampled as the order says and not as measurements do. */
function withSampling(plan: PipelinePlan, sampling: Sampling): PipelinePlan {
  const suites = changeMeasurements(plan.suites, (measurement) => ({ ...measurement, sampling }));
  return { ...plan, suites, sampling };
}

function changeMeasurements(
  suites: readonly Suite[],
  change: (measurement: Measurement) => Measurement,
): readonly Suite[] {
  return suites.map((suite) => ({ ...suite, measurements: suite.measurements.map(change) }));
}

function withOne(suite: Suite, measurement: string): Suite {
  return { ...suite, measurements: suite.measurements.filter(({ name }) => name === measurement) };
}

function orderedSuites(profile: Profile, { suite, scenario, confirms }: BenchOrder): readonly Suite[] {
  const suites = suitesOf(profile).filter(({ name }) => suite === undefined || name === suite);
  if (confirms !== undefined) return suites.map((of) => withOne(of, confirms.measurement));
  if (scenario === undefined) return suites;
  const holder = suites.find(({ measurements }) => measurements.some((of) => of.scenario === scenario));
  const base: Suite = holder ?? suites[0] ?? { name: PROFILE_SUITE, measurements: [], limits: {} };
  const known = base.measurements.filter((of) => of.scenario === scenario);
  const quick: Measurement = { name: scenario, scenario, preset: 'quick' };
  return [{ ...base, measurements: known.length === 0 ? [quick] : known }];
}
