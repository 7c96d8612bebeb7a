import { describe, expect, it } from 'vitest';
import { preparedImageDims } from '../../../../src/data/image/prepared-image-dims.ts';
import { imageOf, vectors } from './image-vectors.ts';

describe('preparedImageDims', () => {
  it('knows the dimensions that a size, a letterbox or a crop decide', () => {
    expect(preparedImageDims({ image: { resize: { width: 5, height: 4 } } })).toEqual([3, 4, 5]);
    expect(preparedImageDims({ image: { resize: { letterbox: { width: 5, height: 4 } } } })).toEqual([
      3, 4, 5,
    ]);
    expect(
      preparedImageDims({
        image: { resize: { shortSide: 9 }, crop: { width: 5, height: 4 }, channels: 'gray', layout: 'nhwc' },
      }),
    ).toEqual([4, 5, 1]);
  });

  it('knows none where they follow from each picture', () => {
    expect(preparedImageDims({})).toBeUndefined();
    expect(preparedImageDims({ image: { resize: { shortSide: 9 } } })).toBeUndefined();
    expect(preparedImageDims({}, [0, 4, 3])).toBeUndefined();
  });

  it('agrees with what was prepared from arrays that are all alike', () => {
    for (const { source, spec, dims } of vectors.prepare) {
      const { width, height, channels } = imageOf(source);
      expect(preparedImageDims(spec, [height, width, channels])).toEqual(dims);
    }
  });
});
