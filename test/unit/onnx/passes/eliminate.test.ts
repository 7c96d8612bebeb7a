import { describe, expect, it } from 'vitest';
import { eliminateDead } from '../../../../src/onnx/passes/eliminate-dead.ts';
import { eliminateIdentity } from '../../../../src/onnx/passes/eliminate-identity.ts';
import { chain, graphOf, opTypesOf } from '../../../support/chain.ts';
import { graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import { floatFeed } from '../../../support/run-model.ts';
import { expectSameResults } from '../../../support/same-results.ts';

const x = { x: floatFeed([2], [-1, 2]) };

describe('eliminateIdentity', () => {
  it('removes an Identity between two nodes, and a chain of them', async () => {
    const given = chain(
      13,
      [
        node('Identity', ['x'], ['a']),
        node('Identity', ['a'], ['b']),
        node('Relu', ['b'], ['c']),
        node('Identity', ['c'], ['d']),
        node('Neg', ['d'], ['y']),
      ],
      [2],
    );
    await expectSameResults(given, x, (m) => {
      expect(eliminateIdentity(m)).toEqual({ modified: true, count: 3 });
    });
    expect(opTypesOf(given)).toEqual(['Relu', 'Neg']);
  });

  it('gives the name of a graph output to the node before', async () => {
    const given = chain(
      13,
      [
        node('Relu', ['x'], ['r']),
        node('Neg', ['r'], ['n']),
        node('Add', ['r', 'n'], ['s']),
        node('Identity', ['r'], ['y']),
      ],
      [2],
    );
    await expectSameResults(given, x, eliminateIdentity);
    expect(graphOf(given).node.map(({ output }) => output[0])).toEqual(['y', 'n', 's']);
  });

  it('keeps an Identity from input to output', () => {
    const given = chain(13, [node('Identity', ['x'], ['y'])], [2]);
    expect(eliminateIdentity(given)).toEqual({ modified: false, count: 0 });
    expect(opTypesOf(given)).toEqual(['Identity']);
  });

  it('keeps both names of a tensor that two outputs want', async () => {
    const given = chain(
      13,
      [node('Relu', ['x'], ['r']), node('Identity', ['r'], ['y']), node('Identity', ['r'], ['z'])],
      [2],
    );
    graphOf(given).output.push(value('z'));
    await expectSameResults(given, x, (m) => {
      expect(eliminateIdentity(m).count).toBe(1);
    });
  });

  it('removes a Dropout of inference and keeps one that trains', () => {
    const given = chain(
      13,
      [node('Dropout', ['x'], ['d']), node('Dropout', ['d', '', 'train'], ['t']), node('Relu', ['t'], ['y'])],
      [2],
    );
    graphOf(given).initializer.push(tensor('train', [], [1], 'bool'));
    expect(eliminateIdentity(given).count).toBe(1);
    expect(graphOf(given).node[0]).toMatchObject({ opType: 'Dropout', input: ['x', '', 'train'] });
  });

  it('keeps a Dropout whose mask is read', () => {
    const given = chain(13, [node('Dropout', ['x'], ['d', 'm']), node('Where', ['m', 'd', 'x'], ['y'])], [2]);
    expect(eliminateIdentity(given).count).toBe(0);
  });

  it('leaves an operator of another domain that has the same name', () => {
    const nodes = [node('Identity', ['x'], ['a'], {}, { domain: 'mine' }), node('Relu', ['a'], ['y'])];
    expect(eliminateIdentity(chain(13, nodes, [2])).count).toBe(0);
  });

  it('lets bodies read the original, and works inside them', async () => {
    const branch = (name: string) =>
      graph({
        name,
        nodes: [
          node('Identity', ['a'], [`${name}_i`]),
          node('Neg', [`${name}_i`], [`${name}_n`]),
          node('Identity', [`${name}_n`], [`${name}_y`]),
        ],
        outputs: [value(`${name}_y`)],
      });
    const given = chain(
      13,
      [
        node('Identity', ['x'], ['a']),
        node('If', ['yes'], ['y'], { then_branch: branch('t'), else_branch: branch('e') }),
      ],
      [2],
    );
    graphOf(given).initializer.push(tensor('yes', [], [1], 'bool'));
    await expectSameResults(given, x, (m) => {
      expect(eliminateIdentity(m).count).toBe(5);
    });
  });

  it('does not rename into a body that has the name for another tensor', () => {
    const branch = graph({ nodes: [node('Neg', ['a'], ['x'])], outputs: [value('x')] });
    const given = chain(
      13,
      [
        node('Identity', ['x'], ['a']),
        node('If', ['yes'], ['y'], { then_branch: branch, else_branch: branch }),
      ],
      [2],
    );
    expect(eliminateIdentity(given).count).toBe(0);
  });
});

describe('eliminateDead', () => {
  it('removes nodes and initializers that no output needs, and what was said of them', async () => {
    const given = chain(
      13,
      [node('Relu', ['x'], ['y']), node('Add', ['x', 'w'], ['a']), node('Neg', ['a'], ['b'])],
      [2],
    );
    graphOf(given).initializer.push(tensor('w', [2], [1, 2]), tensor('unused', [1], [1]));
    graphOf(given).valueInfo.push(value('a'), value('y'));
    await expectSameResults(given, x, (m) => {
      expect(eliminateDead(m)).toEqual({ modified: true, count: 4 });
    });
    expect(opTypesOf(given)).toEqual(['Relu']);
    expect(graphOf(given).initializer).toEqual([]);
    expect(graphOf(given).valueInfo.map(({ name }) => name)).toEqual(['y']);
  });

  it('keeps what only a body reads, and cleans the body', async () => {
    const branch = (name: string) =>
      graph({
        nodes: [node('Add', ['r', 'w'], [`${name}_y`]), node('Neg', ['r'], [`${name}_unused`])],
        outputs: [value(`${name}_y`)],
      });
    const given = chain(
      13,
      [
        node('Relu', ['x'], ['r']),
        node('If', ['yes'], ['y'], { then_branch: branch('t'), else_branch: branch('e') }),
      ],
      [2],
    );
    graphOf(given).initializer.push(tensor('yes', [], [1], 'bool'), tensor('w', [2], [1, 2]));
    await expectSameResults(given, x, (m) => {
      expect(eliminateDead(m).count).toBe(2);
    });
    expect(graphOf(given).initializer).toHaveLength(2);
  });

  it('keeps an unused graph input, which callers feed', () => {
    const given = chain(13, [node('Relu', ['x'], ['y'])], [2]);
    graphOf(given).input.push(value('unused'));
    expect(eliminateDead(given)).toEqual({ modified: false, count: 0 });
    expect(graphOf(given).input).toHaveLength(2);
  });

  it('keeps a node of which only a later output is used', () => {
    const given = model(
      graph({
        inputs: [value('x', 'float', [4])],
        nodes: [node('Split', ['x'], ['a', 'y'])],
        outputs: [value('y')],
      }),
    );
    expect(eliminateDead(given).count).toBe(0);
  });
});
