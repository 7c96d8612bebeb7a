import { describe, expect, it } from 'vitest';
import { signalWithin } from '../../../../src/jobs/search/signal-within.ts';

describe('signalWithin', () => {
  it('fires after fractions of milliseconds, which timers do not know', async () => {
    const signal = signalWithin(undefined, 0.0101234);
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    expect(signal.aborted).toBe(true);
    await new Promise((resolve) => signalWithin(undefined, -1).addEventListener('abort', resolve));
  });

  it('fires with the signal that it is given', () => {
    const abort = new AbortController();
    const signal = signalWithin(abort.signal, 1e3);
    abort.abort();
    expect(signal.aborted).toBe(true);
  });

  it('does not fire by itself without a limit, nor at once for times that timers do not know', async () => {
    const signals = [signalWithin(undefined, Number.POSITIVE_INFINITY), signalWithin(undefined, 1e9)];
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
  });
});
