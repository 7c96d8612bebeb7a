import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advance, delayMs, restUntil, startSchedule } from '../../../src/telemetry/tick-schedule.ts';

const MS = 1_000_000n;

describe('tick schedule', () => {
  it('makes the first tick due at once', () => {
    expect(delayMs(startSchedule(5n, 100), 5n)).toBe(0);
  });

  it('rounds the delay up to microseconds, so that who waits is not woken early', () => {
    const schedule = advance(startSchedule(0n, 100), 0n);
    expect(delayMs(schedule, 500_001n)).toBe(99.5);
    expect(delayMs(schedule, 99_999_999n)).toBe(0.001);
    expect(delayMs(schedule, 100n * MS)).toBe(0);
  });

  it('does not let lateness add up', () => {
    const late = advance(advance(startSchedule(0n, 100), 0n), 130n * MS);
    expect(delayMs(late, 130n * MS)).toBe(70);
    expect(late.missedTicks).toBe(0);
  });

  it('counts the ticks of a long delay as missed and goes on in step', () => {
    const late = advance(advance(startSchedule(0n, 100), 0n), 350n * MS);
    expect(late.missedTicks).toBe(2);
    expect(delayMs(late, 350n * MS)).toBe(50);
  });

  it('carries the count of missed ticks over a change of rate', () => {
    const before = advance(startSchedule(0n, 100), 150n * MS);
    expect(startSchedule(9n, 10, before.missedTicks).missedTicks).toBe(1);
  });

  it('rests until a tick is needed again, without counting those between as missed', () => {
    const taken = advance(startSchedule(0n, 100), 0n);
    const rested = restUntil(taken, 950n * MS);
    expect(delayMs(rested, 0n)).toBe(1000);
    expect(advance(rested, 1000n * MS).missedTicks).toBe(0);
    expect(advance(rested, 1230n * MS).missedTicks).toBe(2);
    expect(restUntil(taken, 40n * MS)).toEqual(taken);
  });

  it('takes or misses every tick that was due, exactly once', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.array(fc.bigInt(0n, 5_000_000_000n), { maxLength: 50 }),
        (intervalMs, lateness) => {
          let schedule = startSchedule(0n, intervalMs);
          let nowNs = 0n;
          for (const lateNs of lateness) {
            const dueNs = BigInt(schedule.nextIndex * schedule.periodNs);
            nowNs = dueNs + lateNs;
            schedule = advance(schedule, nowNs);
          }
          const due = lateness.length === 0 ? 0n : nowNs / (BigInt(intervalMs) * MS) + 1n;
          expect(lateness.length + schedule.missedTicks).toBe(Number(due));
        },
      ),
    );
  });
});
