/** Lets requests through at a rate that they may exceed for a moment: a token bucket. */
export interface RateLimiter {
  /** Seconds until there is room for a request; 0 where this one may pass, which then counts. */
  takeSeconds(): number;
}

/** @param nowMs a clock that never goes back */
export function createRateLimiter(
  { intervalMs, burst }: { readonly intervalMs: number; readonly burst: number },
  nowMs: () => number,
): RateLimiter {
  let available = burst;
  let sinceMs = nowMs();
  return {
    takeSeconds: () => {
      const now = nowMs();
      available = Math.min(burst, available + (now - sinceMs) / intervalMs);
      sinceMs = now;
      if (available < 1) return ((1 - available) * intervalMs) / 1e3;
      available -= 1;
      return 0;
    },
  };
}
