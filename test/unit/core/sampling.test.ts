import { describe, expect, it } from 'vitest';
import { isSampling, type Sampling, samplingIntervalMs } from '../../../src/core/sampling.ts';

describe('sampling', () => {
  it.each<[Sampling, number | null]>([
    ['off', null],
    ['slow', 1000],
    ['1hz', 1000],
    ['10hz', 100],
    ['100hz', 10],
  ])('%s takes a sample every %s ms', (sampling, intervalMs) => {
    expect(isSampling(sampling)).toBe(true);
    expect(samplingIntervalMs(sampling)).toBe(intervalMs);
  });

  it.each(['', '0hz', '101hz', '1000hz', '10', '10 hz', '10Hz', '1.5hz', '-1hz', 'fast', 'off\n'])(
    'does not know %j',
    (text) => expect(isSampling(text)).toBe(false),
  );
});
