import type { TraceSettings } from '../config/settings.ts';
import type { Logger } from '../core/log.ts';
import { pruneTraces } from '../trace/prune-traces.ts';
import type { PipelineResult } from './pipeline.ts';

/**
 * Makes room after a run that left a trace: the oldest are removed until the others are within the limits. Its own stays, and so do
 * those that are being read. What cannot be removed is told in the log.
 */
export async function pruneRunTraces(
  { trace }: Pick<PipelineResult, 'trace'>,
  { logdir, ...limits }: TraceSettings,
  {
    reading,
    nowMs,
    logger,
  }: { readonly reading: Iterable<string>; readonly nowMs: number; readonly logger: Logger },
): Promise<void> {
  if (trace?.run == null) return;
  const inUse = new Set([trace.run, ...reading]);
  const removed = await pruneTraces(logdir, { ...limits, inUse, nowMs });
  if (!removed.ok) logger.warn(`old traces cannot be removed: ${removed.error.message}`, { logdir });
  else if (removed.value.length > 0) logger.info('removed the oldest traces', { runs: removed.value });
}
