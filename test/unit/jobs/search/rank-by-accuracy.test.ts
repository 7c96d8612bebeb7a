import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AccuracyFigures } from '../../../../src/jobs/search/measured-candidate.ts';
import { rankByAccuracy } from '../../../../src/jobs/search/rank-by-accuracy.ts';
import { accuracy } from '../../../support/fake-search.ts';

const of = (name: string, figures: Partial<AccuracyFigures>) => ({ name, accuracy: accuracy(figures) });
const names = (ranked: readonly { readonly name: string }[]) => ranked.map(({ name }) => name);

describe('rankByAccuracy', () => {
  it('goes by the distance of the outputs where an answer more or less is chance', () => {
    const lucky = of('lucky', { loss: 0, lossUpperBound: 0.018, sqnrDb: 29 });
    const better = of('better', { loss: 0.006, lossUpperBound: 0.028, sqnrDb: 31 });
    expect(names(rankByAccuracy([lucky, better]))).toEqual(['better', 'lucky']);
  });

  it('goes by the loss where the difference is more than chance', () => {
    const good = of('good', { loss: 0, lossUpperBound: 0.018, sqnrDb: 20 });
    const bad = of('bad', { loss: 0.05, lossUpperBound: 0.09, sqnrDb: 40 });
    expect(names(rankByAccuracy([bad, good]))).toEqual(['good', 'bad']);
  });

  it('has those last that lose too much for sure, and then those of which nothing is known', () => {
    const missed = of('missed', { standing: 'missed', loss: 0.3, lossUpperBound: 0.4, sqnrDb: 60 });
    const worse = of('worse', { standing: 'missed', loss: null, lossUpperBound: null, sqnrDb: null });
    const doubtful = of('doubtful', { standing: 'doubtful', loss: 0.2, lossUpperBound: 0.3 });
    const unknown: { readonly name: string; readonly accuracy?: AccuracyFigures } = { name: 'unknown' };
    const all = [unknown, worse, missed, doubtful];
    expect(names(rankByAccuracy(all))).toEqual(['doubtful', 'missed', 'worse', 'unknown']);
  });

  it('takes the smaller file of two that are equally accurate', () => {
    const built = (sizeBytes: number) => ({ sizeBytes, quantized: 1, fused: 1, seconds: 1 });
    const large = { ...of('large', {}), built: built(20) };
    const small = { ...of('small', {}), built: built(10) };
    expect(names(rankByAccuracy([large, small]))).toEqual(['small', 'large']);
  });

  it('keeps everything, and never puts one first that another beats in loss, bound and signal', () => {
    const figures = fc.record({
      loss: fc.double({ min: 0, max: 0.5, noNaN: true }),
      width: fc.double({ min: 0.001, max: 0.1, noNaN: true }),
      sqnrDb: fc.integer({ min: 0, max: 60 }),
    });
    fc.assert(
      fc.property(fc.array(figures, { minLength: 1 }), (list) => {
        const all = list.map(({ loss, width, sqnrDb }) =>
          of('', { loss, lossUpperBound: loss + width, sqnrDb }),
        );
        const ranked = rankByAccuracy(all);
        expect(new Set(ranked)).toEqual(new Set(all));
        const [first] = ranked;
        const [loss, sqnrDb] = [first?.accuracy.loss ?? 0, first?.accuracy.sqnrDb ?? 0];
        const beats = (other: (typeof all)[number]) =>
          (other.accuracy.loss ?? 0) < loss && (other.accuracy.sqnrDb ?? 0) > sqnrDb;
        expect(all.some(beats)).toBe(false);
      }),
    );
  });
});
