import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesPattern } from '../../../src/quantization/node-selection.ts';

describe('matchesPattern', () => {
  it.each([
    ['conv1', 'conv1', true],
    ['conv1', 'conv10', false],
    ['conv1', '/conv1', false],
    ['conv*', 'conv10', true],
    ['*/attn/*', '/layer.3/attn/MatMul_2', true],
    ['*/attn/*', '/layer.3/mlp/MatMul_2', false],
    ['*', '', true],
    ['a*b*c', 'a.b.c', true],
    ['a*b*c', 'a.c.b', false],
    ['layer.3', 'layerx3', false],
    ['f(x)[0]+$^?|', 'f(x)[0]+$^?|', true],
    ['a\\d', 'a7', false],
    ['a*z', 'a\nz', true],
  ])('%j and %j: %s', (pattern, name, matches) => {
    expect(matchesPattern(pattern, name)).toBe(matches);
  });

  it('matches every name with itself, whatever its characters', () => {
    const name = fc.string().map((text) => text.replaceAll('*', ''));
    fc.assert(fc.property(name, (text) => matchesPattern(text, text)));
  });
});
