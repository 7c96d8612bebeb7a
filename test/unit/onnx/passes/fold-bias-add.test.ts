import { describe, expect, it } from 'vitest';
import type { NodeProto, TensorProto } from '../../../../src/onnx/messages.ts';
import type { OnnxModel } from '../../../../src/onnx/model-file.ts';
import { foldBiasAdd } from '../../../../src/onnx/passes/fold-bias-add.ts';
import { chain, graphOf, opTypesOf } from '../../../support/chain.ts';
import { node, tensor, value } from '../../../support/graph-builder.ts';
import { runModel, wavyFeed } from '../../../support/run-model.ts';
import { unwrap } from '../../../support/unwrap.ts';

function wave(name: string, dims: readonly number[]): TensorProto {
  const count = dims.reduce((product, dim) => product * dim, 1);
  return tensor(
    name,
    dims,
    Array.from({ length: count }, (_, index) => Math.sin(index * 1.7 + name.length)),
  );
}

function withConstants(given: OnnxModel, ...constants: readonly TensorProto[]): OnnxModel {
  graphOf(given).initializer.push(...constants);
  return given;
}

/** x [1, 2, 5, 5] → Conv with three channels, with its own bias if named → Add of a constant of `dims` → y. */
function convThenAdd(dims: readonly number[], ownBias = false): OnnxModel {
  const conv = node('Conv', ownBias ? ['x', 'w', 'own'] : ['x', 'w'], ['c'], {}, { name: 'conv' });
  return withConstants(
    chain(13, [conv, node('Add', ['c', 'k'], ['y'])], [1, 2, 5, 5]),
    wave('w', [3, 2, 3, 3]),
    wave('k', dims),
    ...(ownBias ? [wave('own', [3])] : []),
  );
}

async function expectFolded(
  model: OnnxModel,
  dims: readonly number[],
  left: readonly string[],
): Promise<void> {
  const feeds = { x: wavyFeed(...dims) };
  const before = (await runModel(model, feeds))['y']?.data as Float32Array;
  expect(unwrap(foldBiasAdd(model)).count).toBe(1);
  expect(opTypesOf(model)).toEqual(left);
  const after = (await runModel(model, feeds))['y']?.data as Float32Array;
  expect(after).toHaveLength(before.length);
  after.forEach((found, index) => {
    expect(found).toBeCloseTo(before[index] as number, 5);
  });
}

function expectKept(model: OnnxModel): void {
  const before = opTypesOf(model);
  expect(unwrap(foldBiasAdd(model)).count).toBe(0);
  expect(opTypesOf(model)).toEqual(before);
}

describe('foldBiasAdd', () => {
  it.each([[[3, 1, 1]], [[1, 3, 1, 1]], [[1]], [[]]])(
    'makes an added constant of shape %j the bias of a Conv without one',
    async (dims) => expectFolded(convThenAdd(dims), [1, 2, 5, 5], ['Conv']),
  );

  it('adds to the bias that a Conv has', async () =>
    expectFolded(convThenAdd([3, 1, 1], true), [1, 2, 5, 5], ['Conv']));

  it('finds the constant on the left of the Add, too', async () => {
    const model = convThenAdd([3, 1, 1]);
    (graphOf(model).node[1] as NodeProto).input = ['k', 'c'];
    await expectFolded(model, [1, 2, 5, 5], ['Conv']);
  });

  it('folds a Sub of a constant, and leaves one from a constant', async () => {
    const given = convThenAdd([3, 1, 1], true);
    const [, add] = graphOf(given).node;
    if (add !== undefined) add.opType = 'Sub';
    await expectFolded(given, [1, 2, 5, 5], ['Conv']);

    const turned = convThenAdd([3, 1, 1]);
    graphOf(turned).node[1] = node('Sub', ['k', 'c'], ['y']);
    expectKept(turned);
  });

  it('folds into a ConvTranspose by its output channels', async () => {
    const model = withConstants(
      chain(13, [node('ConvTranspose', ['x', 'w'], ['c']), node('Add', ['c', 'k'], ['y'])], [1, 2, 5, 5]),
      wave('w', [2, 3, 3, 3]),
      wave('k', [3, 1, 1]),
    );
    await expectFolded(model, [1, 2, 5, 5], ['ConvTranspose']);
  });

  it.each([[[4]], [[1, 4]], [[1]]])(
    'turns a product of matrices with a row %j added into a Gemm',
    async (dims) => {
      const model = withConstants(
        chain(13, [node('MatMul', ['x', 'w'], ['c']), node('Add', ['c', 'k'], ['y'])], [3, 5]),
        wave('w', [5, 4]),
        wave('k', dims),
      );
      await expectFolded(model, [3, 5], ['Gemm']);
    },
  );

  it('leaves a product of batches as it is, as Gemm takes matrices alone', () =>
    expectKept(
      withConstants(
        chain(13, [node('MatMul', ['x', 'w'], ['c']), node('Add', ['c', 'k'], ['y'])], [2, 3, 5]),
        wave('w', [5, 4]),
        wave('k', [4]),
      ),
    ));

  it('leaves a product of unknown rank as it is', () =>
    expectKept(
      withConstants(
        chain(13, [node('MatMul', ['x', 'w'], ['c']), node('Add', ['c', 'k'], ['y'])]),
        wave('w', [5, 4]),
        wave('k', [4]),
      ),
    ));

  it.each([[[3, 3, 3]], [[1, 1, 3]], [[2, 3, 1, 1]], [[1, 1, 3, 1, 1]]])(
    'leaves a constant of shape %j, which is not one value a channel',
    (dims) => expectKept(convThenAdd(dims)),
  );

  it('leaves a result that something else reads', () => {
    const model = convThenAdd([3, 1, 1]);
    graphOf(model).output.push(value('c'));
    expectKept(model);
  });

  it('does not change a bias that another node shares', async () => {
    const first = node('Conv', ['x', 'w', 'own'], ['c'], {}, { name: 'first' });
    const second = node('Conv', ['x', 'w', 'own'], ['d'], {}, { name: 'second' });
    const model = withConstants(
      chain(
        13,
        [first, second, node('Add', ['c', 'k'], ['e']), node('Sub', ['e', 'd'], ['y'])],
        [1, 2, 5, 5],
      ),
      wave('w', [3, 2, 3, 3]),
      wave('own', [3]),
      wave('k', [3, 1, 1]),
    );
    await expectFolded(model, [1, 2, 5, 5], ['Conv', 'Conv', 'Sub']);
  });
});
