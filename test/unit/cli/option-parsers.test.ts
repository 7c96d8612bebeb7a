import { InvalidArgumentError } from 'commander';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  durationSeconds,
  list,
  percentile,
  positiveInteger,
  ratio,
  threadCount,
  wholeNumber,
} from '../../../src/cli/option-parsers.ts';

const refuses = (parse: (text: string) => unknown, texts: readonly string[]) => {
  for (const text of texts) expect(() => parse(text), JSON.stringify(text)).toThrow(InvalidArgumentError);
};

describe('the parsers of option values', () => {
  it('read whole numbers, and nothing that only begins like one', () => {
    expect([wholeNumber('0'), wholeNumber('42')]).toEqual([0, 42]);
    refuses(wholeNumber, [
      '',
      ' ',
      '-1',
      '1.5',
      '1e3',
      '0x10',
      '4 threads',
      'NaN',
      '∞',
      '99999999999999999999',
    ]);
  });

  it('read whole numbers of at least one', () => {
    expect(positiveInteger('1')).toBe(1);
    refuses(positiveInteger, ['0', '-3', '', '00']);
  });

  it('read as many threads as a runtime can be given', () => {
    expect([threadCount('0'), threadCount('1024')]).toEqual([0, 1024]);
    refuses(threadCount, ['1025', '-1', 'all']);
  });

  it('read durations with their unit', () => {
    expect(['500ms', '10s', '1.5m', '1h'].map(durationSeconds)).toEqual([0.5, 10, 90, 3600]);
    refuses(durationSeconds, ['5', '0s', '-1s', '10 s', '10sec', 's', '']);
  });

  it('read ratios from 0 to 1', () => {
    expect(['0', '1', '0.01', '1e-3'].map(ratio)).toEqual([0, 1, 0.01, 0.001]);
    refuses(ratio, ['', ' ', '-0.1', '1.01', '1%', 'NaN', 'Infinity']);
  });

  it('read percentiles above the median', () => {
    expect(['99.99', '100', '50.1'].map(percentile)).toEqual([99.99, 100, 50.1]);
    refuses(percentile, ['50', '100.1', '', 'p99']);
  });

  it('gather lists over several options, without empty entries', () => {
    expect(list('a, b', [])).toEqual(['a', 'b']);
    expect(list('c,,', ['a', 'b'])).toEqual(['a', 'b', 'c']);
    expect(list('', ['a'])).toEqual(['a']);
  });

  it('either give a number of their range or refuse, whatever the text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const [parse, lowest, highest] of [
          [wholeNumber, 0, Number.MAX_SAFE_INTEGER],
          [positiveInteger, 1, Number.MAX_SAFE_INTEGER],
          [ratio, 0, 1],
        ] as const) {
          try {
            const value = parse(text);
            expect(value >= lowest && value <= highest).toBe(true);
          } catch (error) {
            expect(error).toBeInstanceOf(InvalidArgumentError);
          }
        }
      }),
    );
  });
});
