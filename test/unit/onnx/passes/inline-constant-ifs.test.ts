import { describe, expect, it } from 'vitest';
import type { GraphProto } from '../../../../src/onnx/messages.ts';
import type { OnnxModel } from '../../../../src/onnx/model-file.ts';
import { inlineConstantIfs } from '../../../../src/onnx/passes/inline-constant-ifs.ts';
import { graphOf, opTypesOf } from '../../../support/chain.ts';
import { graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import { wavyFeed } from '../../../support/run-model.ts';
import { expectSameResults } from '../../../support/same-results.ts';

/** x [3] → If(condition) → z, then y = z + t, where t = 2 x in the graph around the If. */
function withIf(thenBranch: GraphProto, elseBranch: GraphProto, condition = 1): OnnxModel {
  return model(
    graph({
      inputs: [value('x', 'float', [3])],
      nodes: [
        node('Add', ['x', 'x'], ['t']),
        node('If', ['condition'], ['z'], { then_branch: thenBranch, else_branch: elseBranch }),
        node('Add', ['z', 't'], ['y']),
      ],
      outputs: [value('y')],
      initializers: [tensor('condition', [], [condition], 'bool'), tensor('k', [1], [5])],
    }),
  );
}

/** A branch that gives out the negative of x times a constant of its own; its names are also those of the graph. */
function negative(name: string): GraphProto {
  return graph({
    nodes: [
      node('Mul', ['x', `${name}_k`], [`${name}_t`], {}, { name: 't_node' }),
      node('Neg', [`${name}_t`], [`${name}_z`]),
    ],
    outputs: [value(`${name}_z`)],
    initializers: [tensor(`${name}_k`, [1], [3])],
    valueInfo: [value(`${name}_t`, 'float', [3])],
  });
}

function relu(): GraphProto {
  return graph({ nodes: [node('Relu', ['x'], ['r'])], outputs: [value('r')] });
}

describe('inlineConstantIfs', () => {
  it.each([
    [1, ['Add', 'Mul', 'Neg', 'Add']],
    [0, ['Add', 'Relu', 'Add']],
  ])('puts the branch of condition %d in the place of the If', async (condition, left) => {
    const given = withIf(negative('a'), relu(), condition);
    await expectSameResults(given, { x: wavyFeed(3) }, (m) => expect(inlineConstantIfs(m).count).toBe(1));
    expect(opTypesOf(given)).toEqual(left);
    const names = graphOf(given).node.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('gives new names where the graph has the old ones', async () => {
    const branch = negative('a');
    // As two branches that were cloned from each other have it: names of tensors that come up later.
    const given = withIf(branch, relu());
    graphOf(given).node.push(node('Sub', ['y', 'k'], ['a_t']));
    graphOf(given).output = [value('a_t')];
    const [, , last] = graphOf(given).node;
    inlineConstantIfs(given);
    expect(last?.output).toEqual(['y']);
    const outputs = graphOf(given).node.flatMap(({ output }) => output);
    expect(new Set(outputs).size).toBe(outputs.length);
    expect(outputs).toContain('a_t_1');
    expect(graphOf(given).valueInfo.map(({ name }) => name)).toEqual(['a_t_1']);
  });

  it('inlines an If inside the branch, and renames what its bodies read', async () => {
    const inner = (name: string) =>
      graph({ nodes: [node('Mul', ['a_t', 'k'], [name])], outputs: [value(name)] });
    const outer = graph({
      nodes: [
        node('Neg', ['x'], ['a_t']),
        node('If', ['condition'], ['a_z'], { then_branch: inner('p'), else_branch: inner('q') }),
      ],
      outputs: [value('a_z')],
    });
    const given = withIf(outer, relu());
    await expectSameResults(given, { x: wavyFeed(3) }, (m) => expect(inlineConstantIfs(m).count).toBe(2));
    expect(opTypesOf(given)).toEqual(['Add', 'Neg', 'Mul', 'Add']);
  });

  it('copies a constant that the branch gives out', async () => {
    const branch = graph({
      nodes: [],
      outputs: [value('c')],
      initializers: [tensor('c', [3], [1, 2, 3])],
    });
    const given = withIf(branch, relu());
    await expectSameResults(given, { x: wavyFeed(3) }, (m) => expect(inlineConstantIfs(m).count).toBe(1));
    expect(opTypesOf(given)).toEqual(['Add', 'Identity', 'Add']);
  });

  it('copies what the branch gives out twice', () => {
    const branch = graph({ nodes: [node('Neg', ['x'], ['n'])], outputs: [value('n'), value('n')] });
    const given = withIf(branch, relu());
    graphOf(given).node[1]?.output.push('z2');
    inlineConstantIfs(given);
    expect(graphOf(given).node.map(({ input, output }) => [input, output])).toEqual([
      [['x', 'x'], ['t']],
      [['x'], ['z']],
      [['z'], ['z2']],
      [['z', 't'], ['y']],
    ]);
  });

  it('leaves an If whose condition is computed or can be fed', () => {
    const given = withIf(negative('a'), relu());
    graphOf(given).input.push(value('condition', 'bool', []));
    expect(inlineConstantIfs(given).count).toBe(0);
    graphOf(given).input.pop();
    graphOf(given).initializer.shift();
    expect(inlineConstantIfs(given).count).toBe(0);
    expect(opTypesOf(given)).toEqual(['Add', 'If', 'Add']);
  });
});
