import type { Device } from '../../core/device.ts';

/** Kinds of arithmetic that a processor does at different speeds. */
export const ARITHMETICS = ['float32', 'float16', 'int8'] as const;

export type Arithmetic = (typeof ARITHMETICS)[number];

/** A memory that data can come from. */
export interface MemoryLevel {
  /** `L2`, `L3` or `memory`. */
  readonly name: string;
  /** Data of up to this size comes from it; null where any does. */
  readonly capacityBytes: number | null;
  /** Reads and writes together. */
  readonly bytesPerSecond: number;
}

/** The most that a runtime reaches on a device with a number of threads, as its best kernels showed. */
export interface Peaks {
  readonly device: Device;
  readonly threads: number;
  /** A multiplication and an addition are two. Null where the runtime computes in another kind of arithmetic here. */
  readonly operationsPerSecond: Readonly<Record<Arithmetic, number | null>>;
  /** The nearest first, each larger and slower than the one before. The last one holds data of any size. */
  readonly levels: readonly MemoryLevel[];
}

/** The nearest memory that holds so much. */
function levelOf(levels: Peaks['levels'], bytes: number): MemoryLevel {
  const level = levels.find(({ capacityBytes }) => capacityBytes === null || bytes <= capacityBytes);
  if (level === undefined) throw new RangeError('the last level of memory must hold data of any size');
  return level;
}

/** Operations per second of an arithmetic. Where it has no kernels of its own, the runtime converts and computes in float32. */
function rateOf({ operationsPerSecond }: Peaks, arithmetic: Arithmetic): number | null {
  return operationsPerSecond[arithmetic] ?? operationsPerSecond.float32;
}

/** What a call needs at the roof, at least. */
export interface CallRoof {
  readonly computeSeconds: number;
  readonly memorySeconds: number;
  /** The longer of the two. */
  readonly seconds: number;
  /** Where its bytes come from: the nearest memory that holds them. */
  readonly memory: string;
}

/** The roof of a call by its own size. What is not known of it counts for nothing. */
export function callRoof(
  work: { readonly arithmetic: Arithmetic; readonly flops: number | null; readonly bytes: number | null },
  peaks: Peaks,
): CallRoof {
  const bytes = work.bytes ?? 0;
  const level = levelOf(peaks.levels, bytes);
  const rate = rateOf(peaks, work.arithmetic);
  const computeSeconds = rate === null || work.flops === null ? 0 : work.flops / rate;
  const memorySeconds = bytes / level.bytesPerSecond;
  return {
    computeSeconds,
    memorySeconds,
    seconds: Math.max(computeSeconds, memorySeconds),
    memory: level.name,
  };
}
