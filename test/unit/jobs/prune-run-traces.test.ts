import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Logger } from '../../../src/core/log.ts';
import { pruneRunTraces } from '../../../src/jobs/prune-run-traces.ts';
import { publishTrace } from '../../../src/trace/publish.ts';
import { traceOf } from '../../support/hand-made-trace.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

const DAY_MS = 24 * 3600 * 1000;

async function logdirOf(count: number) {
  const logdir = temporaryFolder();
  const runs: string[] = [];
  for (let day = 1; day <= count; day++) {
    const made = await publishTrace(traceOf([]), { logdir, startedAt: new Date(day * DAY_MS) });
    runs.push(unwrap(made).run);
  }
  const log: string[] = [];
  const note = (message: string) => void log.push(message);
  const logger: Logger = { debug: () => {}, info: note, warn: note, error: note };
  return { logdir, runs, log, logger, left: () => readdirSync(join(logdir, 'plugins/profile')).sort() };
}

function recordOf(run: string | null) {
  return { trace: { run, path: run, perfettoPath: run, bytes: 0, models: [], warnings: [] } };
}

describe('pruneRunTraces', () => {
  it('removes the oldest beyond the limit, but not what is read, nor the one just made', async () => {
    const { logdir, runs, log, logger, left } = await logdirOf(4);
    const limits = { logdir, maxCount: 2, maxBytes: 1e9 };
    const reading = [runs[0] as string];
    await pruneRunTraces(recordOf(runs[3] as string), limits, { reading, nowMs: 9 * DAY_MS, logger });
    expect(left()).toEqual([runs[0], runs[3]].sort());
    expect(log).toEqual(['removed the oldest traces']);
    // Larger than all that is allowed, it stays all the same.
    await pruneRunTraces(
      recordOf(runs[3] as string),
      { ...limits, maxBytes: 1 },
      { reading: [], nowMs: 9 * DAY_MS, logger },
    );
    expect(left()).toEqual([runs[3]]);
  });

  it('does nothing after a run without a trace', async () => {
    const { logdir, log, logger, left } = await logdirOf(2);
    const limits = { logdir, maxCount: 1, maxBytes: 1 };
    await pruneRunTraces({}, limits, { reading: [], nowMs: 0, logger });
    await pruneRunTraces(recordOf(null), limits, { reading: [], nowMs: 0, logger });
    expect(left()).toHaveLength(2);
    expect(log).toEqual([]);
  });

  it.skipIf(process.getuid?.() === 0)('tells of traces that it may not remove', async () => {
    const { logdir, runs, log, logger } = await logdirOf(2);
    chmodSync(logdir, 0o500);
    const limits = { logdir, maxCount: 1, maxBytes: 1e9 };
    await pruneRunTraces(recordOf(runs[1] as string), limits, { reading: [], nowMs: 9 * DAY_MS, logger });
    chmodSync(logdir, 0o700);
    expect(log).toEqual([expect.stringMatching(/^old traces cannot be removed/)]);
  });
});
