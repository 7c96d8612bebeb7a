import { describe, expect, it } from 'vitest';
import type { NodeProto, TensorProto } from '../../../../src/onnx/messages.ts';
import type { OnnxModel } from '../../../../src/onnx/model-file.ts';
import { foldScale } from '../../../../src/onnx/passes/fold-scale.ts';
import { chain, graphOf, opTypesOf } from '../../../support/chain.ts';
import { expectCloseResults } from '../../../support/close-results.ts';
import { waveConstant } from '../../../support/constants.ts';
import { float, node, tensor, value } from '../../../support/graph-builder.ts';
import { wavyFeed } from '../../../support/run-model.ts';
import { unwrap } from '../../../support/unwrap.ts';

function chained(
  dims: readonly number[],
  nodes: readonly NodeProto[],
  ...constants: readonly TensorProto[]
): OnnxModel {
  const given = chain(13, nodes, dims);
  graphOf(given).initializer.push(...constants);
  return given;
}

const positive = (name: string, dims: readonly number[]) =>
  waveConstant(name, dims, { amplitude: 0.5, shift: 2 });

async function expectFolded(given: OnnxModel, dims: readonly number[], left: readonly string[]) {
  await expectCloseResults(given, { x: wavyFeed(...dims) }, (m) =>
    expect(unwrap(foldScale(m)).count).toBe(1),
  );
  expect(opTypesOf(given)).toEqual(left);
}

describe('foldScale', () => {
  it.each([
    ['Mul', [3, 1, 1]],
    ['Mul', [1, 3, 1, 1]],
    ['Mul', [1]],
    ['Div', [3, 1, 1]],
    ['Div', []],
  ])('folds a %s of a constant of shape %j into weights and bias of a Conv', (opType, dims) =>
    expectFolded(
      chained(
        [1, 2, 5, 5],
        [node('Conv', ['x', 'w', 'b'], ['c']), node(opType, ['c', 'k'], ['y'])],
        waveConstant('w', [3, 2, 3, 3]),
        waveConstant('b', [3]),
        positive('k', dims),
      ),
      [1, 2, 5, 5],
      ['Conv'],
    ),
  );

  it('folds into a grouped ConvTranspose without a bias, which gets none', async () => {
    const given = chained(
      [1, 4, 3, 3],
      [node('ConvTranspose', ['x', 'w'], ['c'], { group: 2 }), node('Mul', ['k', 'c'], ['y'])],
      waveConstant('w', [4, 3, 2, 2]),
      positive('k', [6, 1, 1]),
    );
    await expectFolded(given, [1, 4, 3, 3], ['ConvTranspose']);
    expect(graphOf(given).node[0]?.input).toHaveLength(2);
  });

  it.each([0, 1])('folds into a Gemm with alpha and beta, transB %d', (transB) =>
    expectFolded(
      chained(
        [2, 4],
        [
          node('Gemm', ['x', 'w', 'b'], ['c'], { transB, alpha: float(0.5), beta: float(3) }),
          node('Mul', ['c', 'k'], ['y']),
        ],
        waveConstant('w', transB ? [3, 4] : [4, 3]),
        waveConstant('b', [1]),
        positive('k', [3]),
      ),
      [2, 4],
      ['Gemm'],
    ),
  );

  it('folds into the weights of a product of batches', () =>
    expectFolded(
      chained(
        [2, 5, 4],
        [node('MatMul', ['x', 'w'], ['c']), node('Div', ['c', 'k'], ['y'])],
        waveConstant('w', [4, 3]),
        positive('k', [3]),
      ),
      [2, 5, 4],
      ['MatMul'],
    ));

  it('does not change weights and biases that others read', async () => {
    const given = chained(
      [1, 2, 5, 5],
      [
        node('Conv', ['x', 'w', 'b'], ['c']),
        node('Mul', ['c', 'k'], ['m']),
        node('Conv', ['x', 'w', 'b2'], ['d']),
        node('Add', ['m', 'd'], ['e']),
        node('Add', ['e', 'b'], ['y']),
      ],
      waveConstant('w', [1, 2, 3, 3]),
      waveConstant('b', [1]),
      waveConstant('b2', [1]),
      positive('k', [1]),
    );
    await expectFolded(given, [1, 2, 5, 5], ['Conv', 'Conv', 'Add', 'Add']);
  });

  it('does not change weights that the graph gives out', async () => {
    const given = chained(
      [1, 2, 5, 5],
      [node('Conv', ['x', 'w'], ['c']), node('Mul', ['c', 'k'], ['y'])],
      waveConstant('w', [3, 2, 3, 3]),
      positive('k', [3, 1, 1]),
    );
    graphOf(given).output.push(value('w', 'float', [3, 2, 3, 3]));
    await expectFolded(given, [1, 2, 5, 5], ['Conv']);
  });

  it.each<[string, NodeProto[], TensorProto[]]>([
    [
      'of a constant that varies along another axis',
      [node('Conv', ['x', 'w'], ['c']), node('Mul', ['c', 'k'], ['y'])],
      [positive('k', [3])],
    ],
    [
      'by zero',
      [node('Conv', ['x', 'w'], ['c']), node('Div', ['c', 'k'], ['y'])],
      [tensor('k', [3, 1, 1], [1, 0, 1])],
    ],
    [
      'that overflows the weights',
      [node('Conv', ['x', 'w'], ['c']), node('Mul', ['c', 'k'], ['y'])],
      [tensor('k', [1], [3.4e38]), waveConstant('w', [3, 2, 3, 3], { amplitude: 100 })],
    ],
    [
      'of a constant by the result',
      [node('Conv', ['x', 'w'], ['c']), node('Div', ['k', 'c'], ['y'])],
      [positive('k', [3, 1, 1])],
    ],
    [
      'of a result that something else reads',
      [node('Conv', ['x', 'w'], ['c']), node('Mul', ['c', 'k'], ['m']), node('Add', ['m', 'c'], ['y'])],
      [positive('k', [3, 1, 1])],
    ],
    [
      'behind an operator without weights',
      [node('Relu', ['x'], ['c']), node('Mul', ['c', 'k'], ['y'])],
      [positive('k', [1])],
    ],
    [
      'behind a bias that is computed',
      [
        node('ReduceMax', ['x'], ['max'], { axes: [0, 2, 3], keepdims: 0 }),
        node('Concat', ['max', 'one'], ['b'], { axis: 0 }),
        node('Conv', ['x', 'w', 'b'], ['c']),
        node('Mul', ['c', 'k'], ['y']),
      ],
      [positive('k', [3, 1, 1]), tensor('one', [1], [1])],
    ],
  ])('leaves a factor %s', (_what, nodes, constants) => {
    const weights = constants.some(({ name }) => name === 'w') ? [] : [waveConstant('w', [3, 2, 3, 3])];
    const given = chained([1, 2, 5, 5], nodes, ...constants, ...weights);
    const before = structuredClone(given.proto);
    expect(unwrap(foldScale(given)).count).toBe(0);
    expect(given.proto).toEqual(before);
  });
});
