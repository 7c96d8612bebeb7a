import type { Clock } from '../core/clock.ts';
import type { Phase, PhaseSpan } from '../core/phase.ts';

/** Runs a part of a job and tells when it began and ended, also when it fails. */
export type PhaseRecorder = <T>(phase: Phase, action: () => Promise<T>) => Promise<T>;

export function createPhaseRecorder(
  clock: Clock,
  emit: (span: PhaseSpan) => void,
  subject?: string,
): PhaseRecorder {
  return async (phase, action) => {
    const startNs = clock.nowNs();
    try {
      return await action();
    } finally {
      emit({ phase, ...(subject === undefined ? {} : { subject }), startNs, endNs: clock.nowNs() });
    }
  };
}
