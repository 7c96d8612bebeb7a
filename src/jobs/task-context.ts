import type { Clock } from '../core/clock.ts';
import type { WorkerEvent } from './worker-protocol.ts';

/** What a task gets from the process that runs it. */
export interface TaskContext {
  readonly clock: Clock;
  readonly emit: (event: WorkerEvent) => void;
  /** The compiled `session-thread-main.js`; without it no model is run in two threads at once. */
  readonly sessionEntry?: URL;
}
