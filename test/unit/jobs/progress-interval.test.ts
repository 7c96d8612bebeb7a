import { describe, expect, it } from 'vitest';
import { isProgressDue } from '../../../src/jobs/progress-interval.ts';

describe('isProgressDue', () => {
  it('is so at the first call, twenty times a second, and at the end', () => {
    let nowMs = 0;
    const isDue = isProgressDue({ nowNs: () => BigInt(nowMs) * 1_000_000n, wallMs: () => 0 });
    const told: number[] = [];
    for (let done = 1; done <= 20; done += 1) {
      if (isDue(done, 20)) told.push(done);
      nowMs += 10;
    }
    expect(told).toEqual([1, 6, 11, 16, 20]);
  });
});
