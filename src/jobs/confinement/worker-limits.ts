import type { WorkerTask } from '../worker-protocol.ts';

/** What a worker may take. Where something is absent there is no limit to it, but for memory, which then follows the host. */
export interface WorkerLimits {
  /** Resident. */
  readonly memoryBytes?: number;
  /** Open at a time. */
  readonly openFiles: number;
  /** Of each file that it writes. */
  readonly fileSizeBytes: number;
  /** Of all its threads together. */
  readonly cpuSeconds?: number;
  /** From its start to its answer, for every task unless `taskSeconds` names it. */
  readonly wallSeconds?: number;
  readonly niceness?: number;
}

const HOUR_SECONDS = 3600;

/** Far from what real work takes: what is ended by them hangs, or was made to. */
export const DEFAULT_LIMITS: WorkerLimits = {
  openFiles: 8192,
  fileSizeBytes: 256 * 2 ** 30,
};

/** How long each kind of task may take unless a setting says otherwise; a system under test lives as long as its suite wants. */
const WALL_SECONDS: Readonly<Partial<Record<WorkerTask['kind'], number>>> = {
  digest: 4 * HOUR_SECONDS,
  'divide-samples': 4 * HOUR_SECONDS,
  inspect: HOUR_SECONDS,
  timeline: HOUR_SECONDS,
  series: HOUR_SECONDS,
  trace: HOUR_SECONDS,
  peaks: HOUR_SECONDS,
  quantize: 24 * HOUR_SECONDS,
  evaluate: 24 * HOUR_SECONDS,
};

export function wallSecondsOf({ wallSeconds }: WorkerLimits, kind: WorkerTask['kind']): number | undefined {
  return wallSeconds === undefined || kind === 'sut' ? WALL_SECONDS[kind] : wallSeconds;
}
