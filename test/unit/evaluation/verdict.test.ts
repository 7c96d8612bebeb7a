import { describe, expect, it } from 'vitest';
import type { OutputFidelity } from '../../../src/evaluation/fidelity.ts';
import { comparePaired } from '../../../src/evaluation/paired.ts';
import {
  type AccuracyBudget,
  allowedDrop,
  DEFAULT_VERDICT_SETTINGS,
  judgeByAgreement,
  judgeByFidelity,
  judgeByLabels,
  judgeValidity,
} from '../../../src/evaluation/verdict.ts';

const NONE = { count: 0, indices: [] };
const SOUND = {
  n: 10,
  failed: NONE,
  firstFailure: undefined,
  nonFiniteReference: NONE,
  nonFiniteCandidate: NONE,
};

/** Judges `b` losses and `c` gains on `n` items, all others right in both. */
function judge(b: number, c: number, n: number, budget: AccuracyBudget = { absolute: 0.01 }) {
  const paired = comparePaired({ bothRight: n - b - c, referenceOnly: b, candidateOnly: c, bothWrong: 0 });
  return judgeByLabels(paired, (n - c) / n, { ...DEFAULT_VERDICT_SETTINGS, budget });
}

describe('allowedDrop', () => {
  it('is one percent of the accuracy of the reference where nothing is set', () => {
    expect(allowedDrop({}, 0.76)).toBeCloseTo(0.0076, 15);
    expect(allowedDrop(DEFAULT_VERDICT_SETTINGS.budget, 0.76)).toBeCloseTo(0.0076, 15);
  });

  it('takes the smaller of both where both are set', () => {
    expect(allowedDrop({ absolute: 0.005 }, 0.5)).toBe(0.005);
    expect(allowedDrop({ absolute: 0.02, relative: 0.01 }, 0.5)).toBe(0.005);
    expect(allowedDrop({ absolute: 0.002, relative: 0.01 }, 0.5)).toBe(0.002);
  });
});

describe('judgeByLabels', () => {
  it('says regressed for a loss that is shown and above the budget', () => {
    expect(judge(60, 10, 1000)).toEqual({
      verdict: 'regressed',
      reason:
        'top-1 went from 99 % to 94 % on 1000 items (60 newly wrong, 10 newly right, p = 4.0e-10): ' +
        'the loss is real and above the 1 percentage point allowed',
    });
  });

  it('says degraded within budget for a loss that is shown and within it', () => {
    expect(judge(60, 10, 10_000).verdict).toBe('degraded_within_budget');
  });

  it('needs seven losses without a gain before anything counts as shown', () => {
    expect(judge(6, 0, 100).verdict).toBe('inconclusive');
    expect(judge(7, 0, 100).verdict).toBe('regressed');
  });

  it('says non-inferior when the bound of the loss lies below the budget', () => {
    expect(judge(5, 5, 1000).verdict).toBe('non_inferior');
    expect(judge(0, 0, 200).verdict).toBe('non_inferior');
  });

  it('says inconclusive on few items even if nothing differs, and how many would do', () => {
    const { verdict, reason } = judge(0, 0, 100);
    expect(verdict).toBe('inconclusive');
    expect(reason).toContain('About 163 items would show it');
  });

  it('gives the items needed by the discordance', () => {
    expect(judge(20, 20, 800).reason).toContain('About 3092 items');
  });

  it('does not ask for fewer items than there were', () => {
    expect(judge(30, 10, 10_000, { absolute: 0.002 }).verdict).toBe('degraded_within_budget');
    const { verdict, reason } = judge(28, 13, 10_000, { absolute: 0.0025 });
    expect(verdict).toBe('inconclusive');
    expect(reason).toContain('a loss near the budget is likely');
  });

  it('says non-inferior for a candidate that gained', () => {
    expect(judge(0, 30, 1000)).toMatchObject({
      verdict: 'non_inferior',
      reason: expect.stringContaining('the gain is above 2.09 percentage points'),
    });
  });

  it('cannot show that nothing at all is lost', () => {
    expect(judge(0, 0, 1_000_000, { absolute: 0 })).toMatchObject({
      verdict: 'inconclusive',
      reason: expect.stringContaining('budget of nothing'),
    });
  });
});

describe('judgeByAgreement', () => {
  const settings = DEFAULT_VERDICT_SETTINGS;

  it('says non-inferior when so few answers changed that the loss fits the budget', () => {
    expect(judgeByAgreement(0, 300, settings)).toMatchObject({
      verdict: 'non_inferior',
      reason: expect.stringContaining('the answer changed on 0 of 300 items'),
    });
    expect(judgeByAgreement(1, 500, settings).verdict).toBe('non_inferior');
  });

  it('says inconclusive when the bound exceeds the budget, and whether more items could help', () => {
    expect(judgeByAgreement(0, 298, settings)).toMatchObject({
      verdict: 'inconclusive',
      reason: expect.stringContaining('more items would narrow the bound'),
    });
  });

  it('never says regressed, whatever changed', () => {
    expect(judgeByAgreement(500, 500, settings)).toMatchObject({
      verdict: 'inconclusive',
      reason: expect.stringContaining('only labels can tell'),
    });
  });
});

describe('judgeByFidelity', () => {
  const output: OutputFidelity = {
    name: 'y',
    sqnrDb: 30,
    cosine: 0.99,
    maxAbsError: 0.1,
    identical: false,
    incomparable: 0,
    kl: null,
  };
  const floor = (minSqnrDb: number) => ({ ...DEFAULT_VERDICT_SETTINGS, minSqnrDb });

  it('says non-inferior for equal outputs', () => {
    const equal = { ...output, sqnrDb: null, identical: true };
    expect(judgeByFidelity(equal, DEFAULT_VERDICT_SETTINGS).verdict).toBe('non_inferior');
  });

  it('decides by the floor that the user set', () => {
    expect(judgeByFidelity(output, floor(30)).verdict).toBe('non_inferior');
    expect(judgeByFidelity(output, floor(30.1))).toMatchObject({
      verdict: 'regressed',
      reason: "'y' has an SQNR of 30.0 dB, below the 30.1 dB asked for",
    });
    expect(judgeByFidelity({ ...output, sqnrDb: null }, floor(30)).verdict).toBe('regressed');
  });

  it('decides nothing without a floor', () => {
    expect(judgeByFidelity(output, DEFAULT_VERDICT_SETTINGS).verdict).toBe('inconclusive');
  });
});

describe('judgeValidity', () => {
  it('has no objection to a sound evaluation', () => {
    expect(judgeValidity(SOUND)).toBeUndefined();
  });

  it('names the first item that failed and why', () => {
    const failure = { kind: 'inference-failed', message: 'no memory left' };
    expect(judgeValidity({ ...SOUND, failed: { count: 2, indices: [3, 7] }, firstFailure: failure })).toEqual(
      {
        verdict: 'invalid',
        reason: '2 of 12 items failed, the first is item 3: no memory left',
      },
    );
  });

  it('names the model whose outputs are not finite, the reference first', () => {
    const some = { count: 4, indices: [2, 3, 5, 8] };
    expect(judgeValidity({ ...SOUND, nonFiniteCandidate: some })?.reason).toBe(
      'the candidate gave NaN or infinity on 4 of 10 items, the first is item 2',
    );
    expect(judgeValidity({ ...SOUND, nonFiniteCandidate: some, nonFiniteReference: some })?.reason).toContain(
      'the reference gave',
    );
  });

  it('objects to an evaluation of nothing', () => {
    expect(judgeValidity({ ...SOUND, n: 0 })?.verdict).toBe('invalid');
  });
});
