import { expect, it } from 'vitest';
import { findFeatureMaps } from '../../../../src/quantization/calibration/feature-maps.ts';
import { viewGraph } from '../../../../src/quantization/graph-view.ts';
import { chain, graphOf } from '../../../support/chain.ts';
import { node, tensor } from '../../../support/graph-builder.ts';

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
    expect(Object.fromEntries(findFeatureMaps(viewGraph(given)))).toEqual({
      c: spatial,
      r: spatial,
      g: spatial,
    });
  },
);

it('tells the axes of a pooling from its window, and nothing from an unknown input', () => {
  const given = chain(13, [
    node('Relu', ['x'], ['r']),
    node('MaxPool', ['r'], ['m'], { kernel_shape: [2, 2] }),
    node('Sigmoid', ['m'], ['y']),
  ]);
  expect(Object.fromEntries(findFeatureMaps(viewGraph(given)))).toEqual({ m: 2, y: 2 });
});
