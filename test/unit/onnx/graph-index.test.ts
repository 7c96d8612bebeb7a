import { describe, expect, it } from 'vitest';
import { indexGraph } from '../../../src/onnx/graph-index.ts';
import { graph, node, tensor, value } from '../../support/graph-builder.ts';

describe('indexGraph', () => {
  const inner = graph({ nodes: [node('Add', ['outer', 'x'], ['i'])], outputs: [value('i')] });
  const branch = graph({
    initializers: [tensor('own', [1], [1])],
    nodes: [
      node('Mul', ['shared', 'own'], ['m']),
      node('If', ['flag'], ['b'], { then_branch: inner, else_branch: inner }),
    ],
    outputs: [value('b')],
  });
  const conv = node('Conv', ['x', 'w', ''], ['c']);
  const square = node('Mul', ['c', 'c'], ['shared']);
  const choice = node('If', ['flag'], ['y'], { then_branch: branch, else_branch: branch });
  const index = indexGraph(
    graph({
      inputs: [value('x'), value('flag', 'bool'), value('w')],
      initializers: [tensor('w', [1], [1])],
      nodes: [conv, square, choice],
      outputs: [value('y'), value('shared')],
    }),
  );

  it('knows who makes a tensor', () => {
    expect(index.producerOf.get('c')).toBe(conv);
    expect(index.producerOf.has('x')).toBe(false);
  });

  it('knows every place where a tensor is read', () => {
    expect(index.consumersOf.get('c')).toEqual([
      { node: square, inputIndex: 0 },
      { node: square, inputIndex: 1 },
    ]);
    expect(index.consumersOf.has('shared')).toBe(false);
  });

  it('does not take an input that is left out for a tensor', () => {
    expect(index.consumersOf.has('')).toBe(false);
  });

  it('knows what bodies, at any depth, read from outside', () => {
    expect([...index.capturedBySubgraphs].sort()).toEqual(['flag', 'outer', 'shared', 'x']);
  });

  it('lists initializers, inputs and outputs', () => {
    expect([...index.initializers.keys()]).toEqual(['w']);
    expect([...index.inputs]).toEqual(['x', 'flag', 'w']);
    expect([...index.outputs]).toEqual(['y', 'shared']);
  });
});
