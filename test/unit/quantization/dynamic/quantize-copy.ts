import type { TensorProto } from '../../../../src/onnx/messages.ts';
import type { OnnxModel } from '../../../../src/onnx/model-file.ts';
import { eliminateDead } from '../../../../src/onnx/passes/eliminate-dead.ts';
import type { DynamicInt8Recipe } from '../../../../src/quantization/dynamic/dynamic-recipe.ts';
import {
  type DynamicReport,
  quantizeDynamically,
} from '../../../../src/quantization/dynamic/quantize-dynamically.ts';
import { viewGraph } from '../../../../src/quantization/graph-view.ts';
import { completeRecipe } from '../../../../src/quantization/recipe.ts';
import { graph, model, tensor, value } from '../../../support/graph-builder.ts';
import { copyOf } from '../../../support/quantize-in-memory.ts';
import { unwrap } from '../../../support/unwrap.ts';

/** A recipe for an int8 model with all eight bits, which differs in what is named. */
export function recipeWith(more: Partial<DynamicInt8Recipe> = {}): DynamicInt8Recipe {
  return {
    ...(completeRecipe({ format: 'dynamic-int8' }) as DynamicInt8Recipe),
    reduceRange: false,
    ...more,
  };
}

/** Quantizes a copy of `given` and takes away what nobody reads afterwards. */
export function quantizeCopy(
  given: OnnxModel,
  recipe: DynamicInt8Recipe = recipeWith(),
): { readonly quantized: OnnxModel; readonly report: DynamicReport } {
  const quantized = copyOf(given);
  const report = unwrap(quantizeDynamically(viewGraph(quantized), recipe));
  eliminateDead(quantized);
  return { quantized, report };
}

/** A constant whose values look like noise between ±`amplitude`; the same name and shape give the same values. */
export function noise(name: string, dims: readonly number[], amplitude = 0.5): TensorProto {
  const count = dims.reduce((product, dim) => product * dim, 1);
  let state = [...name].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) % 2147483647;
  const next = () => {
    state = (state * 48271) % 2147483647;
    return (2 * state) / 2147483647 - 1;
  };
  return tensor(
    name,
    dims,
    Array.from({ length: count }, () => amplitude * next()),
  );
}

/** x → nodes → y. `dims` are those of x; further outputs are named. */
export function netOf(
  nodes: Parameters<typeof graph>[0]['nodes'],
  initializers: readonly TensorProto[],
  dims: readonly (number | string)[] = ['rows', 64],
  outputs: readonly string[] = ['y'],
): OnnxModel {
  return model(
    graph({
      inputs: [value('x', 'float', dims)],
      nodes,
      outputs: outputs.map((name) => value(name)),
      initializers,
    }),
    { opset: 14 },
  );
}
