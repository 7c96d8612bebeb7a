import type { Logger } from '../core/log.ts';
import type { Problem } from '../core/problem.ts';
import { ok, type Result } from '../core/result.ts';
import { openStore, type Recovery, type Store } from '../store/store.ts';
import { type Sampler, startSampler } from '../telemetry/sampler.ts';
import { SAMPLER_ENTRY } from './entries.ts';

/** What `run` and `serve` both need for as long as they live. */
export interface AgentData {
  readonly store: Store;
  readonly sampler: Sampler;
  readonly close: () => Promise<void>;
}

export function openAgentData(
  dataDir: string,
  samplerIntervalMs: number,
  logger: Logger,
): Result<AgentData, Problem> {
  const store = openStore(dataDir);
  if (!store.ok) return store;
  logRecovery(store.value.recovery, logger);
  const sampler = startSampler({ entry: SAMPLER_ENTRY, intervalMs: samplerIntervalMs, logger });
  return ok({
    store: store.value,
    sampler,
    close: async () => {
      await sampler.stop();
      store.value.close();
    },
  });
}

function logRecovery({ damaged, indexed }: Recovery, logger: Logger): void {
  if (damaged !== undefined) {
    const { reason, movedTo } = damaged;
    logger.error(`${reason}; it was moved aside, and a new one was made of what lies on the disk`, {
      movedTo,
      ...indexed,
    });
  } else if (indexed.runs + indexed.artifacts > 0) {
    logger.warn('the database did not know all that lies on the disk, and has learned it', { ...indexed });
  }
}
