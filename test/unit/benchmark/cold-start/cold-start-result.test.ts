import { describe, expect, it } from 'vitest';
import {
  type ColdStartRecord,
  summarizeColdStarts,
} from '../../../../src/benchmark/cold-start/cold-start-result.ts';
import { problem } from '../../../../src/core/problem.ts';
import { identityOf } from '../fakes.ts';
import { startOf } from './starts.ts';

const model = (variant: string, records: readonly ColdStartRecord[]) => ({
  identity: identityOf(variant),
  records,
  failure: null,
});

describe('summarizeColdStarts', () => {
  it('gives medians with intervals over the starts after the first, and the first apart', () => {
    const times = [9, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6];
    const records = times.map((firstAnswerSeconds, repetition) =>
      startOf(repetition, { firstAnswerSeconds }),
    );
    const [result] = summarizeColdStarts([model('fp32', records)]);
    expect(result?.figures?.firstAnswerSeconds).toEqual({
      median: expect.closeTo(1.35, 9),
      // Of six values, the least and the greatest bound the median at 96.9 %.
      lower: 1.1,
      upper: 1.6,
      first: 9,
    });
    expect(result).toMatchObject({ variant: 'fp32', ratios: null, failure: null });
    expect(result?.repetitions).toHaveLength(7);
  });

  it('gives no interval of few starts, and no median of one', () => {
    const records = [0, 1, 2].map((repetition) => startOf(repetition, { modelSeconds: repetition + 1 }));
    const [few] = summarizeColdStarts([model('fp32', records)]);
    expect(few?.figures?.modelSeconds).toEqual({ median: 2.5, lower: null, upper: null, first: 1 });
    const [one] = summarizeColdStarts([model('fp32', records.slice(0, 1))]);
    expect(one?.figures?.modelSeconds).toEqual({ median: null, lower: null, upper: null, first: 1 });
  });

  it('compares starts of one repetition with the first model, without the first', () => {
    const base = [50, 1, 2, 3].map((modelSeconds, repetition) => startOf(repetition, { modelSeconds }));
    const other = [1, 0.5, 1, 1.5].map((modelSeconds, repetition) => startOf(repetition, { modelSeconds }));
    const [, result] = summarizeColdStarts([model('fp32', base), model('int8', other)]);
    const ratio = result?.ratios?.find(({ figure }) => figure === 'modelSeconds');
    expect(ratio).toMatchObject({ pairedRepetitions: 3 });
    for (const value of [ratio?.ratio, ratio?.lower, ratio?.upper]) expect(value).toBeCloseTo(0.5, 12);
    const [, few] = summarizeColdStarts([model('fp32', base.slice(0, 3)), model('int8', other)]);
    expect(few?.ratios?.[0]).toMatchObject({ ratio: null, pairedRepetitions: 2 });
  });

  it('leaves out a fifth at either end of eight pairs or more', () => {
    const starts = (first: number) =>
      Array.from({ length: 10 }, (_, repetition) =>
        startOf(repetition, { modelSeconds: repetition === 4 ? first : 1 }),
      );
    const [, result] = summarizeColdStarts([model('fp32', starts(1)), model('int8', starts(100))]);
    expect(result?.ratios?.find(({ figure }) => figure === 'modelSeconds')?.ratio).toBeCloseTo(1, 12);
  });

  it('has a figure for the first run of each shape', () => {
    const records = [0, 1].map((repetition) =>
      startOf(repetition, { firstInferencesSeconds: [0.1, 0.2 + repetition] }),
    );
    const [result] = summarizeColdStarts([model('fp32', records)]);
    expect(result?.firstInferences.map(({ median, first }) => [median, first])).toEqual([
      [0.1, 0.1],
      [1.2, 0.2],
    ]);
  });

  it('keeps the reason of a model that never started', () => {
    const failure = problem('not-onnx', 'no model');
    const [result] = summarizeColdStarts([{ ...model('none', []), failure }]);
    expect(result).toMatchObject({ figures: null, firstInferences: [], repetitions: [], failure });
  });
});
