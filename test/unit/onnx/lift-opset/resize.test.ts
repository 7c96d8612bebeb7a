import { describe, expect, it } from 'vitest';
import { chain, graphOf, lift } from '../../../support/chain.ts';
import { node, tensor, value } from '../../../support/graph-builder.ts';
import { floatFeed, wavyFeed } from '../../../support/run-model.ts';
import { expectSameResults } from '../../../support/same-results.ts';

describe('a lifted Resize', () => {
  const resize10 = (scales: readonly number[], mode: string, fed: boolean) => {
    const given = chain(10, [node('Resize', ['x', 'scales'], ['y'], { mode })], [1, 1, 7, 9]);
    if (fed) graphOf(given).input.push(value('scales', 'float', [4]));
    else graphOf(given).initializer.push(tensor('scales', [4], scales));
    return given;
  };

  const scales = [
    [1, 1, 2, 2],
    [1, 1, 1.37, 2.9],
    [1, 1, 0.5, 0.5],
    [1, 1, 0.61, 0.3],
    [1, 1, 0.61, 1.7],
    [1, 1, 3, 0.27],
  ];

  it.each(scales)(
    'of opset 10 picks the same nearest elements at scales %d, %d, %d, %d',
    async (...given) => {
      const feeds = { x: wavyFeed(1, 1, 7, 9) };
      await expectSameResults(resize10(given, 'nearest', false), feeds, lift);
      await expectSameResults(
        resize10(given, 'nearest', true),
        { ...feeds, scales: floatFeed([4], given) },
        lift,
      );
    },
  );

  it.each(scales)('of opset 10 interpolates the same at scales %d, %d, %d, %d', async (...given) => {
    await expectSameResults(resize10(given, 'linear', false), { x: wavyFeed(1, 1, 7, 9) }, lift);
  });

  it('of opset 10 is one node where all axes go the same way', () => {
    const given = resize10([1, 1, 2, 2], 'nearest', false);
    lift(given);
    expect(graphOf(given).node).toHaveLength(1);
  });

  const resize11 = (mode: Record<string, string>, sizes: readonly number[]) => {
    const given = chain(11, [node('Resize', ['x', 'roi', 'scales', 'sizes'], ['y'], mode)], [1, 1, 7, 9]);
    graphOf(given).initializer.push(
      tensor('roi', [0], []),
      tensor('scales', [0], []),
      tensor('sizes', [4], sizes, 'int64'),
    );
    return given;
  };

  it('of opset 11 leaves empty scales out', async () => {
    const given = resize11(
      { mode: 'linear', coordinate_transformation_mode: 'align_corners' },
      [1, 1, 5, 20],
    );
    await expectSameResults(given, { x: wavyFeed(1, 1, 7, 9) }, lift);
    expect(graphOf(given).node[0]?.input).toEqual(['x', 'roi', '', 'sizes']);
  });

  it('of opset 11 with the coordinates of TensorFlow 1 picks the same elements without them', async () => {
    for (let size = 1; size <= 40; size++) {
      const mode = { coordinate_transformation_mode: 'tf_half_pixel_for_nn', nearest_mode: 'floor' };
      const given = resize11(mode, [1, 1, size, 41 - size]);
      await expectSameResults(given, { x: wavyFeed(1, 1, 7, 9) }, lift);
      expect(
        JSON.stringify(graphOf(given).node[0]?.attribute.map(({ s }) => new TextDecoder().decode(s))),
      ).toBe('["half_pixel","round_prefer_ceil"]');
    }
  });
});
