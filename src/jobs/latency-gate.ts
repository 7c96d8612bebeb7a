import { type Clock, secondsBetween } from '../core/clock.ts';
import { type Problem, problem } from '../core/problem.ts';
import { formatSeconds } from '../core/units.ts';
import type { GraphView } from '../quantization/graph-view.ts';
import { kernelTimes } from '../quantization/latency/kernel-times.ts';
import { latencyReasons } from '../quantization/latency/latency-reasons.ts';
import { lossNs, partKinds } from '../quantization/latency/part-kinds.ts';
import { findSlowerParts, type SlowerPart } from '../quantization/latency/slower-parts.ts';
import type { LeftFloat, Placement } from '../quantization/placement.ts';
import type { LatencyComparison } from './compare-latency.ts';
import type { GateSessions, ProfiledSession } from './gate-sessions.ts';

/** A quantized model on disk, and the plan that it was made by. */
export interface QuantizedBuild {
  readonly path: string;
  readonly placement: Placement;
}

export interface LatencyGateRun {
  /** The prepared model in float32; nothing may change its graph meanwhile. */
  readonly view: GraphView;
  /** A file with the same graph. */
  readonly float32Path: string;
  /** Quantizes everything but the nodes named, from the ranges already known, into a file of its own. */
  readonly build: (float: LeftFloat) => Promise<QuantizedBuild>;
  /** Loads models with one thread, as latency is stated. What it opened is closed by the caller. */
  readonly sessions: GateSessions;
  /** `compareLatency` with what it takes from its surroundings. */
  readonly compare: CompareRuns;
  readonly clock: Clock;
}

/** Tells how much faster the second of two systems is. */
export type CompareRuns = (
  base: () => Promise<void>,
  candidate: () => Promise<void>,
  effort: { readonly budgetSeconds: number; readonly confidence: number },
) => Promise<LatencyComparison>;

/** What was measured, on this host at one thread. */
export interface LatencyGateReport {
  readonly float32Seconds: number;
  /** Of the model that is kept. */
  readonly int8Seconds: number;
  /** Float32 over int8, by interleaved rounds, with its interval. */
  readonly speedUp: { readonly ratio: number; readonly lower: number; readonly upper: number };
  readonly outcome: LatencyComparison['outcome'];
  /** Nodes that would otherwise run in int8. */
  readonly leftFloat: number;
  /** Their names; absent in reports of older versions. */
  readonly leftNodes?: readonly string[];
  /** How many placements were tried. */
  readonly builds: number;
  readonly seconds: number;
}

export interface LatencyGateResult {
  readonly kept: QuantizedBuild;
  readonly leftFloat: LeftFloat;
  readonly report: LatencyGateReport;
}

/** What saves less is not worth another model, and could hardly be told from noise. */
const SMALLEST_SAVING_RATIO = 0.02;
/** To see whether int8 wins clearly, as it mostly does. */
const FIRST_LOOK = { budgetSeconds: 0.1, confidence: 0.99 };
/** Whether float32 parts help is known from their kernels already, so less has to be shown. */
const CONFIRMATION = { budgetSeconds: 0.3, confidence: 0.9 };
/** A model is refused only where there is no doubt. */
const LAST_LOOK = { budgetSeconds: 0.3, confidence: 0.99 };

interface Kept {
  readonly build: QuantizedBuild;
  readonly leftFloat: LeftFloat;
  readonly run: () => Promise<void>;
}

/**
 * Quantizes a model so that it is as fast as int8 can make it here. Where the times of single kernels say that parts of
 * the model are slower in int8 than in float32, a second model leaves them float32. It is kept if the whole of it is then
 * measured faster, beyond noise; if not, a third one leaves only the kind of parts that promises most. What is kept may
 * still be slower than float32: see `latencyRefusal`.
 * Throws `ProblemError`: those of `build`, and what loading and running the models can report.
 */
export async function runLatencyGate(run: LatencyGateRun): Promise<LatencyGateResult> {
  const startNs = run.clock.nowNs();
  const { sessions } = run;
  const float32 = await sessions.openProfiled(run.float32Path);
  const everything = await run.build(new Map());
  const int8 = await sessions.openProfiled(everything.path);
  const first = await run.compare(float32.run, int8.run, FIRST_LOOK);
  const kinds = kindsWorthLeaving(run.view, everything.placement, { float32, int8 }, first);
  const tries = kinds.length > 1 ? [kinds.flat(), kinds[0] as readonly SlowerPart[]] : kinds;
  let kept: Kept = { build: everything, leftFloat: new Map(), run: int8.run };
  let builds = 1;
  for (const parts of tries) {
    const leftFloat = latencyReasons(parts);
    const build = await run.build(leftFloat);
    builds += 1;
    const mixed = await sessions.openPlain(build.path);
    if ((await run.compare(int8.run, mixed, CONFIRMATION)).outcome !== 'faster') continue;
    kept = { build, leftFloat, run: mixed };
    break;
  }
  const won = first.outcome === 'faster';
  const last =
    won && kept.build === everything
      ? first
      : await run.compare(float32.run, kept.run, won ? FIRST_LOOK : LAST_LOOK);
  const seconds = secondsBetween(startNs, run.clock.nowNs());
  return { kept: kept.build, leftFloat: kept.leftFloat, report: reportOf(last, kept, builds, seconds) };
}

/**
 * Why the outcome of a gate is no use to somebody who wants a faster model: even at its best, int8 is slower here than
 * float32. `undefined` where it is not, or where noise hides which is faster.
 */
export function latencyRefusal(
  { report }: LatencyGateResult,
  file: string,
): Problem<'int8-not-faster'> | undefined {
  if (report.outcome !== 'slower') return undefined;
  const figures = `${formatSeconds(report.int8Seconds)} against ${formatSeconds(report.float32Seconds)}`;
  return problem('int8-not-faster', `int8 is slower than float32 on this host: ${figures} at one thread`, {
    place: { file },
    hint: 'keep the float32 model; --latency-gate off quantizes it all the same, for its size',
  });
}

/** Parts that float32 would make faster, by kinds; none where that would save too little, or leave nothing in int8. */
function kindsWorthLeaving(
  view: GraphView,
  placement: Placement,
  sessions: { readonly float32: ProfiledSession; readonly int8: ProfiledSession },
  { baseNs, candidateNs }: LatencyComparison,
): readonly (readonly SlowerPart[])[] {
  if (sessions.float32.profiled.length === 0 || sessions.int8.profiled.length === 0) return [];
  const kernels = {
    float32: kernelTimes(sessions.float32.profiled, baseNs),
    int8: kernelTimes(sessions.int8.profiled, candidateNs),
  };
  const parts = findSlowerParts(view, placement, kernels);
  if (lossNs(parts) < SMALLEST_SAVING_RATIO * candidateNs) return [];
  const left = new Set(parts.flatMap(({ nodes }) => nodes));
  return placement.nodes.every((plan) => left.has(plan) || plan.weights === undefined)
    ? []
    : partKinds(parts);
}

function reportOf(
  { baseNs, candidateNs, speedUp, outcome }: LatencyComparison,
  { leftFloat }: Kept,
  builds: number,
  seconds: number,
): LatencyGateReport {
  return {
    float32Seconds: baseNs / 1e9,
    int8Seconds: candidateNs / 1e9,
    speedUp: { ratio: speedUp.estimate, lower: speedUp.lower, upper: speedUp.upper },
    outcome,
    leftFloat: leftFloat.size,
    leftNodes: [...leftFloat.keys()],
    builds,
    seconds,
  };
}
