import { describe, expect, it } from 'vitest';
import type { NodeProto, TensorProto } from '../../../src/onnx/messages.ts';
import { auditFusion, type FusionAudit } from '../../../src/quantization/audit.ts';
import { graphOf } from '../../support/chain.ts';
import { waveConstant } from '../../support/constants.ts';
import { graph, model, node, tensor, value } from '../../support/graph-builder.ts';
import { optimizedGraph, quantizeInMemory } from '../../support/quantize-in-memory.ts';
import { wavyFeed } from '../../support/run-model.ts';

const CONSTANTS: readonly TensorProto[] = [
  waveConstant('w', [4, 3, 3, 3]),
  waveConstant('b', [4]),
  waveConstant('v', [5, 4, 1, 1]),
  waveConstant('m', [8, 4]),
];

/** What the runtime really makes of a quantized model. */
async function audit(
  nodes: readonly NodeProto[],
  { dims = [1, 3, 8, 8], constants = [] as readonly TensorProto[] } = {},
): Promise<FusionAudit> {
  const given = model(
    graph({
      inputs: [value('x', 'float', dims)],
      nodes,
      outputs: [value('y')],
      initializers: [...CONSTANTS, ...constants],
    }),
  );
  const { quantized, placement } = await quantizeInMemory(given, [{ x: wavyFeed(...dims) }]);
  return auditFusion(placement.nodes, graphOf(quantized), await optimizedGraph(quantized));
}

describe('auditFusion', () => {
  it('finds convolutions, what lies between them and data movers in int8', async () => {
    const found = await audit([
      node('Conv', ['x', 'w', 'b'], ['c']),
      node('Relu', ['c'], ['r']),
      node('MaxPool', ['r'], ['p'], { kernel_shape: [2, 2] }),
      node('Sigmoid', ['p'], ['s']),
      node('Mul', ['p', 's'], ['g']),
      node('Conv', ['g', 'v'], ['y']),
    ]);
    expect(found).toEqual({ fused: 5, notFused: [] });
  });

  it.each([
    ['two axes', [2, 8]],
    ['three axes', [1, 3, 8]],
  ])('finds a MatMul of %s in int8 that the runtime merged with the bias behind it', async (_, dims) => {
    const found = await audit([node('MatMul', ['x', 'm'], ['p']), node('Add', ['p', 'b'], ['y'])], { dims });
    expect(found).toEqual({ fused: 1, notFused: [] });
  });

  it('takes a Reshape that the runtime dropped for one that costs nothing', async () => {
    const found = await audit([
      node('Conv', ['x', 'w', 'b'], ['c']),
      node('Transpose', ['c'], ['t'], { perm: [0, 1, 2, 3] }),
      node('Conv', ['t', 'v'], ['y']),
    ]);
    expect(found).toEqual({ fused: 3, notFused: [] });
  });

  it('names a Conv that the runtime runs in float, as behind a symmetric Clip that lies on a rounding tie', async () => {
    const found = await audit(
      [
        node('Conv', ['x', 'w', 'b'], ['c'], {}, { name: 'stem' }),
        node('Clip', ['c', 'low', 'high'], ['r']),
        node('Conv', ['r', 'v'], ['y']),
      ],
      { constants: [tensor('low', [], [-1]), tensor('high', [], [1])] },
    );
    expect(found.fused).toBe(1);
    expect(found.notFused).toEqual([
      {
        node: 'stem',
        op: 'Conv',
        reason: 'the runtime runs it as float FusedConv between DequantizeLinear and QuantizeLinear',
      },
    ]);
  });

  it('finds nothing fused in a graph that the runtime was not allowed to change', async () => {
    const given = model(
      graph({
        inputs: [value('x', 'float', [1, 3, 8, 8])],
        nodes: [
          node('Conv', ['x', 'w', 'b'], ['c']),
          node('MaxPool', ['c'], ['p'], { kernel_shape: [2, 2] }),
          node('Add', ['p', 'p'], ['s']),
          node('Conv', ['s', 'v'], ['y']),
        ],
        outputs: [value('y')],
        initializers: CONSTANTS,
      }),
    );
    const { quantized, placement } = await quantizeInMemory(given, [{ x: wavyFeed(1, 3, 8, 8) }]);
    const unchanged = auditFusion(placement.nodes, graphOf(quantized), graphOf(quantized));
    expect(unchanged.fused).toBe(0);
    expect(unchanged.notFused.map(({ op }) => op)).toEqual(['Conv', 'MaxPool', 'Add', 'Conv']);
  });
});
