import { describe, expect, it } from 'vitest';
import { renameTensors } from '../../../src/onnx/rename-tensors.ts';
import { graph, node, tensor, value } from '../../support/graph-builder.ts';

describe('renameTensors', () => {
  it('renames what nodes and bodies read, and leaves what a body defines itself', () => {
    const body = graph({
      nodes: [node('Mul', ['a', 'k'], ['b']), node('Add', ['b', 'c'], ['p'])],
      outputs: [value('p'), value('c')],
      initializers: [tensor('k', [1], [1])],
    });
    const outer = node('If', ['a'], ['b'], { then_branch: body });
    renameTensors([outer], new Map(['a', 'b', 'c', 'k'].map((name) => [name, `${name}2`])));
    expect([outer.input, outer.output]).toEqual([['a2'], ['b2']]);
    expect(body.node.map(({ input, output }) => [input, output])).toEqual([
      [['a2', 'k'], ['b']],
      [['b', 'c2'], ['p']],
    ]);
    expect(body.output.map(({ name }) => name)).toEqual(['p', 'c2']);
    expect(body.initializer.map(({ name }) => name)).toEqual(['k']);
  });
});
