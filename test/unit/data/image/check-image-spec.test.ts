import { describe, expect, it } from 'vitest';
import type { InputSpec } from '../../../../src/core/data-spec.ts';
import { checkImageSpec } from '../../../../src/data/image/check-image-spec.ts';
import { vectors } from './image-vectors.ts';

describe('checkImageSpec', () => {
  it('finds nothing wrong with settings that are used', () => {
    for (const { spec } of vectors.prepare)
      expect(checkImageSpec(spec)).toEqual({ ok: true, value: undefined });
  });

  const wrong: readonly (readonly [what: string, field: string, spec: InputSpec])[] = [
    ['a short side of 0', '/image/resize/shortSide', { image: { resize: { shortSide: 0 } } }],
    ['a broken size', '/image/resize/height', { image: { resize: { width: 4, height: 2.5 } } }],
    ['a negative letterbox', '/image/resize/letterbox/width', letterbox(-1, 3)],
    ['a letterbox that is filled with more than white', '/image/resize/fill', letterbox(3, 3, 256)],
    ['a letterbox that is filled with less than black', '/image/resize/fill', letterbox(3, 3, -1)],
    ['a letterbox that is filled with a broken value', '/image/resize/fill', letterbox(3, 3, 0.5)],
    ['a crop of 0', '/image/crop/width', { image: { crop: { width: 0, height: 3 } } }],
    ['a crop of NaN', '/image/crop/height', { image: { crop: { width: 3, height: Number.NaN } } }],
    ['a crop beyond all sense', '/image/crop', { image: { crop: { width: 1e5, height: 1e5 } } }],
    ['three means for gray', '/mean', { image: { channels: 'gray' }, mean: [1, 2, 3] }],
    ['one listed mean for colours', '/mean', { mean: [1] }],
    ['two deviations for colours', '/std', { std: [1, 2] }],
    ['an infinite mean', '/mean', { mean: Number.POSITIVE_INFINITY }],
    ['a deviation of 0', '/std', { std: [1, 0, 1] }],
    ['a deviation that is 0 in float32', '/std', { std: 1e-60 }],
    ['a scale of 0', '/scale', { scale: 0 }],
    ['a scale of NaN', '/scale', { scale: Number.NaN }],
  ];

  it.each(wrong)('refuses %s', (_, field, spec) => {
    expect(checkImageSpec(spec)).toMatchObject({
      ok: false,
      error: { kind: 'preprocess-invalid', place: { field }, hint: expect.any(String) },
    });
  });
});

function letterbox(width: number, height: number, fill?: number): InputSpec {
  return { image: { resize: { letterbox: { width, height }, ...(fill === undefined ? {} : { fill }) } } };
}
