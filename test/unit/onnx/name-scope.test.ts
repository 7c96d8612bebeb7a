import { describe, expect, it } from 'vitest';
import { createNameScope } from '../../../src/onnx/name-scope.ts';
import { graph, node, tensor, value } from '../../support/graph-builder.ts';

describe('createNameScope', () => {
  const body = graph({
    inputs: [value('body_in')],
    initializers: [tensor('body_w', [1], [1])],
    nodes: [node('Relu', ['body_in'], ['body_out'], {}, { name: 'body_node' })],
    outputs: [value('body_out')],
  });
  const root = graph({
    inputs: [value('x')],
    initializers: [tensor('w', [1], [1])],
    nodes: [node('Loop', ['x', '', 'w'], ['y'], { body }, { name: 'loop' })],
    outputs: [value('y')],
    valueInfo: [value('declared')],
  });

  it('gives a free name as it is', () => {
    expect(createNameScope(root).fresh('z')).toBe('z');
  });

  it('never gives a name twice', () => {
    const names = createNameScope(root);
    expect([names.fresh('z'), names.fresh('z'), names.fresh('z')]).toEqual(['z', 'z_1', 'z_2']);
  });

  it.each(['x', 'w', 'y', 'loop', 'declared', 'body_in', 'body_w', 'body_out', 'body_node'])(
    'does not give %s, which the graph or a body in it uses',
    (taken) => {
      expect(createNameScope(root).fresh(taken)).toBe(`${taken}_1`);
    },
  );

  it('steps over numbered names that are taken', () => {
    const names = createNameScope(graph({ nodes: [node('Relu', ['a'], ['a_1'])], outputs: [value('a_1')] }));
    expect(names.fresh('a')).toBe('a_2');
  });
});
