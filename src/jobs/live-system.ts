import type { SutIdentity } from '../benchmark/variant-record.ts';
import type { Problem } from '../core/problem.ts';
import type { TraceCommand, WorkerEvent } from './worker-protocol.ts';

/** A system under test that lives, for whoever looks on without driving it. */
export interface LiveSystem {
  readonly identity: SutIdentity;
  /** Tells it to trace, or to trace no more; the answer is an event. */
  tell(request: TraceCommand): void;
  /** Calls `listener` with everything that the worker tells, also while it is driven. Returns the function that ends it. */
  onEvent(listener: (event: WorkerEvent) => void): () => void;
  /** Has something done before the process is ended by `close`. It never rejects. */
  beforeClose(action: () => Promise<void>): void;
  /** Settles when the process is gone. */
  readonly exited: Promise<Problem>;
}
