import { Gauge, Registry } from 'prom-client';

/** Why a probe gave no figures, as a label can say it. */
export const PROBE_FAILURES = ['busy', 'not-made', 'too-long', 'timed-out', 'failed'] as const;

export type ProbeFailure = (typeof PROBE_FAILURES)[number];

/** What a probe is exported as. */
export interface ExportedProbe {
  readonly durationSeconds: number;
  /** Absent where it succeeded. */
  readonly failure?: ProbeFailure;
  readonly figures?: {
    readonly loadSeconds: number;
    readonly queries: number;
    readonly throughput: number;
    readonly latencySeconds: { readonly p50: number; readonly p90: number; readonly p99: number } | undefined;
  };
}

/**
 * The exposition of one probe, in Prometheus' text format, of a registry of its own. Which model was probed is what the scraper asked
 * for, and becomes labels there, as with the blackbox exporter.
 */
export async function probeExposition({
  durationSeconds,
  failure,
  figures,
}: ExportedProbe): Promise<{ readonly contentType: string; readonly body: string }> {
  const registry = new Registry();
  const gauge = (name: string, help: string, value: number) =>
    new Gauge({ name, help, registers: [registry] }).set(value);
  gauge('probe_success', 'Whether the model was measured.', failure === undefined ? 1 : 0);
  gauge('probe_duration_seconds', 'How long the probe took, loading and all.', durationSeconds);
  const reasons = new Gauge({
    name: 'ptq_probe_failure',
    help: 'Why the model was not measured: 1 for the reason, 0 for the others.',
    labelNames: ['reason'],
    registers: [registry],
  });
  for (const reason of PROBE_FAILURES) reasons.set({ reason }, reason === failure ? 1 : 0);
  if (figures !== undefined) {
    const { loadSeconds, queries, throughput, latencySeconds } = figures;
    gauge('ptq_probe_load_seconds', 'From the start of a process to a session of the model.', loadSeconds);
    gauge('ptq_probe_queries', 'Queries that were measured.', queries);
    gauge('ptq_probe_throughput_samples_per_second', 'Samples per second of measuring.', throughput);
    if (latencySeconds !== undefined) {
      const latency = new Gauge({
        name: 'ptq_probe_latency_seconds',
        help: 'Latency of the queries that were measured, by quantile.',
        labelNames: ['quantile'],
        registers: [registry],
      });
      latency.set({ quantile: '0.5' }, latencySeconds.p50);
      latency.set({ quantile: '0.9' }, latencySeconds.p90);
      latency.set({ quantile: '0.99' }, latencySeconds.p99);
    }
  }
  return { contentType: registry.contentType, body: await registry.metrics() };
}
