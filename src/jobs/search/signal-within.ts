/** Timers know no longer times than this. */
const LONGEST_MS = 2 ** 31 - 1;

/** Fires when `signal` does, or after so many seconds; never by itself where they are infinite. */
export function signalWithin(signal: AbortSignal | undefined, seconds: number): AbortSignal {
  const given = signal === undefined ? [] : [signal];
  const delayMs = Math.max(1, Math.ceil(seconds * 1e3));
  return AbortSignal.any(delayMs > LONGEST_MS ? given : [...given, AbortSignal.timeout(delayMs)]);
}
