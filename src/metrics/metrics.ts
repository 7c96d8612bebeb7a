import { describeMetrics, type MetricDescription, renderExposition } from './exposition.ts';
import { CONTENT_TYPES, negotiateFormat } from './exposition-format.ts';
import { createRegistry, seriesFamily } from './families.ts';
import { createHostMetrics, type HostMetrics } from './host-metrics.ts';
import { createInventoryMetrics, type InventorySnapshot } from './inventory-metrics.ts';
import { createJobMetrics, type JobMetrics } from './job-metrics.ts';
import { createProcessMetrics, type ProcessUsage, processUsageReader } from './process-metrics.ts';
import { createResultMetrics, type ResultMetrics } from './result-metrics.ts';
import { createRunMetrics, type RunMetrics } from './run-metrics.ts';

/** Everything the daemon exports. Updates are cheap and synchronous; nothing is read from the host here. */
export interface Metrics extends HostMetrics, JobMetrics, ResultMetrics, Pick<RunMetrics, 'recordRun'> {
  /** Shows what the host is made of. */
  readonly setInventory: (inventory: InventorySnapshot) => void;
  /**
   * The body of a scrape, in the format that suits the request.
   * @param accept the `Accept` header; text format 0.0.4 without
   */
  render(accept?: string): Promise<{ readonly contentType: string; readonly body: string }>;
  /** Every metric there can be, whether it has a series or not. */
  describe(): readonly MetricDescription[];
}

export interface MetricsOptions {
  readonly buildInfo: { readonly version: string; readonly nodeVersion: string; readonly ortVersion: string };
  /** The daemon's own process by default. */
  readonly readProcess?: () => ProcessUsage;
}

/**
 * Makes a registry of its own with every metric of the agent. Names are a contract: dashboards and alerts
 * are written against them. Units are base units; labels are bounded by profiles, devices and fixed sets.
 */
export function createMetrics({ buildInfo, readProcess = processUsageReader() }: MetricsOptions): Metrics {
  const registry = createRegistry();
  seriesFamily('info', {
    registry,
    name: 'ptq_build_info',
    help: 'Versions of the agent, of Node.js and of ONNX Runtime; always 1.',
    labelNames: ['version', 'node_version', 'ort_version'],
  }).set(
    { version: buildInfo.version, node_version: buildInfo.nodeVersion, ort_version: buildInfo.ortVersion },
    1,
  );
  const results = createResultMetrics(registry);
  const runs = createRunMetrics(registry);
  const setProcess = createProcessMetrics(registry);
  return {
    ...createHostMetrics(registry),
    ...createJobMetrics(registry),
    ...results,
    recordRun: runs.recordRun,
    setInventory: createInventoryMetrics(registry),
    describe: () => describeMetrics(registry),
    render: async (accept) => {
      setProcess(readProcess());
      const format = negotiateFormat(accept);
      return { contentType: CONTENT_TYPES[format], body: await renderExposition(registry, format) };
    },
  };
}
