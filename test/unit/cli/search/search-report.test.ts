import { describe, expect, it } from 'vitest';
import { renderSearchPage } from '../../../../src/cli/search/search-page.ts';
import { renderSearch } from '../../../../src/cli/search/search-report.ts';
import type { CandidateResult, SearchResult } from '../../../../src/jobs/search/search-result.ts';
import { accuracy, candidateOf, latency } from '../../../support/fake-search.ts';

const candidate = (label: string, more: Partial<CandidateResult> = {}): CandidateResult => ({
  ...candidateOf({ label }),
  state: 'timed',
  sizeBytes: 1000,
  quantized: 3,
  fused: 3,
  makingSeconds: 2,
  accuracy: accuracy(),
  latency: latency(0.005),
  isOnFront: false,
  isChosen: false,
  ...more,
});

const result = (more: Partial<SearchResult> = {}): SearchResult => ({
  model: '/models/<net>.onnx',
  output: 'out.onnx',
  ended: 'finished',
  seconds: 95,
  float32: { sizeBytes: 4000 },
  target: 'cpu',
  goals: {},
  chosenBy: { metric: 'agreement', absolute: 0.01 },
  budget: { metric: 'top1', absolute: 0.01 },
  latencyThreads: 1,
  samples: { make: 66, choose: 34, isLabelled: false },
  candidates: [
    candidate('static-int8 mse, tune fast', { isOnFront: true, isChosen: true, latency: latency(0.002) }),
    candidate('float16', { isOnFront: true, accuracy: accuracy({ sqnrDb: null }) }),
    candidate('static-int8 minmax', { state: 'eliminated', reason: 'one of its kind is more accurate' }),
    {
      ...candidateOf({ label: 'weight-int4 rtn' }),
      state: 'failed',
      reason: 'it died <here>',
      isOnFront: false,
      isChosen: false,
    },
  ],
  leftOut: [{ label: 'static-int16', reason: 'it is slow' }],
  choice: {
    label: 'static-int8 mse, tune fast',
    standing: 'undecided',
    reason: 'it is the fastest',
    missedGoals: [],
  },
  ...more,
});

describe('renderSearch', () => {
  it('says what was chosen, why, and how sure that is', () => {
    const text = renderSearch(result());
    expect(text).toContain('out.onnx: static-int8 mse, tune fast\n');
    expect(text).toContain('because it is the fastest');
    expect(text).toMatch(
      /budget +kept as far as can be seen, on too few samples to be sure: as the test says/,
    );
    expect(text).toContain('without labels kept answers stand in for them');
    expect(text).toContain('1000 B, 4.00x smaller than float32');
    expect(text).toContain('2.00 ms against 10.0 ms in float32 at 1 thread, 5.00x [4.50, 5.50]');
    expect(text).toContain('made from 66 samples and chosen by 34 others');
    expect(text).toMatch(/evaluation +none: no data was named for it/);
  });

  it('lists all candidates, what became of them, and what was left out', () => {
    const text = renderSearch(result());
    expect(text).toMatch(/^→ +static-int8 mse, tune fast +1000 B +30\.0 +100\.00 % +kept\? +2\.00 ms/m);
    expect(text).toMatch(/^\* +float16 +1000 B +same/m);
    expect(text).toMatch(/static-int8 minmax .* one of its kind is more accurate$/m);
    expect(text).toMatch(/weight-int4 rtn .* failed: it died <here>$/m);
    expect(text).toContain('left out: static-int16: it is slow');
  });

  it('tells the evaluation split apart from what the choice was made by, and by how much the budget is missed', () => {
    const evaluation = accuracy({ standing: 'missed', loss: 0.05, allowed: 0.01, reason: 'top-1 fell' });
    const text = renderSearch(result({ evaluation }));
    expect(text).toMatch(/evaluation +missed: top-1 fell; missed by 0\.0400/);
    expect(text).toContain('the evaluation split was read once, after the choice');
  });

  it('says why there is less than there could be', () => {
    const missing = renderSearch(
      result({
        ended: 'time-limit',
        candidates: [candidate('static-int8 mse, tune fast', { isChosen: true, state: 'judged' })].map(
          ({ latency: _, ...rest }) => rest,
        ),
        latencyProblem: { kind: 'bench-locked', message: 'another benchmark is under way' },
        choice: { ...result().choice, missedGoals: ['its latency was not measured'] },
      }),
    );
    expect(missing).toMatch(/latency +not measured: another benchmark is under way/);
    expect(missing).toMatch(/goal missed +its latency was not measured/);
    expect(missing).toContain('the time limit came: this is the best so far; --resume goes on');
    expect(renderSearch(result({ ended: 'cancelled' }))).toContain('it was cancelled');
  });
});

describe('renderSearchPage', () => {
  it('needs nothing but itself, and takes nothing from a model for markup', () => {
    const page = renderSearchPage(result());
    expect(page).not.toMatch(/<script|src=|href=|@import|url\(/);
    expect(page).toContain('&#60;net&#62;.onnx');
    expect(page).toContain('failed: it died &#60;here&#62;');
    expect(page).not.toContain('<here>');
  });

  it('has a point for each candidate that was timed, larger for larger files, and the chosen one marked', () => {
    const large = candidate('large', { sizeBytes: 4000, latency: latency(0.004) });
    const page = renderSearchPage(result({ candidates: [...result().candidates.slice(0, 2), large] }));
    const points = [
      ...page.matchAll(/<circle class="point (\w+)( chosen)?" cx="([\d.]+)" cy="([\d.]+)" r="([\d.]+)">/g),
    ];
    expect(points).toHaveLength(3);
    const radii = points.map(([, , , , , radius]) => Number(radius));
    expect(Math.max(...radii)).toBe(2 * Math.min(...radii));
    expect(points.filter(([, , isChosen]) => isChosen !== undefined)).toHaveLength(1);
    for (const [, , , x, y] of points) {
      expect(Number(x)).toBeGreaterThan(70);
      expect(Number(x)).toBeLessThan(850);
      expect(Number(y)).toBeGreaterThanOrEqual(24);
      expect(Number(y)).toBeLessThan(430);
    }
    expect(page).toContain('<path class="front"');
  });

  it('says that there is no picture where nothing was timed', () => {
    const candidates = result().candidates.map(({ latency: _, ...rest }) => rest);
    expect(renderSearchPage(result({ candidates }))).toContain('No latency was measured');
  });
});
