import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../../../src/evaluation/verdict.ts';
import {
  type AccuracyMemory,
  acknowledgeAccuracy,
  type JudgedLoss,
  NO_EVALUATIONS,
  type ObservedAccuracy,
  rebaselineAccuracy,
  takeAccuracy,
} from '../../../../src/evaluation/watch/accuracy-watch.ts';

const lossOf = (verdict: Verdict, loss = 0, lossUpperBound = loss + 0.004): JudgedLoss => ({
  verdict,
  loss,
  lossUpperBound,
  allowed: 0.01,
});
const GOOD = lossOf('non_inferior');
const BAD = lossOf('regressed', 0.05);

let runs = 0;
function evaluation(more: Partial<ObservedAccuracy> = {}): ObservedAccuracy {
  runs += 1;
  return { run: `R${runs}`, data: 'd', outputs: 'o', artifact: 'a', value: 0.9, fp32: GOOD, ...more };
}

const watched = (...observed: readonly ObservedAccuracy[]): AccuracyMemory =>
  observed.reduce(takeAccuracy, NO_EVALUATIONS);

describe('watching the accuracy of a variant from run to run', () => {
  it('takes the first good evaluation for the baseline, and keeps it', () => {
    const first = evaluation({ value: 0.91 });
    const { state, baseline, since } = watched(first, evaluation({ baseline: GOOD }));
    expect(state).toBe('steady');
    expect(baseline).toEqual({ run: first.run, data: 'd', outputs: 'o', artifact: 'a', value: 0.91 });
    expect(since).toBe(first.run);
  });

  it('is a regression where the test against fp32 or against the baseline shows one, at once', () => {
    const against = evaluation({ baseline: BAD });
    expect(watched(evaluation(), against)).toMatchObject({ state: 'regressed', since: against.run });
    expect(watched(evaluation(), evaluation({ fp32: BAD })).state).toBe('regressed');
  });

  it('takes nothing that regressed for a baseline', () => {
    expect(watched(evaluation({ fp32: BAD }))).toMatchObject({ state: 'regressed', baseline: null });
  });

  it('is over when an evaluation shows that, and not when one leaves it open', () => {
    const bad = [evaluation(), evaluation({ baseline: BAD })];
    const open = evaluation({ baseline: lossOf('inconclusive', 0.012, 0.03) });
    expect(watched(...bad, open).state).toBe('regressed');
    expect(watched(...bad, open, evaluation({ baseline: GOOD })).state).toBe('steady');
    expect(watched(...bad, evaluation({ baseline: lossOf('degraded_within_budget', 0.004) })).state).toBe(
      'steady',
    );
  });

  it('is over also where samples are too few to show it, when every answer is the one of the baseline', () => {
    const few = lossOf('inconclusive', 0, 0.1);
    const bad = [evaluation({ fp32: few }), evaluation({ fp32: BAD, baseline: BAD })];
    expect(watched(...bad, evaluation({ fp32: few, baseline: few })).state).toBe('regressed');
    expect(watched(...bad, evaluation({ fp32: few, baseline: few, isAsBaseline: true })).state).toBe(
      'steady',
    );
    // Only the test that showed the regression has to show its end.
    const against = [evaluation({ fp32: few }), evaluation({ fp32: few, baseline: BAD })];
    expect(watched(...against, evaluation({ fp32: few, baseline: GOOD })).state).toBe('steady');
  });

  it('suspects where more is lost than allowed and too few samples say so', () => {
    expect(watched(evaluation(), evaluation({ baseline: lossOf('inconclusive', 0.02) })).state).toBe(
      'suspected',
    );
    expect(watched(evaluation(), evaluation({ baseline: lossOf('inconclusive', 0.005) })).state).toBe(
      'steady',
    );
    expect(
      watched(evaluation(), evaluation({ fp32: { ...GOOD, verdict: 'inconclusive', loss: null } })).state,
    ).toBe('steady');
  });

  it('changes nothing for an evaluation that cannot be believed', () => {
    const before = watched(evaluation(), evaluation({ baseline: BAD }));
    expect(takeAccuracy(before, evaluation({ fp32: lossOf('invalid') }))).toBe(before);
  });

  it('calls it an improvement when it surely is one', () => {
    const better = evaluation({ baseline: lossOf('non_inferior', -0.03, -0.01) });
    expect(watched(evaluation(), better).state).toBe('improved');
    expect(watched(evaluation(), better, evaluation({ baseline: GOOD })).state).toBe('steady');
  });

  it('begins anew on other samples', () => {
    const other = evaluation({ data: 'other' });
    expect(watched(evaluation(), evaluation({ baseline: BAD }), other)).toMatchObject({
      state: 'steady',
      baseline: { run: other.run, data: 'other' },
    });
    expect(watched(evaluation(), evaluation({ data: 'other', fp32: BAD })).baseline?.data).toBe('d');
  });

  it('leaves a regression alone that somebody knows of, until more is lost', () => {
    const regressed = watched(evaluation(), evaluation({ baseline: BAD }));
    const known = acknowledgeAccuracy(regressed) as AccuracyMemory;
    expect(known.state).toBe('acknowledged');
    expect(takeAccuracy(known, evaluation({ baseline: lossOf('regressed', 0.059) })).state).toBe(
      'acknowledged',
    );
    expect(takeAccuracy(known, evaluation({ baseline: lossOf('regressed', 0.061) }))).toMatchObject({
      state: 'regressed',
      acknowledged: null,
    });
    // A loss of another kind is not the one that is known.
    expect(takeAccuracy(known, evaluation({ fp32: BAD, baseline: BAD })).state).toBe('regressed');
    const over = takeAccuracy(known, evaluation({ baseline: GOOD }));
    expect(over).toMatchObject({ state: 'steady', acknowledged: null });
    expect(takeAccuracy(over, evaluation({ baseline: BAD })).state).toBe('regressed');
    expect(acknowledgeAccuracy(over)).toBeUndefined();
  });

  it('takes the last evaluation for the baseline when it is told to', () => {
    const last = evaluation({ baseline: BAD, outputs: 'new' });
    const pinned = rebaselineAccuracy(watched(evaluation(), last)) as AccuracyMemory;
    expect(pinned).toMatchObject({ state: 'steady', baseline: { run: last.run, outputs: 'new' } });
    expect(rebaselineAccuracy(NO_EVALUATIONS)).toBeUndefined();
    // That is no word on what fp32 has that the variant has not.
    const against = rebaselineAccuracy(watched(evaluation(), evaluation({ fp32: BAD })));
    expect(against?.state).toBe('regressed');
  });
});
