import { describe, expect, it } from 'vitest';
import { DATA_TYPE, type NodeProto, type TensorProto } from '../../../../src/onnx/messages.ts';
import type { OnnxModel } from '../../../../src/onnx/model-file.ts';
import { auditFusion } from '../../../../src/quantization/audit.ts';
import { viewGraph } from '../../../../src/quantization/graph-view.ts';
import { toQOperator } from '../../../../src/quantization/qoperator/to-qoperator.ts';
import { graphOf, opTypesOf } from '../../../support/chain.ts';
import { intsConstant, waveConstant } from '../../../support/constants.ts';
import { float, graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import {
  expectSamePorts,
  optimizedGraph,
  quantizeInMemory,
  recipeWith,
  runOptimized,
  sqnrDb,
} from '../../../support/quantize-in-memory.ts';
import { type QuantizedOnCodes, quantizeOnCodes } from '../../../support/quantize-on-codes.ts';
import { wavyFeed } from '../../../support/run-model.ts';

const CONSTANTS: readonly TensorProto[] = [
  waveConstant('w', [4, 3, 3, 3]),
  waveConstant('b', [4]),
  waveConstant('v', [5, 4, 1, 1]),
  waveConstant('f', [5, 144]),
  waveConstant('m', [8, 4]),
  waveConstant('row', [1, 4]),
  waveConstant('n', [4, 6]),
];

function net(
  nodes: readonly NodeProto[],
  {
    dims = [1, 3, 8, 8] as readonly (number | string)[] | 'unknown',
    constants = [] as readonly TensorProto[],
    outputs = ['y'],
    opset = 13,
  } = {},
): OnnxModel {
  return model(
    graph({
      inputs: [dims === 'unknown' ? value('x') : value('x', 'float', dims)],
      nodes,
      outputs: outputs.map((name) => value(name)),
      initializers: [...CONSTANTS, ...constants],
    }),
    { opset },
  );
}

/** Converts a net, and checks that it still gives the very same values as its Q/DQ form gives in the runtime. */
async function convert(
  given: OnnxModel,
  dims: readonly number[] = [1, 3, 8, 8],
  options: Parameters<typeof quantizeOnCodes>[2] = {},
): Promise<QuantizedOnCodes> {
  const feeds = { x: wavyFeed(...dims) };
  const made = await quantizeOnCodes(given, [feeds], options);
  expectSamePorts(given, made.onCodes);
  const [expected, found] = await Promise.all([
    runOptimized(made.qdq, feeds),
    runOptimized(made.onCodes, feeds),
  ]);
  for (const [name, { data }] of Object.entries(expected)) expect(found[name]?.data).toEqual(data);
  return made;
}

const STEM = node('Conv', ['x', 'w', 'b'], ['c']);
const HEAD = node('Conv', ['r', 'v'], ['y']);
/** What is left of the chain x → STEM → … → HEAD → y around the operators in the middle. */
function between(...opTypes: string[]): string[] {
  return ['QuantizeLinear', 'QLinearConv', ...opTypes, 'QLinearConv', 'DequantizeLinear'];
}

describe('toQOperator', () => {
  it.each<[string, readonly NodeProto[], readonly string[]]>([
    ['Relu', [node('Relu', ['c'], ['r'])], []],
    ['Sigmoid', [node('Sigmoid', ['c'], ['r'])], ['QLinearSigmoid']],
    ['LeakyRelu', [node('LeakyRelu', ['c'], ['r'], { alpha: float(0.2) })], ['QLinearLeakyRelu']],
    ['Add', [node('Add', ['c', 'c'], ['r'])], ['QLinearAdd']],
    ['Mul by a constant', [node('Mul', ['c', 'rows'], ['r'])], ['QLinearMul']],
    [
      'AveragePool',
      [
        node('AveragePool', ['c'], ['r'], {
          kernel_shape: [2, 2],
          pads: [1, 1, 0, 0],
          count_include_pad: 1,
        }),
      ],
      ['QLinearAveragePool'],
    ],
    ['GlobalAveragePool', [node('GlobalAveragePool', ['c'], ['r'])], ['QLinearGlobalAveragePool']],
    [
      'Concat along an axis',
      [node('Sigmoid', ['c'], ['s']), node('Concat', ['c', 's'], ['r'], { axis: 2 })],
      ['QLinearSigmoid', 'QLinearConcat'],
    ],
    ['MaxPool', [node('MaxPool', ['c'], ['r'], { kernel_shape: [2, 2] })], ['MaxPool']],
    ['Transpose', [node('Transpose', ['c'], ['r'], { perm: [0, 1, 3, 2] })], ['Transpose']],
    ['Reshape', [node('Reshape', ['c', 'shape'], ['r'])], ['Reshape']],
    ['Slice', [node('Slice', ['c', 'from', 'to', 'axis'], ['r'])], ['Slice']],
    [
      'Resize',
      [node('Resize', ['c', '', 'scales'], ['r'], { mode: 'nearest', nearest_mode: 'floor' })],
      ['Resize'],
    ],
    [
      'Squeeze and Unsqueeze',
      [node('Unsqueeze', ['c', 'axis'], ['u']), node('Squeeze', ['u', 'axis'], ['r'])],
      ['Unsqueeze', 'Squeeze'],
    ],
    [
      'Split, of which both parts go on',
      [node('Split', ['c', 'parts'], ['one', 'two'], { axis: 2 }), node('Mul', ['one', 'two'], ['r'])],
      ['Split', 'QLinearMul'],
    ],
  ])('puts %s between two convolutions on codes', async (_, middle, expected) => {
    const { onCodes, report } = await convert(
      net([STEM, ...middle, HEAD], {
        constants: [
          waveConstant('rows', [6, 1]),
          intsConstant('shape', 1, 4, 9, -1),
          intsConstant('from', 1),
          intsConstant('to', 5),
          intsConstant('axis', 2),
          intsConstant('parts', 3, 3),
          tensor('scales', [4], [1, 1, 2, 2]),
        ],
      }),
    );
    expect(opTypesOf(onCodes)).toEqual(between(...expected));
    expect(report.left).toEqual([]);
    expect(report.converted).toBe(2 + expected.length);
  });

  it('computes Gemm on codes, and gives float32 where nobody asks for codes', async () => {
    const { onCodes } = await convert(
      net(
        [
          STEM,
          node('Flatten', ['c'], ['f0']),
          node('Gemm', ['f0', 'f', 'b5'], ['g'], { transB: 1, alpha: float(0.5), beta: float(2) }),
          node('Relu', ['g'], ['h']),
          node('Gemm', ['h', 'f2'], ['y']),
        ],
        { constants: [waveConstant('b5', [5]), waveConstant('f2', [5, 3])] },
      ),
    );
    expect(opTypesOf(onCodes)).toEqual(['QuantizeLinear', 'QLinearConv', 'Flatten', 'QGemm', 'QGemm']);
    expect(graphOf(onCodes).node.map(({ input }) => input.length)).toEqual([3, 9, 1, 9, 6]);
  });

  it.each<
    [string, NodeProto, readonly (number | string)[] | 'unknown', readonly number[], readonly string[]]
  >([
    ['without a bias', node('Tanh', ['p'], ['y']), [2, 8], [2, 8], ['MatMulIntegerToFloat', 'Tanh']],
    [
      'with a bias behind it',
      node('Add', ['p', 'b'], ['y']),
      ['n', 3, 8],
      [2, 3, 8],
      ['MatMulIntegerToFloat'],
    ],
    [
      'with a bias in front of it',
      node('Add', ['b', 'p'], ['y']),
      ['n', 3, 8],
      [2, 3, 8],
      ['MatMulIntegerToFloat'],
    ],
    ['of a vector', node('Add', ['p', 'b'], ['y']), 'unknown', [8], ['MatMulIntegerToFloat']],
    [
      'of a vector to which a row is added',
      node('Add', ['p', 'row'], ['y']),
      'unknown',
      [8],
      ['DequantizeLinear', 'MatMulIntegerToFloat', 'Add'],
    ],
  ])('gives float32 from a MatMul %s', async (_, behind, declared, dims, expected) => {
    for (const perTensor of [false, true]) {
      const { onCodes, report } = await convert(
        net([node('MatMul', ['x', 'm'], ['p']), behind], { dims: declared }),
        dims,
        { recipe: recipeWith({ perTensor }) },
      );
      expect(opTypesOf(onCodes)).toEqual(['QuantizeLinear', ...expected]);
      expect(report.left).toEqual([]);
    }
  });

  it('differs by float32 rounding alone where the runtime makes a Gemm between Reshapes of a Q/DQ product', async () => {
    const feeds = { x: wavyFeed(2, 3, 8) };
    const given = net([node('MatMul', ['x', 'm'], ['p']), node('Add', ['p', 'b'], ['y'])], {
      dims: [2, 3, 8],
    });
    const { qdq, onCodes } = await quantizeOnCodes(given, [feeds]);
    expect(sqnrDb(await runOptimized(qdq, feeds), await runOptimized(onCodes, feeds))).toBeGreaterThan(130);
  });

  it('rounds the result of a MatMul that int8 nodes read', async () => {
    const { onCodes } = await convert(
      net(
        [
          node('MatMul', ['x', 'm'], ['p']),
          node('Relu', ['p'], ['r']),
          node('Reshape', ['r', 'wide'], ['s']),
          node('MatMul', ['s', 'n'], ['y']),
        ],
        { dims: [2, 3, 8], constants: [intsConstant('wide', 2, -1, 4)] },
      ),
      [2, 3, 8],
    );
    expect(opTypesOf(onCodes)).toEqual([
      'QuantizeLinear',
      'QLinearMatMul',
      'Reshape',
      'MatMulIntegerToFloat',
    ]);
  });

  it('leaves rounding to the borders, and every tensor its name there', async () => {
    const { onCodes } = await convert(
      net(
        [STEM, node('Relu', ['c'], ['r']), node('Conv', ['r', 'v'], ['d']), node('Tanh', ['d'], ['t']), HEAD],
        { outputs: ['y', 't', 'r'] },
      ),
    );
    expect(opTypesOf(onCodes).filter((opType) => opType?.endsWith('eLinear'))).toEqual([
      'QuantizeLinear',
      'DequantizeLinear',
      'DequantizeLinear',
      'DequantizeLinear',
    ]);
  });

  it.each([
    ['no', 1, []],
    ['one', -0.1, ['DequantizeLinear', 'QuantizeLinear']],
  ])('makes %s step of a Relu that cuts nothing, or something', async (_, bias, expected) => {
    const { onCodes } = await convert(
      net(
        [
          node('Conv', ['x', 'little', 'shift'], ['c']),
          node('Relu', ['c'], ['r']),
          node('Conv', ['c', 'v'], ['d']),
          node('Conv', ['r', 'v'], ['e']),
          node('Mul', ['d', 'e'], ['y']),
        ],
        {
          constants: [
            waveConstant('little', [4, 3, 1, 1], { amplitude: 0.05 }),
            waveConstant('shift', [4], { amplitude: 0.01, shift: bias }),
          ],
        },
      ),
    );
    const rest = ['QLinearConv', 'QLinearConv', 'DequantizeLinear', 'DequantizeLinear', 'Mul'];
    expect([...opTypesOf(onCodes)].sort()).toEqual(
      ['QuantizeLinear', 'QLinearConv', ...expected, ...rest].sort(),
    );
  });

  it('keeps a group beside the others whose Clip would change codes, and says so', async () => {
    const { onCodes, report } = await convert(
      net([STEM, node('Clip', ['c', 'low', 'high'], ['r']), HEAD], {
        constants: [tensor('low', [], [-1]), tensor('high', [], [1])],
      }),
    );
    expect(opTypesOf(onCodes)).toContain('Conv');
    expect(opTypesOf(onCodes)).toContain('QLinearConv');
    expect(report.left).toEqual([
      {
        node: 'c_node',
        op: 'Conv',
        reason: 'its result goes through Clip before it is rounded, which changes codes',
      },
    ]);
  });

  it('keeps everything of a graph with 16-bit codes', async () => {
    const { onCodes, report } = await convert(
      net(
        [STEM, node('MaxPool', ['c'], ['p'], { kernel_shape: [2, 2] }), node('Sigmoid', ['p'], ['r']), HEAD],
        { opset: 21 },
      ),
      undefined,
      { recipe: recipeWith({ activations: 'uint16' }) },
    );
    expect(opTypesOf(onCodes)).toEqual(expect.arrayContaining(['Conv', 'MaxPool', 'Sigmoid']));
    expect(report.converted).toBe(0);
    expect(new Set(report.left.map(({ reason }) => reason))).toEqual(
      new Set(['operators on codes take 8 bits, and its codes have more']),
    );
  });

  it('declares the domain of the runtime only where it uses an operator of it', async () => {
    const domains = async (...middle: NodeProto[]) => {
      const { onCodes } = await convert(net([STEM, ...middle, HEAD]));
      return onCodes.proto.opsetImport.map(({ domain }) => domain);
    };
    expect(await domains(node('Relu', ['c'], ['r']))).toEqual(['']);
    expect(await domains(node('Sigmoid', ['c'], ['r']))).toEqual(['', 'com.microsoft']);
  });

  it('is seen in int8 by the audit, but for what it left', async () => {
    const { onCodes, report } = await convert(
      net(
        [
          STEM,
          node('MaxPool', ['c'], ['p'], { kernel_shape: [2, 2] }),
          node('Sigmoid', ['p'], ['s']),
          node('Conv', ['s', 'strong'], ['d']),
          node('Clip', ['d', 'low', 'high'], ['r']),
          node('Conv', ['r', 'u'], ['y']),
        ],
        {
          constants: [
            tensor('low', [], [-1]),
            tensor('high', [], [1]),
            waveConstant('strong', [5, 4, 1, 1], { amplitude: 5 }),
            waveConstant('u', [2, 5, 1, 1]),
          ],
        },
      ),
    );
    const found = auditFusion(report.nodes, graphOf(onCodes), await optimizedGraph(onCodes));
    expect(found.fused).toBe(4);
    expect(found.notFused).toMatchObject([{ node: 'd_node', op: 'Conv' }]);
  });

  it('reports a constant that it cannot read, and changes nothing', async () => {
    const dims = [1, 3, 8];
    const given = net([node('MatMul', ['x', 'm'], ['p']), node('Add', ['p', 'b'], ['y'])], { dims });
    const { quantized, placement } = await quantizeInMemory(given, [{ x: wavyFeed(...dims) }]);
    const bias = graphOf(quantized).initializer.find(({ dataType }) => dataType === DATA_TYPE.int32);
    if (bias !== undefined) bias.rawData = { kind: 'memory', bytes: new Uint8Array(3) };
    const before = opTypesOf(quantized);
    expect(toQOperator(viewGraph(quantized), placement.nodes)).toMatchObject({
      ok: false,
      error: { kind: 'tensor-size-mismatch' },
    });
    expect(opTypesOf(quantized)).toEqual(before);
  });
});
