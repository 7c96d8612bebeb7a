import { describe, expect, it } from 'vitest';
import type { NodeProto, TensorProto } from '../../../src/onnx/messages.ts';
import type { OnnxModel } from '../../../src/onnx/model-file.ts';
import { tensorFrom } from '../../../src/onnx/tensor-data.ts';
import { auditNodes, type NodeAudit } from '../../../src/quantization/node-audit.ts';
import { waveConstant } from '../../support/constants.ts';
import { graph, model, node, tensor, value } from '../../support/graph-builder.ts';
import { optimizedGraph } from '../../support/quantize-in-memory.ts';

/** A tensor name → its Q and DQ, with a scale and zero point of `type`; the result is `<name>_dq`. */
function pair(from: string, { scale = 's', zero = 'z' } = {}): NodeProto[] {
  return [
    node('QuantizeLinear', [from, scale, zero], [`${from}_q`]),
    node('DequantizeLinear', [`${from}_q`, scale, zero], [`${from}_dq`]),
  ];
}

const CODES = Array.from({ length: 27 }, (_, at) => ((at * 37) % 255) - 127);
const WEIGHTS = node('DequantizeLinear', ['w_q', 's', 'w_zero'], ['w']);
const CONSTANTS: readonly TensorProto[] = [
  tensor('s', [], [0.02]),
  tensor('s2', [], [0.03]),
  tensor('z', [], [128], 'uint8'),
  tensor('z8', [], [0], 'int8'),
  tensorFrom('z16', [], Uint16Array.of(32768)),
  tensor('w_q', [3, 3, 1, 3], CODES, 'int8'),
  tensor('w_zero', [], [0], 'int8'),
  waveConstant('floats', [3, 3, 1, 3]),
];

/** What the audit says of a model as the runtime has optimized it, by operator. */
async function audit(
  nodes: readonly NodeProto[],
  outputs: readonly string[] = ['y'],
): Promise<readonly NodeAudit[]> {
  const given: OnnxModel = model(
    graph({
      inputs: [value('x', 'float', [1, 3, 8, 8])],
      nodes,
      outputs: outputs.map((name) => value(name)),
      initializers: CONSTANTS,
    }),
    { opset: 21, irVersion: 10 },
  );
  return auditNodes(model(await optimizedGraph(given)));
}

const conv = (from: string, to: string, weights = 'w') => node('Conv', [from, weights], [to]);
const reasonOf = (nodes: readonly NodeAudit[], op: string) => nodes.find((found) => found.op === op)?.reason;

describe('auditNodes', () => {
  it('tells arithmetic on codes, moves of codes and conversions apart, with nothing to explain', async () => {
    const nodes = await audit([
      ...pair('x'),
      WEIGHTS,
      conv('x_dq', 'c'),
      ...pair('c'),
      node('Transpose', ['c_dq'], ['t']),
      ...pair('t'),
      node('Identity', ['t_dq'], ['y']),
    ]);
    expect(nodes.map(({ op, runs }) => [op, runs])).toEqual([
      ['QuantizeLinear', 'conversion'],
      ['QLinearConv', 'int8'],
      ['Transpose', 'codes'],
      ['DequantizeLinear', 'conversion'],
    ]);
    expect(nodes.every(({ reason }) => reason === undefined)).toBe(true);
  });

  it('finds nothing to explain where nothing is quantized', async () => {
    const nodes = await audit([conv('x', 'y', 'floats')]);
    expect(nodes).toEqual([{ node: 'y_node', op: 'Conv', runs: 'other' }]);
  });

  it.each<[string, string, readonly NodeProto[]]>([
    [
      'the CPU provider has no int8 kernel for Tanh',
      'Tanh',
      [...pair('x'), node('Tanh', ['x_dq'], ['h']), ...pair('h'), node('Identity', ['h_dq'], ['y'])],
    ],
    [
      'kernels for 16-bit codes do not exist',
      'Conv',
      [
        ...pair('x', { zero: 'z16' }),
        WEIGHTS,
        conv('x_dq', 'c'),
        ...pair('c', { zero: 'z16' }),
        node('Identity', ['c_dq'], ['y']),
      ],
    ],
    [
      'the codes around it have different types: uint8, int8',
      'Conv',
      [
        ...pair('x'),
        WEIGHTS,
        conv('x_dq', 'c'),
        node('QuantizeLinear', ['c', 's', 'z8'], ['c_q']),
        node('Neg', ['c_q'], ['n']),
        node('DequantizeLinear', ['n', 's', 'z8'], ['y']),
      ],
    ],
    [
      "its input 'x' is float",
      'Conv',
      [WEIGHTS, conv('x', 'c'), ...pair('c'), node('Identity', ['c_dq'], ['y'])],
    ],
    ["its result 'y' is an output of the graph", 'Conv', [...pair('x'), WEIGHTS, conv('x_dq', 'y')]],
    [
      'no QuantizeLinear follows it',
      'Conv',
      [...pair('x'), WEIGHTS, conv('x_dq', 'c'), node('Erf', ['c'], ['y'])],
    ],
    [
      "its result 'c' is read in float beside QuantizeLinear",
      'Conv',
      [...pair('x'), WEIGHTS, conv('x_dq', 'c'), ...pair('c'), node('Add', ['c', 'c_dq'], ['y'])],
    ],
    [
      'scale or zero point before and after it differ',
      'Transpose',
      [
        ...pair('x'),
        node('Transpose', ['x_dq'], ['t']),
        ...pair('t', { scale: 's2' }),
        node('Identity', ['t_dq'], ['y']),
      ],
    ],
  ])('says: %s', async (reason, op, nodes) => {
    const audited = await audit(nodes);
    expect(audited.find((found) => found.op === op)?.runs).toBe('other');
    expect(reasonOf(audited, op)).toBe(reason);
  });

  it('sees through the fusion of a convolution with its activation', async () => {
    const nodes = await audit([
      ...pair('x'),
      WEIGHTS,
      conv('x_dq', 'c'),
      node('Relu', ['c'], ['r']),
      ...pair('r'),
      node('Identity', ['r_dq'], ['y']),
    ]);
    const float = nodes.filter(({ reason }) => reason !== undefined);
    expect(float).toHaveLength(1);
    expect(float[0]?.reason).not.toContain('no int8 kernel');
  });
});
