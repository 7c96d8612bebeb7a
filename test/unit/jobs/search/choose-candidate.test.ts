import { describe, expect, it } from 'vitest';
import type { SearchGoals } from '../../../../src/core/goal.ts';
import { chooseCandidate } from '../../../../src/jobs/search/choose-candidate.ts';
import type { AccuracyFigures, MeasuredCandidate } from '../../../../src/jobs/search/measured-candidate.ts';
import { accuracy, candidateOf, latency } from '../../../support/fake-search.ts';

const FLOAT32 = { sizeBytes: 4000 };

function measured(
  label: string,
  of: {
    readonly sizeBytes?: number;
    readonly seconds?: number;
    readonly slowerThan?: readonly string[];
    readonly accuracy?: Partial<AccuracyFigures>;
  } = {},
): MeasuredCandidate {
  const { sizeBytes = 1000, seconds, slowerThan } = of;
  return {
    candidate: candidateOf({ label }),
    built: { sizeBytes, quantized: 1, fused: 1, seconds: 1 },
    accuracy: accuracy(of.accuracy),
    ...(seconds === undefined ? {} : { latency: latency(seconds, slowerThan) }),
  };
}

const choose = (candidates: readonly MeasuredCandidate[], goals: SearchGoals = {}) =>
  chooseCandidate(candidates, goals, FLOAT32);
const chosen = (candidates: readonly MeasuredCandidate[], goals?: SearchGoals) =>
  choose(candidates, goals)?.chosen.candidate.label;

