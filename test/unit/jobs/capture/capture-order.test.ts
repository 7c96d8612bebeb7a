import { describe, expect, it } from 'vitest';
import { readyCapture } from '../../../../src/jobs/capture/capture-order.ts';

const NOW_MS = 1_700_000_000_000;
const ready = (more: object) => readyCapture({ durationMs: 2000, sessionId: 'one', ...more }, NOW_MS);
const refusalOf = (more: object) => {
  const result = ready(more);
  return result.ok ? undefined : `${result.error.kind}: ${result.error.message}`;
};

describe('readyCapture', () => {
  it('begins at once and takes the time that is asked for', () =>
    expect(ready({})).toEqual({ ok: true, value: { durationMs: 2000, delayMs: 0, sessionId: 'one' } }));

  it('takes a second where nothing is asked for', () =>
    expect(ready({ durationMs: 0 })).toMatchObject({ value: { durationMs: 1000 } }));

  it('waits for a beginning that is ahead, and not for one that is past', () => {
    expect(ready({ startWallMs: NOW_MS + 1500 })).toMatchObject({ value: { delayMs: 1500 } });
    expect(ready({ startWallMs: NOW_MS - 1500 })).toMatchObject({ value: { delayMs: 0 } });
  });

  it.each([
    ['a negative duration, as its 64 bits are read', { durationMs: Number(2n ** 64n - 1n) }, '1 ms to 300 s'],
    ['a duration of hours', { durationMs: 3_600_000 }, '1 ms to 300 s'],
    ['no number', { durationMs: Number.NaN }, '1 ms to 300 s'],
    ['a beginning next year', { startWallMs: NOW_MS * 1.1 }, 'within 60 s'],
    ['a beginning that is no time', { startWallMs: Number.POSITIVE_INFINITY }, 'within 60 s'],
    ['a gigantic name', { sessionId: 'x'.repeat(257) }, 'up to 256 characters'],
  ])('refuses %s', (_what, more, reason) => {
    expect(refusalOf(more)).toContain('capture-out-of-range');
    expect(refusalOf(more)).toContain(reason);
  });

  it('says nothing of the name that it refuses', () =>
    expect(refusalOf({ sessionId: '/etc/passwd'.repeat(100) })).not.toContain('passwd'));
});
