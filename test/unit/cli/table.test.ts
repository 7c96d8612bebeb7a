import { describe, expect, it } from 'vitest';
import { decimal, percent, renderTable } from '../../../src/cli/table.ts';

describe('renderTable', () => {
  it('takes addresses for words, though they begin with a digit', () => {
    const rows = [['10.0.0.1:9477'], ['10.0.0.12:9477']];
    expect(renderTable(['host'], rows).split('\n')[1]).toBe('10.0.0.1:9477');
  });

  it('aligns words to the left and numbers to the right, in plain text', () => {
    const text = renderTable(
      ['variant', 'size', 'p50', 'verdict'],
      [
        ['fp32', '1.71 MiB', '10.4 ms', 'reference'],
        ['int8', '460 KiB', '–', 'non_inferior'],
      ],
    );
    expect(text.split('\n')).toEqual([
      'variant      size      p50  verdict',
      'fp32     1.71 MiB  10.4 ms  reference',
      'int8      460 KiB        –  non_inferior',
    ]);
  });

  it('prints the header alone where there are no rows', () => {
    expect(renderTable(['model', 'n'], [])).toBe('model  n');
  });

  it('has no escape sequences, whatever the terminal', () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what must not be there.
    expect(renderTable(['a'], [['b']])).not.toMatch(/\u001b/);
  });
});

describe('percent and decimal', () => {
  it('show figures, and a dash where there is none', () => {
    expect([percent(0.98765), percent(1), percent(undefined)]).toEqual(['98.77 %', '100.00 %', '–']);
    expect([decimal(1266.4, 0), decimal(0, 2), decimal(null, 1), decimal(undefined, 1)]).toEqual([
      '1266',
      '0.00',
      '–',
      '–',
    ]);
  });
});