describe('chooseCandidate', () => {
  it('takes the fastest of those that keep the budget', () => {
    const slow = measured('slow', { seconds: 0.004, slowerThan: ['fast'], accuracy: { standing: 'kept' } });
    const fast = measured('fast', { seconds: 0.002, accuracy: { standing: 'kept' } });
    const lossy = measured('lossy', { seconds: 0.001, accuracy: { standing: 'missed', loss: 0.3 } });
    expect(choose([slow, fast, lossy])).toMatchObject({
      chosen: fast,
      standing: 'kept',
      reason: 'it is the fastest',
    });
  });

  it('takes one that keeps the budget for sure before a faster one that only seems to', () => {
    const sure = measured('sure', { seconds: 0.004, slowerThan: ['maybe'], accuracy: { standing: 'kept' } });
    const maybe = measured('maybe', { seconds: 0.001 });
    expect(chosen([maybe, sure])).toBe('sure');
  });

  it('takes the most accurate of those whose latency cannot be told from that of the fastest', () => {
    const first = measured('first', { seconds: 0.00199, accuracy: { sqnrDb: 20 } });
    const second = measured('second', { seconds: 0.002, accuracy: { sqnrDb: 40 } });
    const third = measured('third', { seconds: 0.003, slowerThan: ['first'], accuracy: { sqnrDb: 60 } });
    expect(choose([first, second, third])).toMatchObject({
      chosen: second,
      reason: 'it is the most accurate of 2 whose latency cannot be told from that of the fastest',
    });
  });

  describe('on few samples, of which some candidates lose none by chance', () => {
    const lucky = { samples: 34, loss: 0, lossUpperBound: 0.084, allowed: 0.01, sqnrDb: 30 };
    const near = { samples: 34, loss: 0.029, lossUpperBound: 0.13, allowed: 0.01, sqnrDb: 38 };
    const one = measured('lucky', { seconds: 0.002, accuracy: lucky });
    const rival = (of: Partial<AccuracyFigures> = {}, rest: Parameters<typeof measured>[1] = {}) =>
      measured('near', {
        seconds: 0.00205,
        ...rest,
        accuracy: { ...near, standing: 'doubtful', ...of },
      });

    it('takes one that lost an answer more and is far nearer to float32', () => {
      expect(choose([one, rival()])).toMatchObject({
        chosen: { candidate: { label: 'near' } },
        standing: 'doubtful',
        reason:
          'it is 8.0 dB nearer to float32 than lucky, which seems to lose less, but 34 samples cannot tell the two apart by that',
      });
      expect(chosen([one, rival({ sqnrDb: null })])).toBe('near');
    });

    it('keeps the one that lost none where the other is little nearer, lost more than chance has it, or costs more', () => {
      expect(chosen([one, rival({ sqnrDb: 32.9 })])).toBe('lucky');
      expect(chosen([one, rival({ loss: 0.09 })])).toBe('lucky');
      expect(chosen([one, rival({ standing: 'missed' })])).toBe('lucky');
      expect(chosen([one, rival({}, { seconds: 0.0023 })])).toBe('lucky');
      expect(chosen([one, rival({}, { seconds: 0.00205, slowerThan: ['lucky'] })])).toBe('lucky');
      expect(
        chosen([one, rival({}, { sizeBytes: 2000 })], { maxSize: { kind: 'absolute', value: 1500 } }),
      ).toBe('lucky');
    });

    it('goes by the size where no latency was measured', () => {
      const untimed = measured('lucky', { accuracy: lucky });
      const of = (sizeBytes: number) =>
        measured('near', { sizeBytes, accuracy: { ...near, standing: 'doubtful' } });
      expect(chosen([untimed, of(1050)])).toBe('near');
      expect(chosen([untimed, of(1500)])).toBe('lucky');
    });

    it('keeps what keeps the budget for sure', () => {
      const sure = measured('sure', { seconds: 0.002, accuracy: { ...lucky, standing: 'kept' } });
      expect(chosen([sure, rival()])).toBe('sure');
    });
  });

  it('takes what took much longer for slower, even where the host was too busy to be sure', () => {
    const fast = measured('fast', { seconds: 0.006, accuracy: { sqnrDb: 36 } });
    const slow = measured('slow', { seconds: 0.016, accuracy: { sqnrDb: 64 } });
    expect(chosen([slow, fast])).toBe('fast');
  });

  it('takes the smallest that is fast enough where only a latency is asked for', () => {
    const fast = measured('fast', { seconds: 0.001, sizeBytes: 2000 });
    const small = measured('small', { seconds: 0.004, slowerThan: ['fast'], sizeBytes: 500 });
    const smallest = measured('smallest', { seconds: 0.006, slowerThan: ['fast'], sizeBytes: 100 });
    const all = [fast, small, smallest];
    expect(chosen(all, { maxLatency: { kind: 'absolute', value: 0.005 } })).toBe('small');
    // Float32 takes 10 ms in these figures.
    expect(chosen(all, { maxLatency: { kind: 'relative', ratio: 0.2 } })).toBe('fast');
  });

  it('takes the fastest of those that are small enough where a size is asked for', () => {
    const fast = measured('fast', { seconds: 0.001, sizeBytes: 2000 });
    const small = measured('small', { seconds: 0.004, slowerThan: ['fast'], sizeBytes: 900 });
    const smallest = measured('smallest', { seconds: 0.006, slowerThan: ['fast', 'small'], sizeBytes: 100 });
    expect(chosen([fast, small, smallest], { maxSize: { kind: 'relative', ratio: 0.25 } })).toBe('small');
  });

  it('says by how much goals are missed where nothing within the budget reaches them', () => {
    const near = measured('near', { seconds: 0.002, sizeBytes: 1000 });
    const far = measured('far', { seconds: 0.006, sizeBytes: 1000 });
    const lossy = measured('lossy', { seconds: 0.0001, accuracy: { standing: 'doubtful', loss: 0.3 } });
    expect(choose([far, lossy, near], { maxLatency: { kind: 'absolute', value: 0.001 } })).toMatchObject({
      chosen: near,
      standing: 'undecided',
      missedGoals: ['it takes 2.00 ms, 1.00 ms more than the goal of 1.00 ms'],
    });
    expect(choose([near], { maxSize: { kind: 'absolute', value: 600 } })?.missedGoals).toEqual([
      'it has 1000 B, 400 B more than the goal of 600 B',
    ]);
  });

  it('takes the one that loses least where the budget is missed by all', () => {
    const bad = measured('bad', { seconds: 0.001, accuracy: { standing: 'missed', loss: 0.3 } });
    const better = measured('better', { seconds: 0.009, accuracy: { standing: 'missed', loss: 0.1 } });
    expect(choose([bad, better])).toMatchObject({ chosen: better, standing: 'missed' });
  });

  it('goes by the size where no latency was measured', () => {
    const small = measured('small', { sizeBytes: 500 });
    const alike = measured('alike', { sizeBytes: 520, accuracy: { sqnrDb: 50 } });
    expect(choose([small, alike, measured('large')])).toMatchObject({
      chosen: alike,
      reason: 'it is the most accurate of 2 that are about equally small, as no latency was measured',
    });
  });

  it('does not take a candidate without an accuracy before one with', () => {
    const unknown: MeasuredCandidate = {
      candidate: candidateOf({ label: 'unknown' }),
      built: { sizeBytes: 1, quantized: 1, fused: 1, seconds: 1 },
    };
    expect(chosen([unknown, measured('known', { accuracy: { standing: 'doubtful', loss: 0.5 } })])).toBe(
      'known',
    );
    expect(choose([unknown])).toMatchObject({ chosen: unknown, standing: 'unknown' });
    expect(choose([])).toBeUndefined();
  });
});
