import type { CpuCache } from './cpu-caches.ts';

/** A memory whose bandwidth is to be measured. */
export interface ProbedLevel {
  readonly name: string;
  /** Of all its caches that so many threads use; null for the memory behind them. */
  readonly capacityBytes: number | null;
  /** Sizes of the buffers to try: each fits in, and is too large for what is nearer. */
  readonly bufferBytes: readonly number[];
  /** Caches that work at the same time, one for each thread; 1 where the threads share it. */
  readonly instances: number;
}

/** Calls of the runtime take so long that a nearer cache, or a smaller part of one, cannot be told from them. */
const NEAREST_LEVEL = 2;
const LEAST_BUFFER_BYTES = 128 * 2 ** 10;

const LEAST_MEMORY_BUFFER_BYTES = 64 * 2 ** 20;
const MOST_MEMORY_BUFFER_BYTES = 512 * 2 ** 20;

/** Of the memory that is free. */
const MEMORY_SHARE = 1 / 8;

/**
 * Which memories of a host to measure, the nearest first, and on how much data. A cache that is not at least twice as large as the
 * one before it is left out, as no buffer is sure to lie in it alone.
 * @param cpus of the host
 * @param freeBytes memory that there is for the buffer
 */
export function probedLevels(
  caches: readonly CpuCache[],
  threads: number,
  cpus: number,
  freeBytes: number,
): readonly ProbedLevel[] {
  const levels: ProbedLevel[] = [];
  let nearerBytes = 0;
  for (const { level, sizeBytes, sharedBy } of caches) {
    if (level < NEAREST_LEVEL) continue;
    const instances = Math.max(1, Math.min(threads, Math.floor(cpus / sharedBy)));
    const capacityBytes = sizeBytes * instances;
    const wanted =
      nearerBytes === 0 ? [sizeBytes / 4, sizeBytes / 2] : [2, 4, 8].map((times) => times * nearerBytes);
    const bufferBytes = wanted.filter((bytes) => bytes >= LEAST_BUFFER_BYTES && bytes <= capacityBytes / 2);
    if (bufferBytes.length === 0) continue;
    levels.push({ name: `L${level}`, capacityBytes, bufferBytes, instances });
    nearerBytes = capacityBytes;
  }
  const behindBytes = Math.max(LEAST_MEMORY_BUFFER_BYTES, 2 * nearerBytes);
  const most = Math.min(MOST_MEMORY_BUFFER_BYTES, freeBytes * MEMORY_SHARE);
  const bufferBytes = [Math.floor(Math.min(behindBytes, most))];
  return [...levels, { name: 'memory', capacityBytes: null, bufferBytes, instances: 1 }];
}
