/** Of telemetry's reading of the GPUs as much as is exported. What a driver does not tell is absent, never 0. */
export interface GpusSnapshot {
  readonly backend: string;
  readonly driverVersion?: string;
  readonly cudaVersion?: string;
  readonly gpus: readonly GpuSnapshot[];
}

export interface GpuSnapshot {
  readonly uuid: string;
  readonly index: number;
  readonly name: string;
  readonly pciBusId?: string;
  readonly state: GpuState;
  readonly utilizationRatio?: number;
  readonly memoryActivityRatio?: number;
  readonly memory?: GpuMemory;
  readonly powerWatts?: { readonly instant?: number; readonly average?: number };
  readonly powerLimitWatts?: number;
  readonly energyJoules?: number;
  readonly temperatureCelsius?: { readonly gpu?: number; readonly memory?: number };
  readonly clockHertz?: {
    readonly graphics?: number;
    readonly sm?: number;
    readonly memory?: number;
    readonly video?: number;
  };
  readonly throttleReasons?: readonly ThrottleReason[];
  readonly pcie?: {
    readonly rxBytesPerSecond?: number;
    readonly txBytesPerSecond?: number;
    readonly replays?: number;
  };
  readonly eccErrors?: {
    readonly correctedVolatile?: number;
    readonly uncorrectedVolatile?: number;
    readonly correctedAggregate?: number;
    readonly uncorrectedAggregate?: number;
  };
  readonly processes?: readonly { readonly pid: number; readonly usedBytes?: number }[];
  readonly mig?: readonly MigSnapshot[];
}

interface GpuMemory {
  readonly totalBytes: number;
  readonly usedBytes: number;
  readonly freeBytes: number;
  readonly reservedBytes?: number;
}

interface MigSnapshot {
  readonly uuid: string;
  readonly name: string;
  readonly gpuInstanceId: number;
  readonly computeInstanceId?: number;
  readonly memory?: GpuMemory;
}

export const GPU_STATES = ['ok', 'lost', 'reset-required'] as const;

type GpuState = (typeof GPU_STATES)[number];

export const THROTTLE_REASONS = [
  'idle',
  'application_clocks',
  'sw_power_cap',
  'hw_slowdown',
  'sync_boost',
  'sw_thermal',
  'hw_thermal',
  'hw_power_brake',
  'display_clocks',
] as const;

type ThrottleReason = (typeof THROTTLE_REASONS)[number];
