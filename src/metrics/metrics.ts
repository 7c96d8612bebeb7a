import { type Clock, systemClock } from '../core/clock.ts';
import { describeMetrics, type MetricDescription, renderExposition } from './exposition.ts';
import { CONTENT_TYPES, type ExpositionFormat, negotiateFormat } from './exposition-format.ts';
import { createRegistry, seriesFamily } from './families.ts';
import { forgetModel, type ModelSeries } from './forget-models.ts';
import { createHostMetrics, type HostMetrics } from './host-metrics.ts';
import type { HostSnapshot } from './host-snapshot.ts';
import { createHttpMetrics, type HttpMetrics } from './http-metrics.ts';
import { createInventoryMetrics, type InventorySnapshot } from './inventory-metrics.ts';
import { createJobMetrics, type JobMetrics } from './job-metrics.ts';
import { noteChanges } from './note-changes.ts';
import { createProcessMetrics, type ProcessUsage, processUsageReader } from './process-metrics.ts';
import { createReloadMetrics, type ReloadMetrics } from './reload-metrics.ts';
import { createResultMetrics, type ResultMetrics } from './result-metrics.ts';
import { createRunMetrics, type RunMetrics } from './run-metrics.ts';
import { createStorageMetrics, type StorageMetrics } from './storage-metrics.ts';
import { createWatchMetrics, type WatchMetrics } from './watch-metrics.ts';

/** Everything the daemon exports. Updates are cheap and synchronous; nothing is read from the host here. */
export interface Metrics
  extends HostMetrics,
    HttpMetrics,
    JobMetrics,
    ReloadMetrics,
    ResultMetrics,
    StorageMetrics,
    WatchMetrics,
    Pick<RunMetrics, 'recordRun'> {
  /** Shows what the host is made of. */
  readonly setInventory: (inventory: InventorySnapshot) => void;
  /** Takes away the series of a model, or of what it has no more; see `forgetModel`. */
  readonly forgetModel: (model: string, kept?: ModelSeries) => void;
  /**
   * The body of a scrape, in the format that suits the request. As long as nothing has changed it is the same object.
   * @param accept the `Accept` header; text format 0.0.4 without
   * @param readHost gives the host as it is now; asked at most every 50 ms, however many scrape
   */
  render(accept?: string, readHost?: () => HostSnapshot): Promise<Exposition>;
  /** Every metric there can be, whether it has a series or not. */
  describe(): readonly MetricDescription[];
}

/** What a scrape is answered with. */
export interface Exposition {
  readonly contentType: string;
  readonly body: string;
}

/** What the daemon and the host take now is read anew after this long. */
const PRESENT_FOR_NS = 50_000_000n;

export interface MetricsOptions {
  readonly buildInfo: { readonly version: string; readonly nodeVersion: string; readonly ortVersion: string };
  /** The daemon's own process by default. */
  readonly readProcess?: () => ProcessUsage;
  readonly clock?: Clock;
}

/**
 * Makes a registry of its own with every metric of the agent. Names are a contract: dashboards and alerts
 * are written against them. Units are base units; labels are bounded by profiles, devices and fixed sets.
 */
export function createMetrics({
  buildInfo,
  readProcess = processUsageReader(),
  clock = systemClock,
}: MetricsOptions): Metrics {
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
  const jobs = createJobMetrics(registry);
  const runs = createRunMetrics(registry);
  const setProcess = createProcessMetrics(registry);
  const rendered = new Map<ExpositionFormat, Promise<Exposition>>();
  const forget = () => rendered.clear();
  const updates = noteChanges(
    {
      ...createHostMetrics(registry),
      ...jobs,
      ...createReloadMetrics(registry),
      ...createResultMetrics(registry),
      ...createStorageMetrics(registry),
      ...createWatchMetrics(registry),
      recordRun: runs.recordRun,
      setInventory: createInventoryMetrics(registry),
      forgetModel: (model: string, kept?: ModelSeries) => {
        forgetModel(registry, model, kept);
        if (kept === undefined) jobs.forgetCalibrations(model);
      },
    },
    forget,
  );
  let presentUntilNs = 0n;
  const readPresent = (readHost: (() => HostSnapshot) | undefined): void => {
    const nowNs = clock.nowNs();
    if (nowNs < presentUntilNs) return;
    presentUntilNs = nowNs + PRESENT_FOR_NS;
    setProcess(readProcess());
    if (readHost !== undefined) updates.setHost(readHost());
    forget();
  };
  const renderAs = async (format: ExpositionFormat): Promise<Exposition> => ({
    contentType: CONTENT_TYPES[format],
    body: await renderExposition(registry, format),
  });
  return {
    ...updates,
    // Connections come and go all the time: what is shown of them is as late as the rest of the process.
    ...createHttpMetrics(registry),
    describe: () => describeMetrics(registry),
    render: (accept, readHost) => {
      readPresent(readHost);
      const format = negotiateFormat(accept);
      const exposition = rendered.get(format) ?? renderAs(format);
      rendered.set(format, exposition);
      return exposition;
    },
  };
}
