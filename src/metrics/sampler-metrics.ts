import { Counter, Histogram } from 'prom-client';
import type { MetricRegistry } from './families.ts';
import { familyGroup, registerGroups } from './family-table.ts';
import type { CollectorHealth, HostSnapshot } from './host-snapshot.ts';

/** What one sampler process told on one tick: of the collectors that it asked. */
export interface ObservedHealth {
  readonly health: Readonly<Record<string, CollectorHealth | undefined>>;
}

export interface SamplerMetrics {
  /** How the sampler is now. */
  set(snapshot: Pick<HostSnapshot, 'health' | 'sources'>): void;
  /** Counts what was told; to be called with every snapshot. */
  observe(snapshot: ObservedHealth): void;
}

const COLLECTORS = familyGroup({
  items: ({ health }: Pick<HostSnapshot, 'health'>) =>
    Object.entries(health).flatMap(([collector, fared]) => (isAbsent(fared) ? [] : [{ collector, fared }])),
  labelNames: ['collector'],
  labels: ({ collector }) => ({ collector }),
  rows: [
    {
      name: 'ptq_sampler_up',
      type: 'gauge',
      help: 'Whether the last reading of the collector succeeded; without a series, the host has no such source.',
      value: ({ fared: { status } }) => Number(status === 'ok' || status === 'slow'),
    },
    {
      name: 'ptq_sampler_last_success_timestamp_seconds',
      type: 'gauge',
      help: 'When the collector last succeeded.',
      value: ({ fared: { lastSuccessMs } }) =>
        lastSuccessMs === undefined ? undefined : lastSuccessMs / 1e3,
    },
  ],
});

const PROCESSES = familyGroup({
  // Nobody is to be woken because a measurement wished to be alone, or because there is no GPU.
  items: ({ sources }: Pick<HostSnapshot, 'sources'>) =>
    Object.entries(sources).filter(([, { state }]) => state !== 'paused' && state !== 'resting'),
  labelNames: ['source'],
  labels: ([source]) => ({ source }),
  rows: [
    {
      name: 'ptq_sampler_process_up',
      type: 'gauge',
      help: 'Whether the process of the sampler that reads these sources delivers.',
      value: ([, { state }]) => Number(state === 'up'),
    },
    {
      name: 'ptq_sampler_process_restarts_total',
      type: 'counter',
      help: 'Times that the process was replaced, as it had ended or hung.',
      value: ([, { restarts }]) => restarts,
    },
    {
      name: 'ptq_sampler_missed_ticks_total',
      type: 'counter',
      help: 'Samples that were due and not taken since the process started.',
      value: ([, { cost }]) => cost?.missedTicks,
    },
    {
      name: 'ptq_sampler_cpu_seconds_total',
      type: 'counter',
      help: 'CPU time of the process since it started.',
      value: ([, { cost }]) => cost?.cpuSeconds,
    },
  ],
});

// From a file of procfs to a program that hangs until its deadline.
const DURATION_BUCKETS_SECONDS = [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1, 3];

// So that increase() sees the first of each; what else goes wrong gets its series when it does.
const USUAL_REASONS = ['unreadable', 'malformed'];

/** Registers what the sampler tells of itself. */
export function createSamplerMetrics(registry: MetricRegistry): SamplerMetrics {
  const set = registerGroups<Pick<HostSnapshot, 'health' | 'sources'>>(registry, [COLLECTORS, PROCESSES]);
  const errors = new Counter({
    registers: [registry],
    name: 'ptq_sampler_errors_total',
    help: 'Readings that failed, or took longer than they may (collector_slow), by the reason.',
    labelNames: ['collector', 'reason'],
  });
  const durations = new Histogram({
    registers: [registry],
    name: 'ptq_sampler_duration_seconds',
    help: 'Time that one reading of the collector took.',
    labelNames: ['collector'],
    buckets: DURATION_BUCKETS_SECONDS,
  });
  const known = new Set<string>();
  return {
    set,
    observe: ({ health }) => {
      for (const [collector, fared] of Object.entries(health)) {
        if (fared === undefined || isAbsent(fared)) continue;
        if (!known.has(collector)) {
          known.add(collector);
          for (const reason of USUAL_REASONS) errors.inc({ collector, reason }, 0);
        }
        if (fared.durationSeconds !== undefined) durations.observe({ collector }, fared.durationSeconds);
        if (fared.status !== 'ok') errors.inc({ collector, reason: labelOf(fared.problem.kind) });
      }
    },
  };
}

/** The host has no such source, which is no fault of the collector. */
function isAbsent(fared: CollectorHealth): boolean {
  return fared.status === 'failed' && fared.problem.kind === 'absent';
}

function labelOf(kind: string): string {
  return kind.replaceAll('-', '_');
}
