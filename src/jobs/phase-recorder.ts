import type { Clock } from '../core/clock.ts';
import type { Phase } from '../core/phase.ts';
import { type OwnCounters, phaseUsage } from './own-counters.ts';
import type { WorkerEvent } from './worker-protocol.ts';

/** Runs a part of a job and tells when it began and ended, also when it fails. */
export type PhaseRecorder = <T>(phase: Phase, action: () => Promise<T>) => Promise<T>;

/**
 * @param readCounters  those of the process that does the work; see `readOwnCounters`. Not given where it is another one
 */
export function createPhaseRecorder(
  clock: Clock,
  emit: (event: Extract<WorkerEvent, { readonly kind: 'phase-begin' | 'phase' }>) => void,
  { subject, readCounters }: { readonly subject?: string; readonly readCounters?: () => OwnCounters } = {},
): PhaseRecorder {
  return async (phase, action) => {
    const before = readCounters?.();
    const begun = { phase, ...(subject === undefined ? {} : { subject }), startNs: clock.nowNs() };
    // A worker that dies tells no end; then this is all that is known of the phase.
    emit({ kind: 'phase-begin', begun });
    try {
      return await action();
    } finally {
      const endNs = clock.nowNs();
      const usage = before === undefined ? undefined : phaseUsage(before, readCounters?.() ?? before);
      emit({ kind: 'phase', span: { ...begun, endNs, ...(usage === undefined ? {} : { usage }) } });
    }
  };
}
