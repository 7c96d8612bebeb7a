import type { TraceSettings } from '../config/settings.ts';
import type { StorageSettings } from '../config/storage-settings.ts';
import type { WatchSettings } from '../config/watch-settings.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Store } from '../store/store.ts';
import type { HostInventory } from '../telemetry/inventory/host-inventory.ts';
import type { Sampler } from '../telemetry/sampler.ts';
import type { Webhook } from '../webhook/webhook.ts';
import type { LiveWork } from './capture/live-work.ts';
import type { WorkerEntry } from './confinement/confined-entry.ts';
import type { ModelRegistry } from './model-registry.ts';
import type { AlertSender } from './watching/regression-alert.ts';

/** What the daemon's work needs. */
export interface AgentDeps {
  readonly models: ModelRegistry;
  readonly store: Store;
  readonly sampler: Sampler;
  readonly samplerIdleIntervalMs: () => number;
  /** As the settings have it at the moment. */
  readonly traces: () => TraceSettings;
  /** How much is kept, as the settings have it at the moment. */
  readonly storage: () => StorageSettings;
  /** What to do about what is watched, as the settings have it at the moment. */
  readonly watch: () => WatchSettings;
  /** Told of regressions. */
  readonly webhook?: Pick<Webhook, 'tell'>;
  /** Who that comes from. */
  readonly sender?: () => AlertSender;
  readonly metrics: Metrics;
  readonly workerEntry: WorkerEntry;
  /** Told what is under way. */
  readonly live?: LiveWork;
  /** See `PipelineDeps`. */
  readonly hardware?: Promise<HostInventory>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long to wait for a disk that does not take what is written; 5 s unless given. */
  readonly storeRetryMs?: number;
  /** How long to wait before a run whose worker died is begun anew; 10 s unless given. */
  readonly retryAfterMs?: number;
  /** Told when the queue cannot go on, as when the store is damaged. */
  readonly onFault?: (error: Error) => void;
}
