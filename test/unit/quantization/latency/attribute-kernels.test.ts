import { describe, expect, it } from 'vitest';
import { attributeKernels } from '../../../../src/quantization/latency/attribute-kernels.ts';
import { graph, node, value } from '../../../support/graph-builder.ts';

const GIVEN = graph({
  inputs: [value('x')],
  nodes: [
    node('Conv', ['x', 'w'], ['c'], {}, { name: 'conv' }),
    node('Relu', ['c'], ['r'], {}, { name: 'relu' }),
    node('Transpose', ['r'], ['t'], {}, { name: 'Transpose' }),
    node('MatMul', ['t', 'v'], ['/block/m'], {}, { name: '/block/matmul' }),
  ],
  outputs: [value('/block/m')],
});

/** Names of the nodes that kernels are told to be, `conversion`, or nothing. */
function owners(...kernels: readonly (readonly [name: string, op: string])[]) {
  return kernels.map(([name, op]) => {
    const { nodes, conversions } = attributeKernels([{ node: name, op, ns: 5, outputBytes: 8 }], GIVEN);
    return conversions.length > 0 ? 'conversion' : [...nodes.keys()][0]?.name;
  });
}

describe('kernels of an optimized graph', () => {
  it('belong to the node whose name or result they are named after', () => {
    expect(
      owners(
        ['conv', 'FusedConv'],
        ['conv_token_12', 'QLinearConv'],
        ['r_nchwc', 'Conv'],
        ['/block/matmul/MatMulAddFusion', 'Gemm'],
        ['/block/matmul/MatMulScaleFusion/', 'FusedMatMul'],
      ),
    ).toEqual(['conv', 'conv', 'relu', '/block/matmul', '/block/matmul']);
  });

  it('belong to nothing when the runtime made up their names', () => {
    expect(owners(['GPT2Gelu', 'FastGelu'])).toEqual([undefined]);
  });

  it('are conversions when they change types or layouts, but not when a Transpose is the one of the model', () => {
    expect(
      owners(
        ['x_QuantizeLinear', 'QuantizeLinear'],
        ['r_DequantizeLinear', 'DequantizeLinear'],
        ['ReorderOutput_token_3', 'ReorderOutput'],
        ['Transpose_token_3', 'Transpose'],
        ['conv', 'Transpose'],
      ),
    ).toEqual(['conversion', 'conversion', 'conversion', 'Transpose', 'conversion']);
  });

  it('add up where one node became several', () => {
    const kernel = { op: 'Split', ns: 5, outputBytes: 8 };
    const { nodes } = attributeKernels(
      [
        { ...kernel, node: 'conv' },
        { ...kernel, node: 'conv_token_1', ns: 7 },
      ],
      GIVEN,
    );
    expect([...nodes.values()]).toEqual([{ op: 'Split', ns: 12, outputBytes: 8 }]);
  });
});
