import { cloneMessage } from '../onnx/clone-message.ts';
import type { OnnxModel } from '../onnx/model-file.ts';
import { eliminateDead } from '../onnx/passes/eliminate-dead.ts';
import type { ValueRange } from '../quantization/affine.ts';
import { type GraphView, viewGraph } from '../quantization/graph-view.ts';
import { insertQdq } from '../quantization/insert-qdq.ts';
import { placeForTensorrt } from '../quantization/place-for-tensorrt.ts';
import { type LeftFloat, type Placement, placeQuantization } from '../quantization/placement.ts';
import { qdqSettings } from '../quantization/qdq-settings.ts';
import { raiseOpset } from '../quantization/raise-opset.ts';
import type { StaticRecipe } from '../quantization/recipe.ts';
import type { TunedConstants } from '../quantization/tuned-constants.ts';
import { unwrap } from './unwrap.ts';

/** What runs in int8, by the rules of the recipe's target. @param left what is better off in float32 */
export function placeFor(view: GraphView, recipe: StaticRecipe, left?: LeftFloat): Placement {
  return recipe.target === 'tensorrt'
    ? placeForTensorrt(view, excluding(recipe, left))
    : placeQuantization(view, recipe, left);
}

function excluding(recipe: StaticRecipe, left: LeftFloat = new Map()): StaticRecipe {
  const { exclude } = recipe;
  return { ...recipe, exclude: { ...exclude, nodes: [...exclude.nodes, ...left.keys()] } };
}

export interface CopyChoices {
  readonly ranges: ReadonlyMap<string, ValueRange>;
  readonly left?: LeftFloat;
  readonly constants?: ReadonlyMap<string, TunedConstants>;
}

/**
 * A copy of the model with Q/DQ in it; that of `view` stays as it is.
 * @param choices `ranges` of every tensor that an edge takes its range from
 * Throws `ProblemError`: what `insertQdq` reports.
 */
export function quantizedCopy(
  view: GraphView,
  recipe: StaticRecipe,
  { ranges, left, constants = new Map() }: CopyChoices,
): OnnxModel {
  const copy = viewGraph({ path: view.model.path, proto: cloneMessage(view.model.proto) });
  unwrap(insertQdq(copy, placeFor(copy, recipe, left), ranges, { ...qdqSettings(recipe), constants }));
  eliminateDead(copy.model);
  if (recipe.format === 'static-int16') raiseOpset(copy.model.proto);
  return copy.model;
}
