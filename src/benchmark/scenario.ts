import type { Scenario } from '../core/bench-terms.ts';

/** Whether queries come by a schedule and so may have to wait: latency then counts from the moment when they were due. */
export function isScheduled(scenario: Scenario): boolean {
  return ['server', 'constant-rate', 'ramp', 'replay'].includes(scenario);
}

/** Whether several lanes can be under way at once. In single-stream there is one query at a time, of one run. */
export function takesConcurrency(scenario: Scenario): boolean {
  return scenario !== 'single-stream';
}

/** The percentile that MLPerf judges a scenario by, in thousandths; null where it judges by throughput or not at all. */
export function judgedPermille(scenario: Scenario): number | null {
  switch (scenario) {
    case 'single-stream':
      return 900;
    case 'multi-stream':
    case 'server':
      return 990;
    case 'offline':
    case 'closed-loop':
    case 'constant-rate':
    case 'ramp':
    case 'replay':
      return null;
  }
}
