import { describe, expect, it } from 'vitest';
import type { NodeProto } from '../../../../src/onnx/messages.ts';
import type { OnnxModel } from '../../../../src/onnx/model-file.ts';
import { viewGraph } from '../../../../src/quantization/graph-view.ts';
import { quantizeWeightsOnly } from '../../../../src/quantization/weight-only/quantize-weights-only.ts';
import { graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import { copyOf } from '../../../support/quantize-in-memory.ts';
import { floatFeed, runModel } from '../../../support/run-model.ts';
import { matrix, quantizeCopy, recipeWith } from './support.ts';

const portable = recipeWith({ form: 'dequantize' });

/** x · w and then `following`, whose last output is y. */
function modelWith(following: readonly NodeProto[], opset = 13): OnnxModel {
  return model(
    graph({
      inputs: [value('x')],
      nodes: [node('MatMul', ['x', 'w'], ['p']), ...following],
      outputs: [value('y')],
      initializers: [matrix('w', 32, 8), tensor('sizes', [2], [4, 4], 'int64')],
    }),
    { opset },
  );
}

/**
 * Every operator that is in opset 13 to 20 and has another version in 14 to 21. From onnx.defs of ONNX 1.23:
 * the operators with a `since_version` of at most 20 and a later one of 14 to 21.
 */
const CHANGED_OPERATORS =
  'Add AveragePool BatchNormalization Cast CastLike Constant ConstantOfShape CumSum DFT DequantizeLinear Div Equal ' +
  'Flatten GRU GreaterOrEqual GridSample GroupNormalization Identity If IsInf IsNaN LSTM LeakyRelu LessOrEqual Loop ' +
  'LpPool Mul OptionalGetElement OptionalHasElement PRelu Pad Pow QLinearMatMul QuantizeLinear RNN ReduceL1 ReduceL2 ' +
  'ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSumSquare Relu Reshape Resize RoiAlign ' +
  'Scan ScatterElements ScatterND Shape Size Split Squeeze Sub Transpose Unsqueeze Where';

/** Those of them that cannot be written in opset 21 as they were. */
const REFUSED_OPERATORS = 'BatchNormalization DFT GroupNormalization';

/** A node that shows the change of its operator, where there is one. */
function affectedNode(opType: string): NodeProto {
  if (opType.startsWith('Reduce')) return node(opType, ['p'], ['y'], { axes: [1] });
  if (opType === 'GridSample') return node(opType, ['p', 'g'], ['y'], { mode: 'bilinear' });
  if (opType === 'BatchNormalization') return node(opType, ['p'], ['y', 'mean', 'variance']);
  return node(opType, ['p'], ['y']);
}

describe('raising a model to opset 21', () => {
  it.each(CHANGED_OPERATORS.split(' '))(
    'is possible with %s, unless it cannot be said any more',
    (opType) => {
      const given = modelWith([affectedNode(opType)]);
      const result = quantizeWeightsOnly(viewGraph(given), portable);
      expect(result.ok).toBe(!REFUSED_OPERATORS.split(' ').includes(opType));
    },
  );

  it('is refused with the node, and leaves the model as it was', () => {
    const given = modelWith([node('GroupNormalization', ['p'], ['y'], {}, { name: 'norm' })], 18);
    const before = copyOf(given);
    expect(quantizeWeightsOnly(viewGraph(given), portable)).toEqual({
      ok: false,
      error: {
        kind: 'opset-not-raisable',
        message:
          "The model is of opset 18, the form 'dequantize' needs 21, and GroupNormalization was changed in opset 21.",
        place: { node: 'norm' },
        hint: 'export the model with opset 21, or take another form or recipe',
      },
    });
    expect(copyOf(given).proto).toEqual(before.proto);
  });

  it.each([
    ['ReduceMean', { axes: [1] }, [2, 1]],
    ['ReduceMean', { axes: [-1], keepdims: 0 }, [2]],
    ['ReduceMax', { axes: [0] }, [1, 8]],
    ['Split', { axis: 1 }, [2, 8]],
  ] as const)('keeps what %s %j computes', async (opType, attributes, dims) => {
    const { quantized } = quantizeCopy(modelWith([node(opType, ['p'], ['y'], { ...attributes })]), portable);
    const { y } = await runModel(quantized, { x: floatFeed([2, 32], Array(64).fill(1)) });
    expect(y?.dims).toEqual(dims);
  });

  it('is not needed for MatMulNBits', async () => {
    const { quantized } = quantizeCopy(
      modelWith([node('ReduceMean', ['p'], ['y'], { axes: [1] })]),
      recipeWith(),
    );
    const { y } = await runModel(quantized, { x: floatFeed([2, 32], Array(64).fill(1)) });
    expect(y?.dims).toEqual([2, 1]);
  });

  it('is done where the nodes do not use what changed', async () => {
    const { quantized } = quantizeCopy(
      modelWith([
        node('Split', ['p', 'sizes'], ['a', 'b'], { axis: 1 }),
        node('Mul', ['a', 'b'], ['m']),
        node('ReduceMax', ['m'], ['y']),
      ]),
      portable,
    );
    expect(quantized.proto.opsetImport).toEqual([{ domain: '', version: 21 }]);
    expect(quantized.proto.irVersion).toBe(10);
    const { y } = await runModel(quantized, { x: floatFeed([2, 32], Array(64).fill(1)) });
    expect(y?.dims).toEqual([1, 1]);
  });

  it('is not refused for operators that have their present meaning already', () => {
    const given = (opset: number) => modelWith([node('DFT', ['p'], ['y'])], opset);
    expect(quantizeWeightsOnly(viewGraph(given(20)), portable).ok).toBe(true);
    expect(quantizeWeightsOnly(viewGraph(given(19)), portable).ok).toBe(false);
  });

  it('is refused for what a body does', () => {
    const body = (from: string) =>
      graph({ nodes: [node('DFT', [from], ['r'], { axis: 0 })], outputs: [value('r')] });
    const given = modelWith([node('If', ['x'], ['y'], { then_branch: body('p'), else_branch: body('p') })]);
    expect(quantizeWeightsOnly(viewGraph(given), portable)).toMatchObject({
      ok: false,
      error: { kind: 'opset-not-raisable', place: { node: 'r_node' } },
    });
  });

  it('writes the axes of a reduction in a body as a constant of that body', async () => {
    const body = (from: string) =>
      graph({ nodes: [node('ReduceSumSquare', [from], ['r'], { axes: [0] })], outputs: [value('r')] });
    const flag = tensor('flag', [], [1], 'bool');
    const given = modelWith([
      node('If', ['flag'], ['y'], { then_branch: body('p'), else_branch: body('p') }),
    ]);
    given.proto.graph?.initializer.push(flag);
    const { quantized } = quantizeCopy(given, portable);
    const { y } = await runModel(quantized, { x: floatFeed([2, 32], Array(64).fill(1)) });
    expect(y?.dims).toEqual([1, 8]);
  });

  it('does not look at operators of other domains', () => {
    const foreign = node('Split', ['p'], ['y'], {}, { domain: 'com.example' });
    expect(quantizeWeightsOnly(viewGraph(modelWith([foreign])), portable).ok).toBe(true);
  });

  it('is refused for a model with functions, and for one older than opset 13', () => {
    const withFunction = modelWith([node('Relu', ['p'], ['y'])]);
    withFunction.proto.functions.push({
      name: 'f',
      input: [],
      output: [],
      attribute: [],
      attributeProto: [],
      node: [],
      opsetImport: [],
      valueInfo: [],
      metadataProps: [],
    });
    for (const given of [withFunction, modelWith([node('Relu', ['p'], ['y'])], 12)]) {
      expect(quantizeWeightsOnly(viewGraph(given), portable)).toMatchObject({
        ok: false,
        error: { kind: 'opset-not-raisable' },
      });
    }
  });

  it('keeps a newer opset', () => {
    const given = modelWith([node('Relu', ['p'], ['y'])], 23);
    const { quantized } = quantizeCopy(given, portable);
    expect(quantized.proto.opsetImport).toEqual([{ domain: '', version: 23 }]);
  });
});
