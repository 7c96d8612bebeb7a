import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRateLimiter } from '../../../../src/server/access/rate-limit.ts';

describe('createRateLimiter', () => {
  it('lets a burst through, then one at a time', () => {
    let nowMs = 0;
    const limiter = createRateLimiter({ intervalMs: 100, burst: 3 }, () => nowMs);
    expect([1, 2, 3].map(() => limiter.takeSeconds())).toEqual([0, 0, 0]);
    expect(limiter.takeSeconds()).toBeCloseTo(0.1);
    nowMs = 60;
    expect(limiter.takeSeconds()).toBeCloseTo(0.04);
    nowMs = 101;
    expect(limiter.takeSeconds()).toBe(0);
    expect(limiter.takeSeconds()).toBeGreaterThan(0);
  });

  it('saves up no more than a burst, however long the pause', () => {
    let nowMs = 0;
    const limiter = createRateLimiter({ intervalMs: 100, burst: 3 }, () => nowMs);
    nowMs = 1e6;
    expect([1, 2, 3, 4].map(() => limiter.takeSeconds() === 0)).toEqual([true, true, true, false]);
  });

  it('never lets more through than the burst and the time allow', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(50), { maxLength: 300 }),
        fc.integer({ min: 1, max: 20 }),
        (pausesMs, burst) => {
          let nowMs = 0;
          const limiter = createRateLimiter({ intervalMs: 10, burst }, () => nowMs);
          let passed = 0;
          for (const pauseMs of pausesMs) {
            nowMs += pauseMs;
            if (limiter.takeSeconds() === 0) passed += 1;
            expect(passed).toBeLessThanOrEqual(burst + nowMs / 10 + 1e-6);
          }
        },
      ),
    );
  });
});
