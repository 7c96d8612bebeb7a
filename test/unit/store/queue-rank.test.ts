import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Clock } from '../../../src/core/clock.ts';
import { PRIORITIES, type Priority } from '../../../src/core/run-terms.ts';
import { LEVEL_MS, queueRankMs } from '../../../src/store/queue-rank.ts';
import { openStore } from '../../../src/store/store.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

const HOUR_MS = 3600_000;

describe('queueRankMs', () => {
  it('lets a level pass what came up to half a day earlier in the next lower one', () => {
    expect(queueRankMs('high', 5)).toBe(5);
    expect(queueRankMs('normal', LEVEL_MS - 1)).toBeLessThan(queueRankMs('low', 0));
    expect(queueRankMs('normal', LEVEL_MS + 1)).toBeGreaterThan(queueRankMs('low', 0));
    expect(queueRankMs('high', 2 * LEVEL_MS + 1)).toBeGreaterThan(queueRankMs('low', 0));
  });
});

interface Order {
  readonly priority: Priority;
  readonly afterMs: number;
  readonly lastsMs: number;
}

const orders = fc.array(
  fc.record({
    priority: fc.constantFrom(...PRIORITIES),
    afterMs: fc.integer({ min: 0, max: 8 * HOUR_MS }),
    lastsMs: fc.integer({ min: 1, max: 9 * HOUR_MS }),
  }),
  { minLength: 1, maxLength: 30 },
);

interface Done extends Order {
  readonly cameMs: number;
  readonly beganMs: number;
}

/** Works orders off as a daemon does, in a time of its own: the next is chosen when the one before is over. */
function workOff(all: readonly Order[]): readonly Done[] {
  let nowMs = 1e12;
  const clock: Clock = { nowNs: () => 0n, wallMs: () => nowMs };
  const store = unwrap(openStore(temporaryFolder(), clock));
  onTestFinished(() => store.close());
  const coming = [...all];
  const came = new Map<string, Order & { cameMs: number }>();
  const done: Done[] = [];
  let dueMs = nowMs + (coming[0]?.afterMs ?? 0);
  /** What comes until then. */
  const passTime = (untilMs: number) => {
    for (let next = coming[0]; next !== undefined && dueMs <= untilMs; next = coming[0]) {
      nowMs = dueMs;
      const { id } = store.createRun({
        kind: 'bench',
        model: 'm',
        request: null,
        priority: next.priority,
      });
      came.set(id, { ...next, cameMs: nowMs });
      coming.shift();
      dueMs += coming[0]?.afterMs ?? 0;
    }
    nowMs = untilMs;
  };
  while (done.length < all.length) {
    const next = store.nextQueued();
    if (next === undefined) {
      passTime(dueMs);
      continue;
    }
    const order = came.get(next.id) as Order & { cameMs: number };
    done.push({ ...order, beganMs: nowMs });
    store.startRun(next.id);
    passTime(nowMs + order.lastsMs);
    store.finishRun(next.id, null);
  }
  return done;
}

/** What began after `one` had come and before it began, without what was under way. */
function passedBy(one: Done, done: readonly Done[]): readonly Done[] {
  return done.filter((other) => other !== one && other.beganMs >= one.cameMs && other.beganMs < one.beganMs);
}

describe('the queue', () => {
  it('keeps the order of arrival within a level, and lets nothing wait for what came more than its head start later', () => {
    fc.assert(
      fc.property(orders, (all) => {
        const done = workOff(all);
        for (const one of done) {
          for (const other of passedBy(one, done)) {
            const levels = PRIORITIES.indexOf(one.priority) - PRIORITIES.indexOf(other.priority);
            expect(other.cameMs - one.cameMs).toBeLessThanOrEqual(levels * LEVEL_MS);
          }
        }
      }),
      { numRuns: 15 },
    );
  });

  it('takes what is more urgent first, of what came within half a day', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...PRIORITIES), { minLength: 1, maxLength: 12 }), (levels) => {
        const all = levels.map((priority) => ({ priority, afterMs: 0, lastsMs: HOUR_MS }));
        const began = workOff(all).map(({ priority }) => PRIORITIES.indexOf(priority));
        expect(began).toEqual(began.toSorted((one, other) => one - other));
      }),
      { numRuns: 8 },
    );
  });

  it('ends with every order, a low one too, when urgent ones never cease to come', () => {
    const urgent = Array.from({ length: 60 }, () => ({
      priority: 'high' as const,
      afterMs: HOUR_MS,
      lastsMs: HOUR_MS,
    }));
    const done = workOff([
      { priority: 'high', afterMs: 0, lastsMs: HOUR_MS },
      { priority: 'low', afterMs: 0, lastsMs: HOUR_MS },
      ...urgent,
    ]);
    const low = done.findIndex(({ priority }) => priority === 'low');
    expect((done[low]?.beganMs ?? 0) - (done[low]?.cameMs ?? 0)).toBe(24 * HOUR_MS);
    expect(low).toBeLessThan(done.length - 30);
  });
});
