import type { Measurement } from '../config/measurement.ts';
import type { Profile, ProfileTrace } from '../config/profile.ts';
import { PROFILE_SUITE, type Suite } from '../config/suite.ts';
import { DEFAULT_TRACED_QUERIES } from '../core/bench-terms.ts';
import { type Problem, problem } from '../core/problem.ts';
import type { Sampling } from '../core/sampling.ts';
import type { RunBasis, RunReason } from './run-basis.ts';
import type { PipelinePlan } from './run-context.ts';

/** What a run was asked to do, as it is stored with the run. */
export type RunOrder = PipelineOrder | BenchOrder | QuantizeOrder | EvaluateOrder;

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

/** The suites that can be ordered of a profile: its own scenarios first, then those that it names. */
export function suitesOf({ bench: { scenarios, suites } }: Profile): readonly Suite[] {
  const own: Suite = { name: PROFILE_SUITE, measurements: scenarios, limits: {} };
  return scenarios.length === 0 ? suites : [own, ...suites];
}

/** What an order names that the profile does not have: `unknown-variant`, `unknown-suite`. */
export function mistakeIn(order: RunOrder, profile: Profile): Problem | undefined {
  const { variants, suite }: Pick<BenchOrder, 'variants' | 'suite'> = order.kind === 'pipeline' ? {} : order;
  const known = new Set(['fp32', ...profile.variants.map(({ name }) => name)]);
  const unknown = variants?.find((name) => !known.has(name));
  if (unknown !== undefined) {
    return problem('unknown-variant', `the model '${profile.name}' has no variant '${unknown}'`, {
      place: { field: '/variants' },
      hint: `it has: ${[...known].join(', ')}`,
    });
  }
  const suites = suitesOf(profile).map(({ name }) => name);
  if (suite === undefined || suites.includes(suite)) return undefined;
  return problem('unknown-suite', `the model '${profile.name}' has no suite '${suite}'`, {
    place: { field: '/suite' },
    hint: `it has: ${suites.join(', ')}`,
  });
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
    case 'evaluate': {
      const { samples, threads } = order;
      return {
        ...nothingMeasured(profile, order),
        ...(samples === undefined ? {} : { samples }),
        ...(threads === undefined ? {} : { threads }),
        evaluate: true,
      };
    }
  }
}

function nothingMeasured({ bench }: Profile, { variants }: QuantizeOrder | EvaluateOrder) {
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
  return { evaluate: true, suites: suitesOf(profile), threads: profile.bench.threads };
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
