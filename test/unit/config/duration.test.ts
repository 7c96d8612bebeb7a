import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DURATION_PATTERN, parseDurationSeconds } from '../../../src/config/duration.ts';

describe('parseDurationSeconds', () => {
  it.each([
    ['500ms', 0.5],
    ['4s', 4],
    ['1.5m', 90],
    ['1h', 3600],
    ['0s', 0],
  ])('reads %s', (text, seconds) => {
    expect(parseDurationSeconds(text)).toBe(seconds);
  });

  it.each(['', '4', 's', '-1s', '4 s', '4sec', '1h30m', '.5s', '1e3s', '4S'])('refuses "%s"', (text) => {
    expect(parseDurationSeconds(text)).toBeUndefined();
  });

  it('reads exactly the texts that the published pattern allows', () => {
    const nearlyDurations = fc.stringMatching(/^[0-9]{0,2}\.?[0-9]{0,2}(ms|s|m|h|d|)$/);
    fc.assert(
      fc.property(nearlyDurations, (text) => {
        expect(parseDurationSeconds(text) !== undefined).toBe(new RegExp(DURATION_PATTERN).test(text));
      }),
    );
  });
});
