import type { SkippedSample } from '../data/sample-source.ts';
import { auditFusion } from '../quantization/audit.ts';
import type { GraphView } from '../quantization/graph-view.ts';
import { insertQdq } from '../quantization/insert-qdq.ts';
import { placeForTensorrt } from '../quantization/place-for-tensorrt.ts';
import { placeQuantization } from '../quantization/placement.ts';
import { qdqSettings } from '../quantization/qdq-settings.ts';
import { toQOperator } from '../quantization/qoperator/to-qoperator.ts';
import { raiseOpset, requireRaisable } from '../quantization/raise-opset.ts';
import type { StaticRecipe } from '../quantization/recipe.ts';
import type { AppliedRecipe, RecipeRun } from './applied-recipe.ts';
import { findRanges } from './find-ranges.ts';
import { type ChosenPlacement, leaveSlowParts } from './leave-slow-parts.ts';
import { describeBadSample, leftOutSamples } from './left-out-samples.ts';
import { peakRssBytes } from './process-memory.ts';
import { unwrap } from './unwrap.ts';

/** Calibrates, and writes weights and activations of fixed ranges into the graph. Throws `ProblemError`. */
export async function applyStatic(
  view: GraphView,
  recipe: StaticRecipe,
  run: RecipeRun,
): Promise<AppliedRecipe> {
  const { phase, context } = run;
  const isWide = recipe.format === 'static-int16';
  const { proto } = view.model;
  if (isWide) requireRaisable(proto, 'Q/DQ with 16 bits');
  const place = recipe.target === 'tensorrt' ? placeForTensorrt : placeQuantization;
  const placement = place(view, recipe);
  if (placement.nodes.length === 0) return { quantized: 0, float: placement.float, warnings: [] };
  const calibration = await phase('calibrate', () =>
    findRanges(view, [...new Set(placement.edges.values())], recipe.calibration, run, context),
  );
  const { ranges, skipped = [], ...figures } = calibration;
  const report = { method: recipe.calibration.method, ...figures, peakRssBytes: peakRssBytes() };
  const runsHere = recipe.format === 'static-int8' && recipe.target !== 'tensorrt';
  const isGated = runsHere && recipe.latencyGate === 'measured';
  const { onCodes, nodes, float, latencyGate } = await phase('quantize', async () => {
    const best: ChosenPlacement = isGated
      ? await leaveSlowParts(view, { placement, ranges }, recipe, run)
      : { placement, ranges };
    const { nodes, float } = best.placement;
    unwrap(insertQdq(view, best.placement, best.ranges, qdqSettings(recipe)));
    if (isWide) raiseOpset(proto);
    const onCodes = recipe.representation === 'qoperator' ? unwrap(toQOperator(view, nodes)) : undefined;
    return { onCodes, nodes, float, latencyGate: best.report };
  });
  return {
    quantized: nodes.length,
    float,
    calibration: report,
    ...(latencyGate === undefined ? {} : { latencyGate }),
    warnings: [
      ...leftOut(skipped),
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
