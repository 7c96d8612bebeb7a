import { InvalidArgumentError } from 'commander';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  confidence,
  durationSeconds,
  list,
  nonNegative,
  percentile,
  positiveInteger,
  positiveIntegers,
  ratioOrPercent,
  significance,
  tailPermille,
  threadCount,
  threadCounts,
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

  it('read lists of numbers, each once', () => {
    expect(positiveIntegers('1,2, 4,2')).toEqual([1, 2, 4]);
    expect(threadCounts('0,1')).toEqual([0, 1]);
    refuses(positiveIntegers, ['', '1,', '0', '1,0', '1;2', '1-4', 'a']);
    refuses(threadCounts, ['1,1025', '']);
  });

  it('read a percentile of latencies into thousandths', () => {
    expect(['99', '99.9', '50.1', '90.0'].map(tailPermille)).toEqual([990, 999, 501, 900]);
    refuses(tailPermille, ['100', '50', '99.99', '0.99', 'p99', '', '-99', '99%']);
  });

  it('read a share with or without a percent sign', () => {
    expect(['5%', '0.05', '0.5 %'].map(ratioOrPercent)).toEqual([0.05, 0.05, 0.005]);
    refuses(ratioOrPercent, ['0', '1', '100%', '5', '-5%', '%', '']);
  });

  it('read durations with their unit', () => {
    expect(['500ms', '10s', '1.5m', '1h'].map(durationSeconds)).toEqual([0.5, 10, 90, 3600]);
    refuses(durationSeconds, ['5', '0s', '-1s', '10 s', '10sec', 's', '']);
  });

  it('read p-values that can show something', () => {
    expect(['0.2', '0.01', '1e-3'].map(significance)).toEqual([0.2, 0.01, 0.001]);
    refuses(significance, ['', ' ', '0', '-0.1', '0.21', '1%', 'NaN', 'Infinity']);
  });

  it('read confidences below certainty', () => {
    expect(['0.5', '0.95', '0.999'].map(confidence)).toEqual([0.5, 0.95, 0.999]);
    refuses(confidence, ['', ' ', '0.49', '1', '95', '95%', 'NaN']);
  });

  it('read losses that are not negative', () => {
    expect(['0', '0.01', '250'].map(nonNegative)).toEqual([0, 0.01, 250]);
    refuses(nonNegative, ['', ' ', '-0.1', '1%', 'NaN', 'Infinity']);
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
          [significance, 0, 0.2],
          [confidence, 0.5, 1],
          [nonNegative, 0, Number.MAX_VALUE],
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
