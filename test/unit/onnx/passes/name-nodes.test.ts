import { expect, it } from 'vitest';
import { nameNodes } from '../../../../src/onnx/passes/name-nodes.ts';
import { chain, graphOf } from '../../../support/chain.ts';
import { node } from '../../../support/graph-builder.ts';

function named(...names: readonly string[]) {
  const tensors = ['x', ...names.slice(1).map((_, index) => `t${index}`), 'y'];
  const nodes = names.map((name, index) =>
    node('Relu', [tensors[index] as string], [tensors[index + 1] as string], {}, { name }),
  );
  return chain(13, nodes, [2]);
}

it('keeps names that are there and differ', () => {
  const given = named('a', 'b');
  expect(nameNodes(given)).toEqual({ modified: false, count: 0 });
  expect(graphOf(given).node.map(({ name }) => name)).toEqual(['a', 'b']);
});

it('names a node without a name, and every node but the first of a name, unlike any other', () => {
  const given = named('a', '', 'a', 'a');
  expect(nameNodes(given).count).toBe(3);
  const names = graphOf(given).node.map(({ name }) => name);
  expect(names[0]).toBe('a');
  expect(new Set(names).size).toBe(4);
  expect(names).not.toContain('');
});
