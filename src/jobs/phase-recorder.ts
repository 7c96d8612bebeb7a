import type { Clock } from '../core/clock.ts';
import type { Phase, PhaseSpan } from '../core/phase.ts';
import { type OwnCounters, phaseUsage } from './own-counters.ts';

/** Runs a part of a job and tells when it began and ended, also when it fails. */
export type PhaseRecorder = <T>(phase: Phase, action: () => Promise<T>) => Promise<T>;

/**
 * @param readCounters  those of the process that does the work; see `readOwnCounters`. Not given where it is another one
 */
export function createPhaseRecorder(
  clock: Clock,
  emit: (span: PhaseSpan) => void,
  { subject, readCounters }: { readonly subject?: string; readonly readCounters?: () => OwnCounters } = {},
): PhaseRecorder {
  return async (phase, action) => {
    const before = readCounters?.();
    const startNs = clock.nowNs();
    try {
      return await action();
    } finally {
      const endNs = clock.nowNs();
      const usage = before === undefined ? undefined : phaseUsage(before, readCounters?.() ?? before);
      emit({
        phase,
        ...(subject === undefined ? {} : { subject }),
        startNs,
        endNs,
        ...(usage === undefined ? {} : { usage }),
      });
    }
  };
}
