import { expect, it } from 'vitest';
import type { NodeProto } from '../../../../src/onnx/messages.ts';
import { findNonNegative } from '../../../../src/quantization/calibration/non-negative.ts';
import { viewGraph } from '../../../../src/quantization/graph-view.ts';
import { chain, graphOf } from '../../../support/chain.ts';
import { node, tensor } from '../../../support/graph-builder.ts';

/** The tensors, of a graph that starts with the signed `x` and its rectified `r`, that cannot be negative. */
function nonNegativeOf(...nodes: readonly NodeProto[]): string[] {
  const given = chain(13, [node('Relu', ['x'], ['r']), ...nodes]);
  graphOf(given).initializer.push(tensor('zero', [], [0]), tensor('six', [], [6]), tensor('minus', [], [-1]));
  return [...findNonNegative(viewGraph(given))];
}

it('follows what cannot be negative through operators that pick, average, add and join', () =>
  expect(
    nonNegativeOf(
      node('MaxPool', ['r'], ['m'], { kernel_shape: [2, 2] }),
      node('GlobalAveragePool', ['m'], ['g']),
      node('Sigmoid', ['x'], ['s']),
      node('Concat', ['m', 's'], ['c'], { axis: 1 }),
      node('Mul', ['c', 'c'], ['y']),
    ),
  ).toEqual(['r', 'm', 'g', 's', 'c', 'y']));

it.each([
  ['a sum with a signed tensor', node('Add', ['r', 'x'], ['y'])],
  ['a product with a constant, whose sign it does not look up', node('Mul', ['r', 'six'], ['y'])],
  ['a join with a signed tensor', node('Concat', ['r', 'x'], ['y'], { axis: 1 })],
  ['a difference', node('Sub', ['r', 'r'], ['y'])],
  ['a pooling of a signed tensor', node('MaxPool', ['x'], ['y'], { kernel_shape: [2, 2] })],
  ['a Clip from below 0', node('Clip', ['r', 'minus', 'six'], ['y'])],
  ['a Relu of another domain', node('Relu', ['x'], ['y'], {}, { domain: 'com.example' })],
])('takes the result of %s for signed', (_, made) => expect(nonNegativeOf(made)).toEqual(['r']));

it('takes a Clip from 0 up for one that cannot be negative', () =>
  expect(nonNegativeOf(node('Clip', ['x', 'zero', 'six'], ['y']))).toEqual(['r', 'y']));
