import { ProblemError, problem } from '../core/problem.ts';
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
import { calibrateModel } from './calibrate-model.ts';
import { peakRssBytes } from './process-memory.ts';
import { unwrap } from './unwrap.ts';

/** Calibrates, and writes weights and activations of fixed ranges into the graph. Throws `ProblemError`. */
export async function applyStatic(
  view: GraphView,
  recipe: StaticRecipe,
  run: RecipeRun,
): Promise<AppliedRecipe> {
  const { task, phase, context } = run;
  const isWide = recipe.format === 'static-int16';
  const { proto } = view.model;
  if (isWide) requireRaisable(proto, 'Q/DQ with 16 bits');
  const place = recipe.target === 'tensorrt' ? placeForTensorrt : placeQuantization;
  const placement = place(view, recipe);
  const { nodes, float, edges } = placement;
  if (nodes.length === 0) return { quantized: 0, float, warnings: [] };
  const { data } = task;
  if (data === undefined) {
    throw new ProblemError(
      problem('no-calibration-data', `${recipe.format} needs calibration data`, {
        hint: 'name it with --calibration, or take dynamic-int8, which needs none',
      }),
    );
  }
  const calibration = await phase('calibrate', () =>
    calibrateModel(view, [...new Set(edges.values())], recipe.calibration, { ...run, data }, context),
  );
  const { ranges, ...figures } = calibration;
  const report = { method: recipe.calibration.method, ...figures, peakRssBytes: peakRssBytes() };
  const onCodes = await phase('quantize', async () => {
    unwrap(insertQdq(view, placement, ranges, qdqSettings(recipe)));
    if (isWide) raiseOpset(proto);
    return recipe.representation === 'qoperator' ? unwrap(toQOperator(view, nodes)) : undefined;
  });
  const runsHere = recipe.format === 'static-int8' && recipe.target !== 'tensorrt';
  return {
    quantized: nodes.length,
    float,
    calibration: report,
    warnings: [
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

function notProvenHere({ target }: StaticRecipe): string {
  return target === 'tensorrt'
    ? 'accuracy was checked on the CPU; which kernels TensorRT takes can only be seen on a host with TensorRT'
    : 'the CPU provider computes between 16-bit roundings in float32: it shows the accuracy, and is slower than float32';
}
