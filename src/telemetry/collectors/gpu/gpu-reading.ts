/** How GPUs are read, the best first. */
export const GPU_BACKENDS = ['nvml', 'nvidia-smi', 'node-nvidia-smi', 'sysfs'] as const;

export type GpuBackendName = (typeof GPU_BACKENDS)[number];

export interface GpusReading {
  readonly backend: GpuBackendName;
  readonly driverVersion?: string;
  /** The newest CUDA that the driver runs, such as `12.8`. */
  readonly cudaVersion?: string;
  /** Why the backends before this one are not in use; only in the first reading of a backend. */
  readonly notUsed?: readonly UnusedGpuBackend[];
  readonly gpus: readonly GpuReading[];
}

export interface UnusedGpuBackend {
  readonly backend: GpuBackendName;
  readonly reason: string;
  /** What to do about it, where something can be done. */
  readonly hint?: string;
}

/** One GPU. What its driver does not tell is absent, never 0. */
export interface GpuReading {
  /** The driver's own identifier, or the PCI address where it has none. */
  readonly uuid: string;
  readonly index: number;
  readonly name: string;
  /** `0000:41:00.0`, as the kernel writes it. */
  readonly pciBusId?: string;
  /** `lost`: it has fallen off the bus. `reset-required`: it computes nothing until it is reset. */
  readonly state: 'ok' | 'lost' | 'reset-required';
  /** Share of the driver's last window (1/6 to 1 s) in which a kernel ran. Not told of a GPU that is split by MIG. */
  readonly utilizationRatio?: number;
  /** Share of the window in which memory was read or written: how busy it is, not how full. */
  readonly memoryActivityRatio?: number;
  readonly memory?: GpuMemory;
  readonly powerWatts?: { readonly instant?: number; readonly average?: number };
  /** The limit in force: the lowest of those that user, board and system set. */
  readonly powerLimitWatts?: number;
  /** A counter, from when the driver was loaded. */
  readonly energyJoules?: number;
  readonly temperatureCelsius?: { readonly gpu?: number; readonly memory?: number };
  readonly clockHertz?: {
    readonly graphics?: number;
    readonly sm?: number;
    readonly memory?: number;
    readonly video?: number;
  };
  /** Why the clocks are not higher now. Empty: nothing holds them back. */
  readonly throttleReasons?: readonly ThrottleReason[];
  readonly pcie?: {
    /** Into the GPU, since the reading before. */
    readonly rxBytesPerSecond?: number;
    /** Out of the GPU, since the reading before. */
    readonly txBytesPerSecond?: number;
    /** A counter. */
    readonly replays?: number;
  };
  /** Counters: volatile ones since the driver was loaded, aggregate ones over the life of the board. */
  readonly eccErrors?: {
    readonly correctedVolatile?: number;
    readonly uncorrectedVolatile?: number;
    readonly correctedAggregate?: number;
    readonly uncorrectedAggregate?: number;
  };
  /** The watched processes that use the GPU. Absent where the driver's processes cannot be told to be ours or not. */
  readonly processes?: readonly GpuProcess[];
  readonly mig?: readonly MigDevice[];
}

export interface GpuMemory {
  readonly totalBytes: number;
  /** By processes. What the driver keeps for itself is `reservedBytes` where it is told apart, else it is in here. */
  readonly usedBytes: number;
  readonly freeBytes: number;
  readonly reservedBytes?: number;
}

export interface GpuProcess {
  readonly pid: number;
  readonly usedBytes?: number;
}

/** A part of a GPU that is split by MIG. */
export interface MigDevice {
  readonly uuid: string;
  readonly name: string;
  readonly gpuInstanceId: number;
  readonly computeInstanceId?: number;
  readonly memory?: GpuMemory;
}

export type ThrottleReason =
  | 'idle'
  | 'application_clocks'
  | 'sw_power_cap'
  | 'hw_slowdown'
  | 'sync_boost'
  | 'sw_thermal'
  | 'hw_thermal'
  | 'hw_power_brake'
  | 'display_clocks';

/** By bit, from bit 0. Source: nvml.h, `nvmlClocksEventReason…`; nvidia-smi prints the same mask. */
const THROTTLE_BITS: readonly ThrottleReason[] = [
  'idle',
  'application_clocks',
  'sw_power_cap',
  'hw_slowdown',
  'sync_boost',
  'sw_thermal',
  'hw_thermal',
  'hw_power_brake',
  'display_clocks',
];

export function throttleReasons(mask: number): readonly ThrottleReason[] {
  return THROTTLE_BITS.filter((_reason, bit) => (mask & (1 << bit)) !== 0);
}

/** NVIDIA writes the PCI domain with eight digits, the kernel with four: `00000000:06:00.0` is `0000:06:00.0`. */
export function kernelPciAddress(busId: string): string {
  return busId.toLowerCase().replace(/^0000(?=[0-9a-f]{4}:)/, '');
}

/** An object of those values that are known; undefined when none is. */
export function known<T extends Readonly<Record<string, unknown>>>(
  values: T,
): { readonly [K in keyof T]?: Exclude<T[K], undefined> } | undefined {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return entries.length === 0
    ? undefined
    : (Object.fromEntries(entries) as { readonly [K in keyof T]?: Exclude<T[K], undefined> });
}
