import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { auditWeightsOnly } from '../../../../src/quantization/weight-only/audit-weights-only.ts';
import { graphOf } from '../../../support/chain.ts';
import { graph, model, node, value } from '../../../support/graph-builder.ts';
import { optimizedGraph, runOptimized, sqnrDb } from '../../../support/quantize-in-memory.ts';
import { runModel, wavyFeed } from '../../../support/run-model.ts';
import { matrix, quantizeCopy, recipeWith } from './support.ts';

/** Two branches: one multiplies with a captured matrix, the other with one of its own. */
function twoBranches() {
  return model(
    graph({
      inputs: [value('x', 'float', [3, 64]), value('condition', 'bool', [])],
      nodes: [
        node('If', ['condition'], ['y'], {
          then_branch: graph({ nodes: [node('MatMul', ['x', 'w'], ['a'])], outputs: [value('a')] }),
          else_branch: graph({
            nodes: [node('MatMul', ['x', 'own'], ['b'])],
            outputs: [value('b')],
            initializers: [matrix('own', 64, 32, 7)],
          }),
        }),
      ],
      outputs: [value('y')],
      initializers: [matrix('w', 64, 32, 3)],
    }),
    { opset: 21, irVersion: 10 },
  );
}

describe('weights that bodies multiply with', () => {
  it.each(['matmul-nbits', 'dequantize'] as const)('are quantized too, in the form %s', async (form) => {
    const given = twoBranches();
    const { quantized, report } = quantizeCopy(given, recipeWith({ format: 'weight-int8', form }));
    expect(report.quantized.map((found) => found.node)).toEqual(['a_node', 'b_node']);
    const optimized = await optimizedGraph(quantized);
    expect(auditWeightsOnly(report.quantized, graphOf(quantized), optimized)).toMatchObject({ notFused: [] });
    for (const condition of [true, false]) {
      const feeds = { x: wavyFeed(3, 64), condition: new Tensor('bool', [condition], []) };
      expect(sqnrDb(await runModel(given, feeds), await runOptimized(quantized, feeds))).toBeGreaterThan(30);
    }
  });
});
