import { describe, expect, it } from 'vitest';
import { viewGraph } from '../../../src/quantization/graph-view.ts';
import { findNonFiniteConstant } from '../../../src/quantization/non-finite-constant.ts';
import { graph, model, node, tensor, value } from '../../support/graph-builder.ts';

function viewWith(values: readonly number[]) {
  return viewGraph(
    model(
      graph({
        inputs: [value('x')],
        nodes: [node('Conv', ['x', 'w'], ['y'], {}, { name: 'stem' })],
        outputs: [value('y')],
        initializers: [
          tensor('indices', [2], [1, 2], 'int64'),
          tensor('half', [1], [Number.NaN], 'float16'),
          tensor('w', [1, 1, 1, 2], values),
        ],
      }),
    ),
  );
}

describe('findNonFiniteConstant', () => {
  it.each([Number.NaN, Number.NEGATIVE_INFINITY])(
    'names the constant that holds %d and its reader',
    (bad) => {
      expect(findNonFiniteConstant(viewWith([1, bad]))).toMatchObject({
        kind: 'non-finite-weight',
        place: { node: 'stem', tensor: 'w' },
      });
    },
  );

  it('finds nothing in sound weights', () => {
    expect(findNonFiniteConstant(viewWith([1, -3.4e38]))).toBeUndefined();
  });
});
