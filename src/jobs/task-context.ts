import type { Clock } from '../core/clock.ts';
import type { WorkerEvent } from './worker-protocol.ts';

/** What a task gets from the process that runs it. */
export interface TaskContext {
  readonly clock: Clock;
  readonly emit: (event: WorkerEvent) => void;
}
