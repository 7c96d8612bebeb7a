import type { Run } from '../store/runs.ts';
import type { JobProgress } from './worker-protocol.ts';

/** A run as it can be seen while it waits, works, or has ended. */
export interface RunView extends Run {
  /** How many runs come before it; only while it waits. */
  readonly queuePosition?: number;
  readonly progress?: JobProgress;
  /** It was asked to end and is about to. */
  readonly cancelling?: boolean;
}

/** The run under way. */
export interface CurrentRun {
  readonly id: string;
  readonly abort: AbortController;
  progress?: JobProgress;
  /** Somebody wants it to end. */
  cancelling?: true;
}
