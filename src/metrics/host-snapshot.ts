import type { GpusSnapshot } from './gpu-snapshot.ts';

/**
 * What the host's metrics are made from: of telemetry's readings as much as is exported. A reading that is absent was not
 * taken: its series vanish rather than repeat an old value.
 */
export interface HostSnapshot {
  readonly cpu?: CpuSnapshot;
  readonly memory?: MemorySnapshot;
  readonly pressure?: Readonly<Record<'cpu' | 'io' | 'memory', StallSeconds>>;
  readonly disks?: readonly DiskSnapshot[];
  readonly processes?: readonly ProcessSnapshot[];
  readonly processMemory?: readonly ProcessMemorySnapshot[];
  readonly cpuClocks?: CpuClocksSnapshot;
  readonly paging?: PagingSnapshot;
  readonly cgroup?: CgroupSnapshot;
  readonly rapl?: { readonly zones: readonly RaplZone[] };
  readonly thermal?: { readonly zones: readonly ThermalZone[] };
  readonly nvmeHealth?: { readonly drives: readonly NvmeDrive[] };
  readonly gpus?: GpusSnapshot;
  /** How each collector fared. One that the host has no source for (kind `absent`) is not a fault. */
  readonly health: Readonly<Record<string, CollectorHealth>>;
  /** The sampler's processes; one without `cost` has not delivered since it was started. */
  readonly sources: Readonly<Record<string, SourceSnapshot>>;
}

interface CpuSnapshot {
  readonly cpuCount: number;
  /** Seconds since boot in each CPU mode, summed over CPUs. */
  readonly secondsByMode: Readonly<Record<string, number>>;
}

interface CpuClocksSnapshot {
  readonly frequencyHertz?: { readonly min: number; readonly mean: number; readonly max: number };
  readonly throttleEvents?: { readonly core?: number; readonly package?: number };
}

interface MemorySnapshot {
  readonly totalBytes: number;
  readonly availableBytes: number;
  readonly freeBytes: number;
  readonly cachedBytes: number;
  readonly swapTotalBytes: number;
  readonly swapFreeBytes: number;
}

interface PagingSnapshot {
  readonly swappedInPages?: number;
  readonly swappedOutPages?: number;
  readonly majorFaults?: number;
  readonly oomKills?: number;
}

interface CgroupSnapshot {
  readonly memory?: {
    readonly currentBytes: number;
    readonly peakBytes?: number;
    readonly limitBytes?: number;
    readonly swapBytes?: number;
    readonly limitEvents?: number;
    readonly oomKills?: number;
  };
  readonly cpu?: {
    readonly usageSeconds: number;
    readonly quotaCpus?: number;
    readonly quota?: { readonly throttledSeconds: number };
  };
}

interface StallSeconds {
  readonly someSeconds: number;
  readonly fullSeconds: number;
}

export interface DiskSnapshot {
  readonly device: string;
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly reads: number;
  readonly writes: number;
  readonly inFlight: number;
  readonly readSeconds?: number;
  readonly writeSeconds?: number;
  readonly ioTimeSeconds: number;
  readonly weightedIoTimeSeconds: number;
}

/** A process of ours. */
export interface ProcessSnapshot {
  readonly pid: number;
  readonly startSeconds: number;
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  readonly threads?: number;
  readonly io?: { readonly readBytes: number; readonly writtenBytes: number };
}

export interface ProcessMemorySnapshot {
  readonly pid: number;
  readonly pssBytes: number;
}

interface RaplZone {
  readonly zone: string;
  readonly joules: number;
}

interface ThermalZone {
  readonly zone: string;
  readonly type: string;
  readonly celsius: number;
}

export interface NvmeDrive {
  readonly device: string;
  readonly temperatureCelsius?: number;
  readonly percentageUsedRatio?: number;
  readonly availableSpareRatio?: number;
  readonly mediaErrors?: number;
  readonly criticalWarning?: number;
  readonly unsafeShutdowns?: number;
  readonly dataReadBytes?: number;
  readonly dataWrittenBytes?: number;
}

export type CollectorHealth = (
  | { readonly status: 'ok'; readonly durationSeconds?: number }
  | {
      /** `slow`: it read, but took longer than it may. */
      readonly status: 'slow' | 'failed' | 'down';
      readonly durationSeconds?: number;
      readonly problem: { readonly kind: string };
    }
) & {
  /** Milliseconds since the Unix epoch. */
  readonly lastSuccessMs?: number;
};

interface SourceSnapshot {
  /** `paused`: somebody wished for that, so that nothing disturbs a measurement. `resting`: this host has nothing of it. */
  readonly state: 'starting' | 'up' | 'down' | 'paused' | 'resting' | 'stopped';
  readonly restarts: number;
  readonly cost?: { readonly cpuSeconds: number; readonly missedTicks: number };
}
