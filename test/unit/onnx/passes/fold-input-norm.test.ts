import { describe, expect, it } from 'vitest';
import type { NodeProto } from '../../../../src/onnx/messages.ts';
import type { OnnxModel } from '../../../../src/onnx/model-file.ts';
import { foldInputNorm } from '../../../../src/onnx/passes/fold-input-norm.ts';
import { chain, graphOf, opTypesOf } from '../../../support/chain.ts';
import { expectCloseResults } from '../../../support/close-results.ts';
import { waveConstant } from '../../../support/constants.ts';
import { float, node, tensor, value } from '../../../support/graph-builder.ts';
import { wavyFeed } from '../../../support/run-model.ts';
import { unwrap } from '../../../support/unwrap.ts';

/** x → BatchNormalization of `channels` → `consumer`, which reads n, weights w and perhaps a bias b → y. */
function normThen(
  consumer: NodeProto,
  {
    dims,
    weights,
    channels,
    shifts = true,
  }: {
    readonly dims: readonly number[];
    readonly weights: readonly number[];
    readonly channels: number;
    readonly shifts?: boolean;
  },
): OnnxModel {
  const norm = node('BatchNormalization', ['x', 'scale', 'shift', 'mean', 'var'], ['n']);
  const given = chain(13, [norm, consumer], dims);
  const zeros = (name: string) => tensor(name, [channels], new Array(channels).fill(0));
  graphOf(given).initializer.push(
    waveConstant('w', weights),
    waveConstant('b', [1]),
    waveConstant('scale', [channels], { shift: 1 }),
    shifts ? waveConstant('shift', [channels]) : zeros('shift'),
    shifts ? waveConstant('mean', [channels]) : zeros('mean'),
    waveConstant('var', [channels], { shift: 1 }),
  );
  return given;
}

const image = { dims: [1, 4, 5, 5], weights: [6, 4, 3, 3], channels: 4 };

async function expectFolded(given: OnnxModel, dims: readonly number[], left: readonly string[]) {
  await expectCloseResults(given, { x: wavyFeed(...dims) }, (m) =>
    expect(unwrap(foldInputNorm(m)).count).toBe(1),
  );
  expect(opTypesOf(given)).toEqual(left);
}

function expectKept(given: OnnxModel): void {
  const before = structuredClone(given.proto);
  expect(unwrap(foldInputNorm(given)).count).toBe(0);
  expect(given.proto).toEqual(before);
}

describe('foldInputNorm', () => {
  it('folds into the weights of a Conv behind it, which gets a bias', () =>
    expectFolded(normThen(node('Conv', ['n', 'w'], ['y']), image), image.dims, ['Conv']));

  it('knows which input channels the groups of a Conv read', () =>
    expectFolded(
      normThen(node('Conv', ['n', 'w'], ['y'], { group: 2 }), { ...image, weights: [6, 2, 3, 3] }),
      image.dims,
      ['Conv'],
    ));

  it.each([0, 1])('folds into a Gemm with alpha, beta and a bias, transB %d', (transB) =>
    expectFolded(
      normThen(node('Gemm', ['n', 'w', 'b'], ['y'], { transB, alpha: float(0.5), beta: float(2) }), {
        dims: [2, 4],
        weights: transB ? [3, 4] : [4, 3],
        channels: 4,
      }),
      [2, 4],
      ['Gemm'],
    ),
  );

  it.each([{ pads: [1, 1, 1, 1] }, { auto_pad: 'SAME_UPPER' }])(
    'leaves a norm that shifts before a Conv with %j, and folds one that only scales',
    async (attributes) => {
      const padded = () => node('Conv', ['n', 'w'], ['y'], attributes);
      expectKept(normThen(padded(), image));
      await expectFolded(normThen(padded(), { ...image, shifts: false }), image.dims, ['Conv']);
    },
  );

  it('folds before a Conv that says that it does not pad', () =>
    expectFolded(normThen(node('Conv', ['n', 'w'], ['y'], { auto_pad: 'VALID' }), image), image.dims, [
      'Conv',
    ]));

  it('does not change weights that another node reads', async () => {
    const given = normThen(node('Conv', ['n', 'w'], ['c']), image);
    graphOf(given).node.push(node('Conv', ['x', 'w'], ['d']), node('Add', ['c', 'd'], ['y']));
    await expectFolded(given, image.dims, ['Conv', 'Conv', 'Add']);
  });

  it('leaves a norm whose result something else reads, that is a graph output, or trains', () => {
    const read = normThen(node('Conv', ['n', 'w'], ['y']), image);
    graphOf(read).node.push(node('Relu', ['n'], ['r']));
    expectKept(read);
    const given = normThen(node('Conv', ['n', 'w'], ['y']), image);
    graphOf(given).output.push(value('n'));
    expectKept(given);
    const trains = normThen(node('Conv', ['n', 'w'], ['y']), image);
    graphOf(trains).node[0]?.output.push('newMean', 'newVar');
    expectKept(trains);
  });

  it('leaves a norm that is the weight of a Conv, or before an operator without weights', () => {
    expectKept(normThen(node('Conv', ['w', 'n'], ['y']), image));
    expectKept(normThen(node('Relu', ['n'], ['y']), image));
  });
});
