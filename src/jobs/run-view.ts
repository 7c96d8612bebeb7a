import type { Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import type { CurrentRun } from './run-queue.ts';
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

/** @param current the run under way, which is `queued` while it waits for what it needs to begin */
export function runView(
  run: Run,
  current: CurrentRun | undefined,
  store: Pick<Store, 'countAhead'>,
): RunView {
  if (current?.id === run.id) {
    const { progress, waitingFor, cancelling } = current;
    return {
      ...run,
      ...(run.state === 'queued' ? { queuePosition: 0 } : {}),
      ...(progress === undefined ? {} : { progress }),
      ...(waitingFor === undefined ? {} : { waitingFor }),
      ...(cancelling === undefined ? {} : { cancelling }),
    };
  }
  if (run.state !== 'queued') return run;
  return { ...run, queuePosition: store.countAhead(run.id) + (current === undefined ? 0 : 1) };
}
