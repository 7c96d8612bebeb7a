import type { SkippedSample } from '../data/sample-source.ts';
import type { ValueRange } from '../quantization/affine.ts';
import { auditFusion } from '../quantization/audit.ts';
import type { GraphView } from '../quantization/graph-view.ts';
import { insertQdq } from '../quantization/insert-qdq.ts';
import type { Placement } from '../quantization/placement.ts';
import { qdqSettings } from '../quantization/qdq-settings.ts';
import { toQOperator } from '../quantization/qoperator/to-qoperator.ts';
import { raiseOpset, requireRaisable } from '../quantization/raise-opset.ts';
import type { StaticRecipe } from '../quantization/recipe.ts';
import type { Draft } from '../quantization/tuning/draft.ts';
import { withRangesOfAll } from '../quantization/tuning/ranges-of-all.ts';
import type { TuningReport } from '../quantization/tuning/tune.ts';
import type { AppliedRecipe, RecipeRun } from './applied-recipe.ts';
import { findRanges } from './find-ranges.ts';
import { type ChosenPlacement, leaveSlowParts } from './leave-slow-parts.ts';
import { describeBadSample, leftOutSamples } from './left-out-samples.ts';
import { type OpenedTuning, openTuning } from './open-tuning.ts';
import { peakRssBytes } from './process-memory.ts';
import { placeFor } from './quantized-copy.ts';
import { unwrap } from './unwrap.ts';

/** Calibrates, and writes weights and activations of fixed ranges into the graph. Throws `ProblemError`. */
export async function applyStatic(
  view: GraphView,
  recipe: StaticRecipe,
  run: RecipeRun,
): Promise<AppliedRecipe> {
  if (recipe.format === 'static-int16') requireRaisable(view.model.proto, 'Q/DQ with 16 bits');
  const placement = placeFor(view, recipe);
  if (placement.nodes.length === 0) return { quantized: 0, float: placement.float, warnings: [] };
  const isTuned = recipe.tune !== 'none' || recipe.minSqnrDb !== undefined;
  const tuning = isTuned ? await openTuning(view, recipe, run) : undefined;
  try {
    return await applyPlaced(view, placement, recipe, { ...run, tuning });
  } finally {
    await tuning?.close();
  }
}

async function applyPlaced(
  view: GraphView,
  placement: Placement,
  recipe: StaticRecipe,
  run: RecipeRun & { readonly tuning: OpenedTuning | undefined },
): Promise<AppliedRecipe> {
  const { phase, context, tuning } = run;
  const isWide = recipe.format === 'static-int16';
  const learning = tuning === undefined ? {} : tuning.calibrating(placement);
  const calibration = await phase('calibrate', () =>
    findRanges(
      view,
      [...new Set(placement.edges.values())],
      recipe.calibration,
      { ...run, ...learning },
      context,
    ),
  );
  const { ranges, rangesOfAll, skipped: leftOutHere = [], ...figures } = calibration;
  // A calibration for tuning reads only samples that were found to be good.
  const skipped = tuning?.samples.skipped() ?? leftOutHere;
  // What is to reach a goal is written as it was judged.
  const rangesToWrite = recipe.minSqnrDb === undefined ? rangesOfAll : undefined;
  const samples =
    rangesOfAll !== undefined && rangesToWrite === undefined ? tuning?.samples.split.learn.length : undefined;
  const report = {
    method: recipe.calibration.method,
    ...figures,
    ...(samples === undefined ? {} : { samples }),
    peakRssBytes: peakRssBytes(),
  };
  const runsHere = recipe.format === 'static-int8' && recipe.target !== 'tensorrt';
  const isGated = runsHere && recipe.latencyGate === 'measured';
  const { onCodes, nodes, float, latencyGate, tuned } = await phase('quantize', async () => {
    const best: ChosenPlacement = isGated
      ? await leaveSlowParts(view, { placement, ranges }, recipe, run)
      : { placement, ranges };
    const draft: Draft = { view, placement: best.placement, ranges: best.ranges, constants: new Map() };
    const judged = await tuning?.tune(draft, best.left);
    const tuned = judged && withFinalRanges(judged, ranges, rangesToWrite);
    const final = tuned?.draft ?? draft;
    const { nodes, float } = final.placement;
    const settings = { ...qdqSettings(recipe), constants: final.constants };
    unwrap(insertQdq(final.view, final.placement, final.ranges, settings));
    const { model, graph } = view;
    // A pass may have made another graph, and the caller goes on with the one that it has given.
    if (final.view !== view) Object.assign(graph, final.view.graph);
    if (isWide) raiseOpset(model.proto);
    const onCodes = recipe.representation === 'qoperator' ? unwrap(toQOperator(view, nodes)) : undefined;
    return { onCodes, nodes, float, latencyGate: best.report, tuned };
  });
  return {
    quantized: nodes.length,
    float,
    calibration: report,
    ...(latencyGate === undefined ? {} : { latencyGate }),
    ...(tuned === undefined ? {} : { tuning: tuned.report }),
    warnings: [
      ...leftOut(skipped),
      ...missedGoal(recipe, tuned?.report.sqnrDb.after),
      ...(runsHere ? [] : [notProvenHere(recipe)]),
      ...(onCodes?.left ?? []).map(
        ({ node, op, reason }) => `${op} '${node}' stays between Q and DQ: ${reason}`,
      ),
    ],
    ...(runsHere
      ? { audit: (optimized) => auditFusion(onCodes?.nodes ?? nodes, view.graph, optimized) }
      : {}),
  };
}

/** What was judged last, with ranges of all samples. It is not judged again: no sample is left that did not help to make it. */
function withFinalRanges(
  tuned: { readonly draft: Draft; readonly report: TuningReport },
  learned: ReadonlyMap<string, ValueRange>,
  all: ReadonlyMap<string, ValueRange> | undefined,
): typeof tuned {
  if (all === undefined) return tuned;
  const { draft, count } = withRangesOfAll(tuned.draft, learned, all);
  return { draft, report: { ...tuned.report, rangesOfAll: count } };
}

function missedGoal({ minSqnrDb }: StaticRecipe, reachedDb: number | undefined): readonly string[] {
  if (minSqnrDb === undefined || reachedDb === undefined || reachedDb >= minSqnrDb) return [];
  return [`the goal of ${minSqnrDb} dB SQNR is missed: ${reachedDb.toFixed(1)} dB is what came nearest`];
}

function leftOut(skipped: readonly SkippedSample[]): readonly string[] {
  const [first] = skipped;
  if (first === undefined) return [];
  return [
    `${leftOutSamples(skipped.length)} of the calibration: ${describeBadSample(first.index, first.problem)}`,
  ];
}

function notProvenHere({ target }: StaticRecipe): string {
  return target === 'tensorrt'
    ? 'accuracy was checked on the CPU; which kernels TensorRT takes can only be seen on a host with TensorRT'
    : 'the CPU provider computes between 16-bit roundings in float32: it shows the accuracy, and is slower than float32';
}
