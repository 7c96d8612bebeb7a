import type { Logger } from '../../core/log.ts';
import { runTask } from '../worker-process.ts';
import type { ConfinedEntry } from './confined-entry.ts';
import { type ConfinementTrial, unconfinedParts } from './confinement-trial.ts';

/** Has a worker try what it is kept from, and logs it: a warning where that is less than all. */
export async function logConfinement(
  entry: ConfinedEntry,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const trial = await runTask({ entry }, { kind: 'confinement-trial' }, { signal });
  if (!trial.ok) {
    if (trial.error.kind !== 'cancelled')
      logger.warn(`it could not be tried what workers are kept from: ${trial.error.message}`);
    return;
  }
  const confinement = trial.value as ConfinementTrial;
  const missing = unconfinedParts(confinement).map(({ what, needs }) => `${what} (${needs})`);
  if (missing.length === 0) logger.info('workers are confined', { ...confinement });
  else if (entry.mode === 'off') logger.warn('workers are not confined, as the settings say');
  else logger.warn(`workers are not kept from ${missing.join('; ')}`, { ...confinement });
}
