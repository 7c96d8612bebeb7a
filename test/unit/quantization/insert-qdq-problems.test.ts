import { describe, expect, it } from 'vitest';
import type { ValueRange } from '../../../src/quantization/affine.ts';
import { viewGraph } from '../../../src/quantization/graph-view.ts';
import { insertQdq } from '../../../src/quantization/insert-qdq.ts';
import { placeQuantization } from '../../../src/quantization/placement.ts';
import { qdqSettings } from '../../../src/quantization/qdq-settings.ts';
import { waveConstant } from '../../support/constants.ts';
import { graph, model, node, tensor, value } from '../../support/graph-builder.ts';
import { recipeWith } from '../../support/quantize-in-memory.ts';

describe('a constant that is not finite', () => {
  it.each([
    ['weight', 'w', Number.NaN],
    ['weight', 'w', Number.POSITIVE_INFINITY],
    ['bias', 'b', Number.NaN],
    ['operand', 'k', Number.NEGATIVE_INFINITY],
  ])('as a %s %s of %d is a problem that names node and tensor', (_, broken, bad) => {
    const constants = [
      waveConstant('w', [3, 3, 1, 1]),
      waveConstant('b', [3]),
      waveConstant('k', [3, 1, 1]),
    ].map((constant) =>
      constant.name === broken
        ? tensor(broken, constant.dims, [
            bad,
            ...new Array<number>(constant.dims.reduce((a, b) => a * b) - 1).fill(1),
          ])
        : constant,
    );
    const view = viewGraph(
      model(
        graph({
          inputs: [value('x', 'float', [1, 3, 8, 8])],
          nodes: [
            node('Conv', ['x', 'w', 'b'], ['c'], {}, { name: 'stem' }),
            node('Mul', ['c', 'k'], ['m'], {}, { name: 'gain' }),
            node('Conv', ['m', 'w2'], ['y'], {}, { name: 'head' }),
          ],
          outputs: [value('y')],
          initializers: [...constants, waveConstant('w2', [3, 3, 1, 1])],
        }),
      ),
    );
    const placement = placeQuantization(view, recipeWith());
    const ranges = new Map<string, ValueRange>(
      [...placement.edges.keys()].map((edge) => [edge, { min: -1, max: 1 }]),
    );
    const result = insertQdq(view, placement, ranges, qdqSettings(recipeWith({ reduceRange: true })));
    expect(result).toMatchObject({
      ok: false,
      error: {
        kind: 'non-finite-weight',
        place: { node: broken === 'k' ? 'gain' : 'stem', tensor: broken },
      },
    });
  });
});
