import { describe, expect, it } from 'vitest';
import { mistakeIn } from '../../../src/jobs/orders.ts';
import { profileOf } from '../../support/profile.ts';

describe('mistakeIn', () => {
  const profile = profileOf('tiny');

  it('finds nothing in an order of what the profile has', () => {
    expect(mistakeIn({ kind: 'bench' }, profile)).toBeUndefined();
    const order = { kind: 'bench', variants: ['fp32', 'int8'], suite: 'profile' } as const;
    expect(mistakeIn(order, profile)).toBeUndefined();
  });

  it('names the variant or the suite that the profile lacks', () => {
    expect(mistakeIn({ kind: 'bench', variants: ['int8', 'int4'] }, profile)).toMatchObject({
      kind: 'unknown-variant',
      message: "the model 'tiny' has no variant 'int4'",
      hint: 'it has: fp32, int8',
    });
    expect(mistakeIn({ kind: 'bench', suite: 'nightly' }, profile)).toMatchObject({
      kind: 'unknown-suite',
      hint: 'it has: profile',
    });
  });

  it('lets only what is quantized be explained, of a model whose samples stand for themselves', () => {
    const explain = { kind: 'explain' } as const;
    expect(mistakeIn(explain, profile)).toBeUndefined();
    expect(mistakeIn({ ...explain, variants: ['int8'] }, profile)).toBeUndefined();
    expect(mistakeIn({ ...explain, variants: ['fp32'] }, profile)).toMatchObject({
      kind: 'unknown-variant',
      hint: 'it has: int8',
    });
    expect(mistakeIn(explain, profileOf('tiny', { variants: [] }))).toMatchObject({
      kind: 'explain-not-possible',
      message: "the model 'tiny' has no variant to explain",
    });
    const states = [{ input: 'h', output: 'h_next' }];
    const recurrent = profileOf('tiny', { data: { ...profile.data, states } });
    expect(mistakeIn(explain, recurrent)).toMatchObject({
      kind: 'explain-not-possible',
      message: expect.stringContaining('carries states'),
    });
    expect(mistakeIn({ kind: 'evaluate' }, recurrent)).toBeUndefined();
  });
});
