import { join } from 'node:path';
import { ProblemError } from '../core/problem.ts';
import type { NamedTensors } from '../core/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import type { ValueRange } from '../quantization/affine.ts';
import type { GraphView } from '../quantization/graph-view.ts';
import type { LeftFloat, Placement } from '../quantization/placement.ts';
import { rangesOfEdges } from '../quantization/ranges-of-edges.ts';
import type { StaticRecipe } from '../quantization/recipe.ts';
import type { Session } from '../runtime/session.ts';
import { compareLatency } from './compare-latency.ts';
import { createGateSessions } from './gate-sessions.ts';
import { generateFeeds } from './generated-feeds.ts';
import {
  type CompareRuns,
  type LatencyGateReport,
  type LatencyGateResult,
  type LatencyGateRun,
  latencyRefusal,
  runLatencyGate,
} from './latency-gate.ts';
import { processCpuSeconds } from './process-memory.ts';
import type { QuantizeTask } from './quantize-task.ts';
import { placeFor, quantizedCopy } from './quantized-copy.ts';
import type { TaskContext } from './task-context.ts';
import { openTaskData } from './task-data.ts';
import { unwrap } from './unwrap.ts';

/** A placement with the ranges that it takes. */
export interface ChosenPlacement {
  readonly placement: Placement;
  readonly ranges: ReadonlyMap<string, ValueRange>;
  /** What it leaves float that could run in int8. */
  readonly left?: LeftFloat;
  /** Where it was measured. */
  readonly report?: LatencyGateReport;
}

/**
 * Measures what `placement` makes of the model on this host, at one thread, and leaves float32 what int8 makes slower.
 * The graph of `view` stays as it is: models are tried in files in `scratch`. Throws `ProblemError`: `int8-not-faster`
 * where no placement is as fast as float32, and what building and running the models can report.
 * @param ranges of every tensor that `placement.edges` takes its range from
 */
export async function leaveSlowParts(
  view: GraphView,
  { placement, ranges }: ChosenPlacement,
  recipe: StaticRecipe,
  {
    task,
    scratch,
    context,
  }: { readonly task: QuantizeTask; readonly scratch: string; readonly context: TaskContext },
): Promise<ChosenPlacement> {
  const float32Path = join(scratch, 'float32.onnx');
  unwrap(writeModel(view.model, float32Path, { durable: false }));
  const allRanges = rangesOfEdges(placement, ranges);
  const cpuSeconds = processCpuSeconds;
  const sessions = createGateSessions({
    feedsFor: (session) => firstFeeds(session, task),
    nodeCount: view.graph.node.length,
    scratch,
    cpuSeconds,
  });
  const build = createBuilder(view, allRanges, recipe, scratch);
  const compare: CompareRuns = (base, candidate, effort) =>
    compareLatency(base, candidate, { cpuSeconds, ...effort });
  let result: LatencyGateResult;
  try {
    result = await runLatencyGate({ view, float32Path, build, sessions, compare, clock: context.clock });
  } finally {
    await sessions.closeAll();
  }
  const refusal = latencyRefusal(result, task.modelPath);
  if (refusal !== undefined) throw new ProblemError(refusal);
  const { kept, leftFloat, report } = result;
  return { placement: kept.placement, ranges: allRanges, left: leftFloat, report };
}

/** Quantizes copies of a model, each into a file of its own. */
function createBuilder(
  view: GraphView,
  ranges: ReadonlyMap<string, ValueRange>,
  recipe: StaticRecipe,
  folder: string,
): LatencyGateRun['build'] {
  let builds = 0;
  return async (left) => {
    builds += 1;
    const path = join(folder, `int8-${builds}.onnx`);
    unwrap(writeModel(quantizedCopy(view, recipe, { ranges, left }), path, { durable: false }));
    return { path, placement: placeFor(view, recipe, left) };
  };
}

/** The first sample of the calibration data, or made-up numbers where the ranges came without data. */
async function firstFeeds(
  { inputs, outputs }: Pick<Session, 'inputs' | 'outputs'>,
  { data, states }: QuantizeTask,
): Promise<NamedTensors> {
  if (data === undefined) {
    const made = generateFeeds(inputs, { states: states ?? [], modelOutputs: outputs });
    if (made === undefined) throw new Error('a model with string inputs was calibrated without data');
    return made;
  }
  const source = await openTaskData(data, { inputs, outputs }, { states });
  try {
    // The first that can be read: bad ones may be skipped.
    for await (const { feeds } of source.samples()) return feeds;
  } finally {
    await source.close();
  }
  throw new Error('a split without samples was opened');
}
