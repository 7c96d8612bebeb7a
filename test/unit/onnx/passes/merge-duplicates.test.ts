import { describe, expect, it } from 'vitest';
import type { NodeProto, TensorProto } from '../../../../src/onnx/messages.ts';
import { mergeDuplicates } from '../../../../src/onnx/passes/merge-duplicates.ts';
import { graphOf, opTypesOf } from '../../../support/chain.ts';
import { float, graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import { floatFeed } from '../../../support/run-model.ts';
import { expectSameResults } from '../../../support/same-results.ts';

const x = { x: floatFeed([2, 3], [-1, 2, 5, 0, -4, 3]) };

function modelOf(nodes: readonly NodeProto[], constants: readonly TensorProto[] = [], outputs = ['y']) {
  return model(
    graph({
      inputs: [value('x', 'float', [2, 3])],
      nodes,
      outputs: outputs.map((name) => value(name)),
      initializers: constants,
    }),
  );
}

async function merged(given: ReturnType<typeof modelOf>): Promise<number> {
  let count = -1;
  await expectSameResults(given, x, (m) => {
    count = mergeDuplicates(m).count;
  });
  return count;
}

const shape = (name: string, ...dims: number[]) => tensor(name, [dims.length], dims, 'int64');

describe('mergeDuplicates', () => {
  it('keeps the first of equal nodes, and what follows from them', async () => {
    const given = modelOf([
      node('Relu', ['x'], ['a']),
      node('Relu', ['x'], ['b']),
      node('Neg', ['a'], ['c']),
      node('Neg', ['b'], ['d']),
      node('Sub', ['c', 'd'], ['e']),
      node('Add', ['e', 'x'], ['y']),
    ]);
    expect(await merged(given)).toBe(2);
    expect(opTypesOf(given)).toEqual(['Relu', 'Neg', 'Sub', 'Add']);
    expect(graphOf(given).node[2]?.input).toEqual(['c', 'c']);
  });

  it('takes small constants of one content for one, whatever their names', async () => {
    const given = modelOf(
      [
        node('Reshape', ['x', 's'], ['a']),
        node('Reshape', ['x', 't'], ['b']),
        node('Add', ['a', 'b'], ['y']),
      ],
      [shape('s', 3, 2), shape('t', 3, 2)],
    );
    expect(await merged(given)).toBe(1);
  });

  it.each<[string, readonly NodeProto[], readonly TensorProto[]]>([
    [
      'have other inputs',
      [node('Relu', ['x'], ['a']), node('Relu', ['a'], ['b']), node('Sub', ['a', 'b'], ['y'])],
      [],
    ],
    [
      'have other attributes',
      [
        node('LeakyRelu', ['x'], ['a'], { alpha: float(0.1) }),
        node('LeakyRelu', ['x'], ['b'], { alpha: float(0.2) }),
        node('Sub', ['a', 'b'], ['y']),
      ],
      [],
    ],
    [
      'read constants of one content and two shapes',
      [
        node('Mul', ['x', 'k'], ['a']),
        node('Mul', ['x', 'l'], ['b']),
        node('Concat', ['a', 'b'], ['y'], { axis: 0 }),
      ],
      [tensor('k', [3], [1, 2, 3]), tensor('l', [1, 3], [1, 2, 3])],
    ],
    [
      'have inputs in another order',
      [node('Sub', ['x', 'k'], ['a']), node('Sub', ['k', 'x'], ['b']), node('Mul', ['a', 'b'], ['y'])],
      [tensor('k', [3], [1, 2, 3])],
    ],
  ])('leaves nodes that %s', async (_, nodes, constants) => {
    expect(await merged(modelOf(nodes, constants))).toBe(0);
  });

  it('leaves a result that the model gives out under its own name', async () => {
    const given = modelOf([node('Relu', ['x'], ['y']), node('Relu', ['x'], ['z'])], [], ['y', 'z']);
    expect(await merged(given)).toBe(0);
  });

  it('lets the readers of a merged result read a graph output', async () => {
    const given = modelOf(
      [node('Relu', ['x'], ['y']), node('Relu', ['x'], ['b']), node('Neg', ['b'], ['z'])],
      [],
      ['y', 'z'],
    );
    expect(await merged(given)).toBe(1);
  });

  it('leaves random nodes, and results that bodies read', () => {
    const body = (name: string) => graph({ nodes: [node('Neg', [name], ['n'])], outputs: [value('n')] });
    const given = modelOf(
      [
        node('RandomNormalLike', ['x'], ['r']),
        node('RandomNormalLike', ['x'], ['s']),
        node('Relu', ['x'], ['a']),
        node('Relu', ['x'], ['b']),
        node('If', ['flag'], ['y'], { then_branch: body('a'), else_branch: body('b') }),
        node('Sub', ['r', 's'], ['z']),
      ],
      [tensor('flag', [], [1], 'bool')],
      ['y', 'z'],
    );
    expect(mergeDuplicates(given)).toEqual({ modified: false, count: 0 });
  });

  it('works in bodies', () => {
    const body = graph({
      nodes: [node('Relu', ['x'], ['a']), node('Relu', ['x'], ['b']), node('Add', ['a', 'b'], ['n'])],
      outputs: [value('n')],
    });
    const given = modelOf(
      [
        node('If', ['flag'], ['y'], {
          then_branch: body,
          else_branch: graph({ nodes: [node('Neg', ['x'], ['m'])], outputs: [value('m')] }),
        }),
      ],
      [tensor('flag', [], [1], 'bool')],
    );
    expect(mergeDuplicates(given).count).toBe(1);
    expect(body.node.at(-1)?.input).toEqual(['a', 'a']);
  });
});
