import type { Metrics } from '../../metrics/metrics.ts';
import type { Sampler } from '../../telemetry/sampler.ts';
import type { WorkerEntry } from '../confinement/confined-entry.ts';
import type { WorkerHost } from '../worker-process.ts';
import { type CaptureReplay, prepareReplay, type ReplayDeps } from './capture-replay.ts';
import type { LiveWork } from './live-work.ts';

export interface IdleHostDeps extends Pick<ReplayDeps, 'models' | 'store' | 'clock'> {
  readonly live: LiveWork;
  readonly sampler: Sampler;
  readonly metrics: Pick<Metrics, 'workerStarted' | 'workerEnded'>;
  readonly workerEntry: WorkerEntry;
}

/** Prepares a replay whose processes and phases are seen like those of a run. Where there can be none, the warning says why. */
export async function replayOnIdleHost(
  { models, store, clock, live, metrics, workerEntry, sampler }: IdleHostDeps,
  cancelled: AbortSignal,
): Promise<{ readonly replay?: CaptureReplay; readonly warning: string }> {
  const pids = new Set<number>();
  const watch = () => {
    // A run that began meanwhile watches its own.
    if (live.run === undefined) sampler.watch([...pids]);
  };
  const host: WorkerHost = {
    entry: workerEntry,
    onSystem: (system) => live.systemStarted(system),
    onSpawn: (pid, role) => {
      metrics.workerStarted(pid, role);
      pids.add(pid);
      watch();
    },
    onExit: (pid) => {
      metrics.workerEnded(pid);
      pids.delete(pid);
      watch();
    },
  };
  const emit: ReplayDeps['emit'] = (event) => {
    if (event.kind === 'phase-begin') live.phaseBegan(event.begun);
    else live.phaseEnded(event.span);
  };
  const replay = await prepareReplay({ models, store, clock, host, emit }, cancelled);
  if (!replay.ok) {
    return { warning: `Nothing was running, and nothing could be replayed: ${replay.error.message}` };
  }
  const { subject } = replay.value;
  return { replay: replay.value, warning: `Nothing was running: this is a replay, ${subject}` };
}
