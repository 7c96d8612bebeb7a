import { describe, expect, it } from 'vitest';
import {
  longestGapSeconds,
  nextTime,
  resolveSchedule,
  scheduleMistake,
} from '../../../src/config/schedule.ts';

const at = (text: string) => new Date(text);

describe('a schedule', () => {
  it('runs on changes and by no time table unless told otherwise', () => {
    expect(resolveSchedule(undefined)).toEqual({ jitterSeconds: 0, onChange: true });
    expect(resolveSchedule({ cron: '@daily', jitter: '10m', onChange: false })).toEqual({
      cron: '@daily',
      jitterSeconds: 600,
      onChange: false,
    });
  });

  it.each([
    ['30 3 * * *', 'UTC', '2026-11-26T20:00:00Z', '2026-11-27T03:30:00.000Z'],
    ['30 3 * * *', 'Europe/Berlin', '2026-11-26T20:00:00Z', '2026-11-27T02:30:00.000Z'],
    ['*/5 * * * *', 'UTC', '2026-11-26T20:00:00Z', '2026-11-26T20:05:00.000Z'],
    ['0 0 29 2 *', 'UTC', '2026-11-26T20:00:00Z', '2028-02-29T00:00:00.000Z'],
    ['@weekly', 'UTC', '2026-11-26T20:00:00Z', '2026-11-29T00:00:00.000Z'],
    // The hour from two to three is left out that night: what falls into it comes at its end.
    ['30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', '2026-03-29T01:00:00.000Z'],
  ])('%s in %s comes next after %s at %s', (cron, timezone, after, next) => {
    expect(nextTime({ cron, timezone }, at(after))?.toISOString()).toBe(next);
  });

  it('says what is no time table, or never comes', () => {
    expect(scheduleMistake({ cron: '0 3 * * *', timezone: 'Europe/Berlin' })).toBeUndefined();
    expect(scheduleMistake({})).toBeUndefined();
    expect(scheduleMistake({ cron: 'every night' })).toMatch(/^"every night" is no time table: /);
    expect(scheduleMistake({ cron: '61 * * * *' })).toMatch(/is no time table/);
    expect(scheduleMistake({ cron: '0 3 * * *', timezone: 'Mars/Olympus' })).toMatch(
      /in "Mars\/Olympus" is no time table/,
    );
    expect(scheduleMistake({ cron: '0 0 30 2 *' })).toBe('"0 0 30 2 *" never comes');
    expect(nextTime({}, at('2026-11-26T20:00:00Z'))).toBeUndefined();
  });

  it.each([
    ['@daily', 'UTC', 86_400],
    ['0 9 * * 1-5', 'UTC', 3 * 86_400],
    // The day on which clocks go back has 25 hours.
    ['0 12 * * *', 'Europe/Berlin', 25 * 3600, '2026-10-20T00:00:00Z'],
  ])(
    '%s in %s comes at least every so many seconds: %i',
    (cron, timezone, seconds, from = '2026-11-26T20:00:00Z') => {
      expect(longestGapSeconds({ cron, timezone }, at(from))).toBe(seconds);
    },
  );

  it('has no gap without a table', () => {
    expect(longestGapSeconds({}, at('2026-11-26T20:00:00Z'))).toBeUndefined();
  });
});
