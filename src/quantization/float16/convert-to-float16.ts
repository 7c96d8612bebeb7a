import { attempt, type Problem, ProblemError, problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { isDefaultDomain } from '../../onnx/make-node.ts';
import { createNameScope } from '../../onnx/name-scope.ts';
import type { GraphView } from '../graph-view.ts';
import type { FloatNode } from '../placement.ts';
import { applyPlan, type ChangedValues } from './apply-plan.ts';
import { constantOf } from './constants.ts';
import type { Float16Recipe } from './float16-recipe.ts';
import { planFloat16 } from './plan.ts';

export interface Float16Report {
  /** Nodes that compute in float16, those in bodies included. */
  readonly converted: number;
  /** Cast nodes that were added. */
  readonly casts: number;
  /** Nodes on float tensors that stay float32, and why. */
  readonly float: readonly FloatNode[];
  /** Constants with finite values beyond ±65504, which became ±65504. */
  readonly clamped: readonly ChangedValues[];
  /** Constants with values nearer to 0 than float16 gets, which became ±2^-24 instead of 0. */
  readonly raised: readonly ChangedValues[];
}

/** The oldest opset that the operator tables speak of. */
const OLDEST_OPSET = 13;

/**
 * Converts a model to float16 in place: float32 constants, activations and, unless `keepIo`, inputs and outputs. An
 * operator stays float32 where ONNX or the runtimes define it so, where float16 would spoil sizes, positions or
 * coordinates, where a factor is outside the range of float16, and where the recipe says so; Casts lie around it. Bodies
 * of If, Loop and Scan are converted inside and keep float32 at their edges; the model's functions and operators of
 * other domains stay as they are. Other types, float64 among them, are not touched.
 *
 * Not protected: results that overflow only with the data, such as the sum of many squares, a Pow or an Exp. Whoever
 * sees infinities or NaN in the outputs excludes the nodes before them.
 *
 * @param view a prepared model (`prepareModel`); it is out of date afterwards
 * Errors: `opset-too-old`, `nothing-to-quantize`, and what reading the constants can report, all but the last before
 * anything is changed.
 */
export function convertToFloat16(view: GraphView, recipe: Float16Recipe): Result<Float16Report, Problem> {
  return attempt(() => {
    const plan = planFloat16(view, requireOpset(view), recipe);
    const converted = plan.converted.filter(
      (node) => node.opType !== 'Cast' && constantOf(node) === undefined,
    );
    if (converted.length === 0) throw nothingToConvert(view, plan.float);
    const { casts, clamped, raised } = applyPlan(plan, view, createNameScope(view.graph));
    return { converted: converted.length, casts, float: plan.float, clamped, raised };
  });
}

function requireOpset({ model }: GraphView): number {
  const opset = model.proto.opsetImport.find(({ domain }) => isDefaultDomain(domain))?.version ?? 1;
  if (opset >= OLDEST_OPSET) return opset;
  throw new ProblemError(
    problem('opset-too-old', `the model uses opset ${opset}, and float16 needs ${OLDEST_OPSET} or newer`, {
      ...place(model.path),
      hint: 'lift the model to a newer opset first',
    }),
  );
}

function nothingToConvert({ model }: GraphView, float: readonly FloatNode[]) {
  const reasons = float.map(({ node, op, reason }) => `${op} '${node}': ${reason}`).slice(0, 3);
  return new ProblemError(
    problem('nothing-to-quantize', `no node of the model can run in float16. ${reasons.join('; ')}`.trim(), {
      ...place(model.path),
      hint: 'float16 needs operators of ONNX itself on float32 tensors; look at what the recipe excludes',
    }),
  );
}

function place(file: string | undefined) {
  return file === undefined ? {} : { place: { file } };
}
