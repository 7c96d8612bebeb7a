import type { Logger } from '../core/log.ts';
import type { Problem } from '../core/problem.ts';
import { ok, type Result } from '../core/result.ts';
import { openStore, type Store } from '../store/store.ts';
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
