import { describe, expect, it } from 'vitest';
import { problem } from '../../../../src/core/problem.ts';
import { err } from '../../../../src/core/result.ts';
import { scratchModelOpener } from '../../../../src/jobs/scratch-models.ts';
import type { NodeProto } from '../../../../src/onnx/messages.ts';
import type { OnnxModel } from '../../../../src/onnx/model-file.ts';
import type { OpenModel } from '../../../../src/onnx/open-model.ts';
import { foldConstants } from '../../../../src/onnx/passes/fold-constants.ts';
import { readTensorData } from '../../../../src/onnx/tensor-data.ts';
import { graphOf, opTypesOf } from '../../../support/chain.ts';
import { intsConstant, waveConstant } from '../../../support/constants.ts';
import { float, graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import { wavyFeed } from '../../../support/run-model.ts';
import { expectSameResults } from '../../../support/same-results.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { unwrap } from '../../../support/unwrap.ts';

type Parts = Parameters<typeof graph>[0];

/** x → nodes → y. `dims` are those of x. */
function withConstants(
  dims: readonly (number | string)[],
  nodes: readonly NodeProto[],
  initializers: NonNullable<Parts['initializers']>,
  more: Partial<Parts> = {},
): OnnxModel {
  return model(
    graph({ inputs: [value('x', 'float', dims)], nodes, outputs: [value('y')], initializers, ...more }),
  );
}

function opener(): OpenModel {
  return scratchModelOpener(temporaryFolder(), 1);
}

async function fold(given: OnnxModel): Promise<number> {
  return (await foldConstants(given, opener())).count;
}

function valuesOf(given: OnnxModel, name: string) {
  const found = graphOf(given).initializer.find((entry) => entry.name === name);
  if (found === undefined) return undefined;
  return { dims: found.dims, data: Array.from(unwrap(readTensorData(given, found)) as never[], Number) };
}

describe('foldConstants', () => {
  it('computes chains of constants and leaves what depends on an input', async () => {
    const given = withConstants(
      [2, 2],
      [
        node('Reshape', ['w', 'shape'], ['matrix']),
        node('Transpose', ['matrix'], ['turned']),
        node('MatMul', ['x', 'turned'], ['y']),
      ],
      [tensor('w', [1, 4], [1, 2, 3, 4]), intsConstant('shape', 2, 2)],
    );
    await expectSameResults(given, { x: wavyFeed(2, 2) }, async (m) => expect(await fold(m)).toBe(2));
    expect(opTypesOf(given)).toEqual(['MatMul']);
    expect(valuesOf(given, 'turned')).toEqual({ dims: [2, 2], data: [1, 3, 2, 4] });
  });

  it('folds every output of a node, and float16, bool and empty tensors', async () => {
    const given = withConstants(
      [2],
      [
        node('Split', ['w'], ['a', 'b']),
        node('Less', ['a', 'b'], ['less']),
        node('Cast', ['b'], ['half'], { to: 10 }),
        node('Cast', ['half'], ['back'], { to: 1 }),
        node('NonZero', ['nothing'], ['none']),
        node('Cast', ['none'], ['noFloats'], { to: 1 }),
        node('ReduceSum', ['noFloats'], ['zero'], { keepdims: 0 }),
        node('Where', ['less', 'x', 'back'], ['chosen']),
        node('Add', ['chosen', 'zero'], ['y']),
      ],
      [tensor('w', [4], [1, 5, 3, 2]), tensor('nothing', [2], [0, 0])],
    );
    await expectSameResults(given, { x: wavyFeed(2) }, async (m) => expect(await fold(m)).toBe(7));
    expect(opTypesOf(given)).toEqual(['Where', 'Add']);
  });

  it('knows the shape of what is computed from an input of known shape, whatever the file says of it', async () => {
    const given = withConstants(
      [1, 2, 4, 4],
      [
        node('Conv', ['x', 'w'], ['c']),
        node('Shape', ['c'], ['s']),
        node('Gather', ['s', 'first'], ['n']),
        node('Unsqueeze', ['n', 'axis'], ['rows']),
        node('Concat', ['rows', 'rest'], ['target'], { axis: 0 }),
        node('Reshape', ['c', 'target'], ['y']),
      ],
      [
        waveConstant('w', [3, 2, 3, 3]),
        tensor('first', [], [0], 'int64'),
        intsConstant('axis', 0),
        intsConstant('rest', -1),
      ],
      { valueInfo: [value('c', 'float', [7, 7, 7, 7])] },
    );
    await expectSameResults(given, { x: wavyFeed(1, 2, 4, 4) }, async (m) => expect(await fold(m)).toBe(4));
    expect(opTypesOf(given)).toEqual(['Conv', 'Reshape']);
    expect(valuesOf(given, 'target')).toEqual({ dims: [2], data: [1, -1] });
  });

  it('takes known dimensions out of the shape of a batch of any size, and no unknown ones', async () => {
    const given = withConstants(
      ['N', 3],
      [
        node('Relu', ['x'], ['r']),
        node('Shape', ['r'], ['s']),
        node('Gather', ['s', 'one'], ['columns']),
        node('Gather', ['s', 'zero'], ['rows']),
        node('Concat', ['columns', 'rows'], ['target'], { axis: 0 }),
        node('Reshape', ['x', 'target'], ['y']),
      ],
      [intsConstant('one', 1), intsConstant('zero', 0)],
    );
    await expectSameResults(given, { x: wavyFeed(2, 3) }, async (m) => expect(await fold(m)).toBe(1));
    expect(opTypesOf(given)).toEqual(['Relu', 'Shape', 'Gather', 'Concat', 'Reshape']);
    expect(valuesOf(given, 'columns')).toEqual({ dims: [1], data: [3] });
  });

  it('folds Size, and Shape with a start and an end', async () => {
    const given = withConstants(
      [2, 3, 5],
      [
        node('Shape', ['x'], ['s'], { start: -2, end: 9 }),
        node('Size', ['x'], ['n']),
        node('Add', ['s', 'n'], ['sum']),
        node('Cast', ['sum'], ['offset'], { to: 1 }),
        node('ReduceMean', ['x'], ['mean'], { keepdims: 0 }),
        node('Add', ['mean', 'offset'], ['y']),
      ],
      [],
    );
    given.proto.opsetImport = [{ domain: '', version: 15 }];
    await expectSameResults(given, { x: wavyFeed(2, 3, 5) }, async (m) => expect(await fold(m)).toBe(4));
    expect(valuesOf(given, 'sum')?.data).toEqual([33, 35]);
  });

  it.each<[string, NodeProto]>([
    ['random', node('RandomNormalLike', ['k'], ['n'])],
    ['quantized', node('DequantizeLinear', ['q', 'scale'], ['n'])],
    ['quantizing', node('QuantizeLinear', ['k', 'scale'], ['q2'])],
    ['of another domain', node('Gelu', ['k'], ['n'], {}, { domain: 'com.microsoft' })],
    ['a sequence', node('SequenceConstruct', ['k'], ['list'])],
    ['computed from an input', node('Add', ['x', 'k'], ['n'])],
    ['computed from an initializer that can be fed', node('Neg', ['fed'], ['n'])],
    ['a graph output', node('Neg', ['k'], ['y2'])],
    ['refused by the runtime', node('NoSuchOperator', ['k'], ['n'])],
  ])('leaves a node that is %s', async (_what, kept) => {
    const given = withConstants(
      [1],
      [kept, node('Neg', ['k'], ['m']), node('Mul', ['x', 'm'], ['y'])],
      [
        tensor('k', [1], [2]),
        tensor('q', [1], [3], 'int8'),
        tensor('scale', [], [0.5]),
        tensor('fed', [1], [4]),
      ],
      {
        inputs: [value('x', 'float', [1]), value('fed', 'float', [1])],
        outputs: [value('y'), value('y2')],
      },
    );
    expect(await fold(given)).toBe(1);
    expect(opTypesOf(given)).toEqual([kept.opType, 'Mul']);
  });

  it('leaves what would make the file much larger, and folds the rest of the same wave', async () => {
    const given = withConstants(
      [1],
      [
        node('ConstantOfShape', ['huge'], ['zeros'], { value: tensor('', [1], [1]) }),
        node('Expand', ['k', 'huge'], ['copies']),
        node('Neg', ['k'], ['n']),
        node('Add', ['zeros', 'copies'], ['sum']),
        node('ReduceMax', ['sum'], ['max'], { keepdims: 0 }),
        node('Add', ['max', 'n'], ['offset']),
        node('Add', ['x', 'offset'], ['y']),
      ],
      [intsConstant('huge', 100_000, 100_000), tensor('k', [1], [2])],
    );
    expect(await fold(given)).toBe(1);
    expect(opTypesOf(given)).toEqual(['ConstantOfShape', 'Expand', 'Add', 'ReduceMax', 'Add', 'Add']);
  });

  it('allows 1 MiB and no more beyond what a node reads', async () => {
    const given = withConstants(
      [1],
      [
        node('Expand', ['k', 'small'], ['a']),
        node('Expand', ['k', 'large'], ['b']),
        node('ReduceMax', ['b'], ['max'], { keepdims: 0 }),
        node('Gather', ['a', 'index'], ['first']),
        node('Add', ['max', 'first'], ['offset']),
        node('Add', ['x', 'offset'], ['y']),
      ],
      [
        intsConstant('small', 2 ** 18),
        intsConstant('large', 2 ** 18 + 1),
        intsConstant('index', 0),
        tensor('k', [1], [2]),
      ],
    );
    expect(await fold(given)).toBe(2);
    expect(opTypesOf(given)).toEqual(['Expand', 'ReduceMax', 'Add', 'Add']);
  });

  it('computes nothing when the runtime takes no model at all', async () => {
    const given = withConstants(
      [2],
      [node('Neg', ['k'], ['n']), node('Shape', ['x'], ['s']), node('Mul', ['x', 'n'], ['y'])],
      [tensor('k', [1], [2])],
    );
    graphOf(given).node.push(node('Shape', ['y'], ['s2']));
    const refuse: OpenModel = async () => err(problem('refused', 'no'));
    // The shape of an input needs no runtime.
    expect((await foldConstants(given, refuse)).count).toBe(1);
    expect(opTypesOf(given)).toEqual(['Neg', 'Mul', 'Shape']);
  });

  it('leaves bodies and what they read intact', async () => {
    const branch = (factor: string) =>
      graph({ nodes: [node('Mul', ['x', factor], [`${factor}_out`])], outputs: [value(`${factor}_out`)] });
    const given = withConstants(
      [2],
      [
        node('Neg', ['k'], ['n']),
        node('ReduceSum', ['x'], ['sum'], { keepdims: 0 }),
        node('Less', ['sum', 'k'], ['isLess']),
        node('If', ['isLess'], ['y'], { then_branch: branch('n'), else_branch: branch('k') }),
      ],
      [tensor('k', [], [2])],
    );
    await expectSameResults(given, { x: wavyFeed(2) }, async (m) => expect(await fold(m)).toBe(1));
    expect(valuesOf(given, 'n')?.data).toEqual([-2]);
  });

  it('takes floats as attributes with it', async () => {
    const given = withConstants(
      [1],
      [node('LeakyRelu', ['k'], ['n'], { alpha: float(0.5) }), node('Mul', ['x', 'n'], ['y'])],
      [tensor('k', [1], [-2])],
    );
    expect(await fold(given)).toBe(1);
    expect(valuesOf(given, 'n')?.data).toEqual([-1]);
  });
});
