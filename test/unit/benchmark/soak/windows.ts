import type { SoakWindow } from '../../../../src/benchmark/soak/soak-window.ts';

/** A window of half a minute in which nothing was wrong. */
export function windowOf(index: number, more: Partial<SoakWindow> = {}): SoakWindow {
  return {
    index,
    startSeconds: index * 30,
    durationSeconds: 30,
    queries: 30_000,
    throughput: 1000,
    p50Seconds: 1e-3,
    p99Seconds: 2e-3,
    rssBytes: 100 * 2 ** 20,
    contextSwitches: { voluntary: 10, involuntary: 2 },
    cpuSeconds: 30,
    otherCpuCores: 0.01,
    unfinishedQueries: 0,
    disturbances: [],
    complete: true,
    ...more,
  };
}
