import type { Logger } from '../core/log.ts';
import type { Snapshot } from './snapshot.ts';

/** Logs by what GPUs are read and why not by better ways, and what keeps them from being read: once, and again when it changes. */
export function logGpuBackend(logger: Logger): (snapshot: Snapshot) => void {
  let said: string | undefined;
  return ({ gpus, health }) => {
    const outcome = health.gpus;
    if (gpus?.notUsed !== undefined) {
      said = undefined;
      logger.info(`${gpus.gpus.length} GPU(s) read by ${gpus.backend}`, { notUsed: gpus.notUsed });
    } else if (outcome?.status === 'failed' && outcome.problem.kind !== 'absent') {
      // One that merely starts gives its reading, or a reason, in a moment.
      const { kind, message, hint } = outcome.problem;
      if (said === message || ('isStarting' in outcome.problem && outcome.problem.isStarting)) return;
      said = message;
      logger.warn(message, { kind, collector: 'gpus', ...(hint === undefined ? {} : { hint }) });
    }
  };
}
