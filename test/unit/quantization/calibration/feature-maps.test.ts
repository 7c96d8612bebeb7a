import { expect, it } from 'vitest';
import type { NodeProto } from '../../../../src/onnx/messages.ts';
import { findFeatureMaps } from '../../../../src/quantization/calibration/feature-maps.ts';
import { viewGraph } from '../../../../src/quantization/graph-view.ts';
import { chain, graphOf } from '../../../support/chain.ts';
import { graph, model, node, tensor, value } from '../../../support/graph-builder.ts';

function weights(name: string, dims: readonly number[]) {
  return tensor(name, dims, new Array(dims.reduce((a, b) => a * b, 1)).fill(0.1));
}

it.each([
  { spatial: 1, dims: [2, 3, 3] },
  { spatial: 2, dims: [2, 3, 3, 3] },
  { spatial: 3, dims: [2, 3, 3, 3, 3] },
])(
  'tells the $spatial spatial axes of a convolution from its weights, and what keeps them',
  ({ spatial, dims }) => {
    const given = chain(13, [
      node('Conv', ['x', 'w'], ['c']),
      node('Relu', ['c'], ['r']),
      node('GlobalAveragePool', ['r'], ['g']),
      node('Flatten', ['g'], ['y']),
    ]);
    graphOf(given).initializer.push(weights('w', dims));
    const axes = [...findFeatureMaps(viewGraph(given))].map(([name, sizes]) => [name, sizes.length]);
    expect(Object.fromEntries(axes)).toEqual({ c: spatial, r: spatial, g: spatial });
  },
);

it('tells the axes of a pooling from its window, and nothing from an unknown input', () => {
  const given = chain(13, [
    node('Relu', ['x'], ['r']),
    node('MaxPool', ['r'], ['m'], { kernel_shape: [2, 2] }),
    node('Sigmoid', ['m'], ['y']),
  ]);
  const unknown = [undefined, undefined];
  expect(Object.fromEntries(findFeatureMaps(viewGraph(given)))).toEqual({ m: unknown, y: unknown });
});

/** The spatial sizes of `y` from an `x` of 1x3x11x20. */
function sizesOfY(...nodes: readonly NodeProto[]) {
  const given = model(
    graph({
      inputs: [value('x', 'float', [1, 3, 11, 20])],
      nodes,
      outputs: [value('y')],
      initializers: [weights('w', [3, 3, 3, 3]), weights('one', [1, 3, 1, 1])],
    }),
    { opset: 13 },
  );
  return findFeatureMaps(viewGraph(given)).get('y');
}

const pointwise = node('MaxPool', ['x'], ['m'], { kernel_shape: [1, 1] });

it.each([
  { name: 'a convolution', made: [node('Conv', ['x', 'w'], ['y'])], sizes: [9, 18] },
  {
    name: 'one with pads, strides and dilations',
    made: [node('Conv', ['x', 'w'], ['y'], { pads: [1, 0, 1, 2], strides: [2, 3], dilations: [1, 2] })],
    sizes: [6, 6],
  },
  {
    name: 'one that is padded to the same size',
    made: [node('Conv', ['x', 'w'], ['y'], { auto_pad: 'SAME_UPPER', strides: [2, 3] })],
    sizes: [6, 7],
  },
  {
    name: 'one without padding, whatever its pads say',
    made: [node('Conv', ['x', 'w'], ['y'], { auto_pad: 'VALID', pads: [1, 1, 1, 1] })],
    sizes: [9, 18],
  },
  {
    name: 'a pooling that counts broken windows',
    made: [node('AveragePool', ['x'], ['y'], { kernel_shape: [2, 2], strides: [2, 3], ceil_mode: 1 })],
    sizes: [6, 7],
  },
  { name: 'a global pooling', made: [node('GlobalAveragePool', ['x'], ['y'])], sizes: [1, 1] },
  { name: 'a sum', made: [pointwise, node('Add', ['m', 'one'], ['y'])], sizes: [11, 20] },
  {
    name: 'a sum that may broadcast it',
    made: [node('GlobalAveragePool', ['x'], ['m']), node('Add', ['m', 'x'], ['y'])],
    sizes: [undefined, undefined],
  },
  {
    name: 'channels joined',
    made: [pointwise, node('Concat', ['m', 'm'], ['y'], { axis: 1 })],
    sizes: [11, 20],
  },
  {
    name: 'rows joined',
    made: [pointwise, node('Concat', ['m', 'm'], ['y'], { axis: 2 })],
    sizes: [undefined, undefined],
  },
])('tells the sizes after $name', ({ made, sizes }) => expect(sizesOfY(...made)).toEqual(sizes));
