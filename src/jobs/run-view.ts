import type { Run } from '../store/runs.ts';
import type { JobProgress } from './worker-protocol.ts';

/** A run as it can be seen while it waits, works, or has ended. */
export interface RunView extends Run {
  /** How many runs come before it; only while it waits. */
  readonly queuePosition?: number;
  readonly progress?: JobProgress;
  /** What it waits for before it can go on. */
  readonly waitingFor?: string;
  /** It was asked to end and is about to. */
  readonly cancelling?: boolean;
}
