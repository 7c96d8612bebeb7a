import { expect } from 'vitest';
import type { NodeProto } from '../../../../src/onnx/messages.ts';
import type { OnnxModel } from '../../../../src/onnx/model-file.ts';
import {
  convertToFloat16,
  type Float16Report,
} from '../../../../src/quantization/float16/convert-to-float16.ts';
import type { Float16Recipe } from '../../../../src/quantization/float16/float16-recipe.ts';
import { viewGraph } from '../../../../src/quantization/graph-view.ts';
import { completeRecipe } from '../../../../src/quantization/recipe.ts';
import { graphOf } from '../../../support/chain.ts';
import { graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import { copyOf, expectSamePorts, runOptimized, sqnrDb } from '../../../support/quantize-in-memory.ts';
import { type Feeds, runModel } from '../../../support/run-model.ts';
import { unwrap } from '../../../support/unwrap.ts';

export function recipe(
  more: { readonly keepIo?: boolean; readonly opTypes?: string[]; readonly nodes?: string[] } = {},
): Float16Recipe {
  const { keepIo = true, opTypes = [], nodes = [] } = more;
  return completeRecipe({ format: 'float16', keepIo, exclude: { opTypes, nodes } }) as Float16Recipe;
}

export function convert(given: OnnxModel, how: Float16Recipe = recipe()): Float16Report {
  return unwrap(convertToFloat16(viewGraph(given), how));
}

/** Converts a copy, checks that the runtime gives nearly the same with and without optimizations, and returns it. */
export async function convertAndCompare(given: OnnxModel, feeds: Feeds, minSqnrDb = 50, how = recipe()) {
  const converted = copyOf(given);
  const report = convert(converted, how);
  const reference = await runModel(given, feeds);
  for (const run of [runModel, runOptimized]) {
    expect(sqnrDb(reference, await run(converted, feeds))).toBeGreaterThan(minSqnrDb);
  }
  expectSamePorts(given, converted);
  return { converted, report };
}

export function nodesOf(given: OnnxModel, opType: string): NodeProto[] {
  return graphOf(given).node.filter((candidate) => candidate.opType === opType);
}

export function initializerTypes(given: OnnxModel): Record<string, number | undefined> {
  return Object.fromEntries(graphOf(given).initializer.map(({ name, dataType }) => [name, dataType]));
}

export function wavy(count: number, scale = 1): number[] {
  return Array.from({ length: count }, (_, index) => scale * Math.sin(index * 1.3 + 0.2));
}

/** x [1,4] → MatMul → Add → Relu → y. */
export function layer(): OnnxModel {
  return model(
    graph({
      inputs: [value('x', 'float', [1, 4])],
      nodes: [
        node('MatMul', ['x', 'w'], ['product']),
        node('Add', ['product', 'b'], ['sum']),
        node('Relu', ['sum'], ['y']),
      ],
      outputs: [value('y', 'float', [1, 3])],
      initializers: [tensor('w', [4, 3], wavy(12)), tensor('b', [3], wavy(3))],
      valueInfo: [value('product', 'float', [1, 3])],
    }),
  );
}
