import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { didYouMean } from '../../../src/config/did-you-mean.ts';

describe('didYouMean', () => {
  it.each([
    ['modle', 'model'],
    ['sample', 'samples'],
    ['PERTENSOR', 'perTensor'],
    ['data_dir', 'dataDir'],
    ['x', undefined],
    ['completely', undefined],
  ])('takes %s for %s', (word, meant) => {
    expect(didYouMean(word, ['name', 'model', 'samples', 'perTensor', 'dataDir'])).toBe(meant);
  });

  it('finds a word of four letters or more again when one of them was left out', () => {
    const word = fc.stringMatching(/^[a-z]{4,12}$/);
    fc.assert(
      fc.property(word, fc.nat(11), (text, at) => {
        const index = at % text.length;
        expect(didYouMean(text.slice(0, index) + text.slice(index + 1), [text])).toBe(text);
      }),
    );
  });

  it('prefers the nearest candidate', () => {
    expect(didYouMean('calibratio', ['calibrations', 'calibration'])).toBe('calibration');
  });
});
