import type { ExplainSettings } from '../config/explain-settings.ts';
import type { Profile, ProfileTrace } from '../config/profile.ts';
import type { Suite } from '../config/suite.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Sampling } from '../core/sampling.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Store } from '../store/store.ts';
import type { HostInventory } from '../telemetry/inventory/host-inventory.ts';
import type { Sampler } from '../telemetry/sampler.ts';
import type { LiveWork } from './capture/live-work.ts';
import type { WorkerEntry } from './confinement/confined-entry.ts';
import type { KeptAnswers } from './evaluate-task.ts';
import type { RunTrace } from './run-trace.ts';
import type { RunWatch } from './run-watch.ts';
import type { WorkerHost } from './worker-process.ts';
import type { JobProgress, WorkerEvent } from './worker-protocol.ts';

/** What a run is to do with a registered model. Quantizing comes first where an artifact is missing. */
export interface PipelinePlan {
  readonly evaluate: boolean;
  /** What to measure. */
  readonly suites: readonly Suite[];
  readonly threads: number;
  /** How often the host is sampled, unless a measurement says otherwise; 10 times a second where not given. */
  readonly sampling?: Sampling;
  /** The variants to take, FP32 always among them; all when absent. */
  readonly variants?: readonly string[];
  /** Hashes of artifacts to measure beside the variants, by the variant that they were; those that are gone are left out. */
  readonly besides?: Readonly<Record<string, string>>;
  /** How many samples to evaluate on at most; as the profile says when absent. */
  readonly samples?: number;
  /** What to tell of quantized nodes; nothing when absent. */
  readonly explain?: PlannedExplanation;
  /** What to trace; nothing when absent. */
  readonly trace?: ProfileTrace;
}

/** How nodes are explained. */
export interface PlannedExplanation extends ExplainSettings {
  /** It is what the run is for: done anew whatever is known, and a run of which no variant can be explained fails. */
  readonly isOrdered: boolean;
}

export interface PipelineDeps {
  readonly store: Store;
  readonly sampler: Sampler;
  readonly samplerIdleIntervalMs: () => number;
  /** Where traces go: the folder that viewers are started on. */
  readonly traces: { readonly logdir: string };
  /** The compiled `jobs/worker-main.js`. */
  readonly workerEntry: WorkerEntry;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What the host is made of, for the record of the run; looked up once, beside the first run. */
  readonly hardware?: Promise<HostInventory>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: JobProgress) => void;
  /** Told what the run waits for, such as a benchmark of another process. The next progress ends the waiting. */
  readonly onWaiting?: (what: string) => void;
  /** The answers that the variants of a model are held to. */
  readonly baselinesOf?: (model: string) => Readonly<Record<string, KeptAnswers>>;
  /** Told of the run, its phases and its systems under test, for whoever looks on. */
  readonly live?: LiveWork;
  /** Told of the processes that work for the run. */
  readonly workers?: Pick<Metrics, 'workerStarted' | 'workerEnded'>;
}

/** What the steps of one run share. */
export interface RunContext {
  readonly runId: string;
  readonly profile: Profile;
  readonly plan: PipelinePlan;
  readonly deps: PipelineDeps;
  readonly host: WorkerHost;
  readonly watch: RunWatch;
  readonly trace: RunTrace;
  readonly onEvent: (event: WorkerEvent) => void;
}
