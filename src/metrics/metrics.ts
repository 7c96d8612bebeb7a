import { Registry } from 'prom-client';
import { gaugeFamily } from './families.ts';
import { createHostMetrics, type SetHost } from './host-metrics.ts';
import { createJobMetrics, type JobMetrics } from './job-metrics.ts';
import { createProcessMetrics, type ProcessUsage, processUsageReader } from './process-metrics.ts';
import { createResultMetrics, type ResultMetrics } from './result-metrics.ts';

/** Everything the daemon exports. Updates are cheap and synchronous; nothing is read from the host here. */
export interface Metrics extends JobMetrics, ResultMetrics {
  readonly setHost: SetHost;
  /** The body of a scrape: Prometheus text format 0.0.4. */
  render(): Promise<{ readonly contentType: string; readonly body: string }>;
}

export interface MetricsOptions {
  readonly buildInfo: { readonly version: string; readonly nodeVersion: string; readonly ortVersion: string };
  /** The daemon's own process by default. */
  readonly readProcess?: () => ProcessUsage;
}

/**
 * Makes a registry of its own with every metric of the agent. Names are a contract: dashboards and alerts
 * are written against them. Units are base units; labels are bounded by profiles, devices and fixed sets.
 * Text 0.0.4 is the only format: prom-client loses the `_total` of counters once OpenMetrics was rendered.
 */
export function createMetrics({ buildInfo, readProcess = processUsageReader() }: MetricsOptions): Metrics {
  const registry = new Registry();
  gaugeFamily({
    registry,
    name: 'ptq_build_info',
    help: 'Versions of the agent and what it runs on; always 1.',
    labelNames: ['version', 'node_version', 'ort_version'],
  }).set(
    { version: buildInfo.version, node_version: buildInfo.nodeVersion, ort_version: buildInfo.ortVersion },
    1,
  );
  const setProcess = createProcessMetrics(registry);
  const setHost = createHostMetrics(registry);
  return {
    setHost,
    ...createJobMetrics(registry),
    ...createResultMetrics(registry),
    render: async () => {
      setProcess(readProcess());
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}
