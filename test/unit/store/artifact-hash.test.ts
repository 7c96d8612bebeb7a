import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ArtifactParts, artifactHash } from '../../../src/store/artifact-hash.ts';

const PARTS: ArtifactParts = {
  modelDigest: 'm',
  recipe: { format: 'static-int8', exclude: { nodes: ['b', 'a'], opTypes: [] }, perTensor: false },
  dataDigest: 'd',
  versions: { onnxruntime: '1.30.0', 'ptq-agent': '0.1.0' },
};

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, field]) => [key, reversed(field)]),
  );
}

describe('artifactHash', () => {
  it('stays what it is, or every artifact on disk would lose its name', () => {
    expect(artifactHash(PARTS)).toBe('70ab8bb8685f72f2fa12452109818bb85bcf55fd0d0ed09b4e370512682537fa');
  });

  it('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (recipe) => {
        const shuffled = reversed({ ...PARTS, recipe }) as ArtifactParts;
        expect(artifactHash(shuffled)).toBe(artifactHash({ ...PARTS, recipe }));
      }),
    );
  });

  it('differs when any value differs', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        // JSON has one zero, so -0 and 0 are the same recipe.
        const same = JSON.stringify(reversed(a)) === JSON.stringify(reversed(b));
        fc.pre(!same);
        expect(artifactHash({ ...PARTS, recipe: [a] })).not.toBe(artifactHash({ ...PARTS, recipe: [b] }));
      }),
    );
  });

  it.each([
    ['model', { modelDigest: 'x' }],
    [
      'recipe',
      { recipe: { format: 'static-int8', exclude: { nodes: ['a', 'b'], opTypes: [] }, perTensor: false } },
    ],
    ['data', { dataDigest: 'x' }],
    ['versions', { versions: { ...PARTS.versions, onnxruntime: '1.31.0' } }],
  ])('changes with the %s', (_part, change) => {
    expect(artifactHash({ ...PARTS, ...change })).not.toBe(artifactHash(PARTS));
  });

  it('takes a field that is undefined as one that is not there', () => {
    expect(artifactHash({ ...PARTS, recipe: { a: 1, b: undefined } })).toBe(
      artifactHash({ ...PARTS, recipe: { a: 1 } }),
    );
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 1n, new Map(), () => 1])(
    'refuses %s, which JSON would change silently',
    (value) => {
      expect(() => artifactHash({ ...PARTS, recipe: { value } })).toThrow(TypeError);
    },
  );
});
