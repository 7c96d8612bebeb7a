import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { problem } from '../../../src/core/problem.ts';
import type { SuiteRun } from '../../../src/jobs/bench-suite.ts';
import { beginRunTrace } from '../../../src/jobs/run-trace.ts';
import { openStore } from '../../../src/store/store.ts';
import { fakeWorker } from '../../support/fake-worker.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

const ALL = { queries: 9, calibration: true, evaluation: true };

function depsOf(logdir = `${temporaryFolder()}/traces`) {
  const log: string[] = [];
  const note = (message: string) => void log.push(message);
  const logger = { debug: note, info: note, warn: note, error: note };
  const store = unwrap(openStore(temporaryFolder()));
  const deps = { traces: { logdir }, store, workerEntry: fakeWorker().entry, clock: systemClock, logger };
  return { deps, log, logdir };
}

describe('the trace of a run', () => {
  it('does nothing where none is wanted', async () => {
    const { deps, logdir } = depsOf();
    const trace = await beginRunTrace('tiny', undefined, deps);
    expect(trace).toMatchObject({ calibration: undefined, evaluation: undefined });
    expect(trace.bench('profile', 'offline')).toBeUndefined();
    expect(await trace.finish(undefined)).toBeUndefined();
    expect(existsSync(logdir)).toBe(false);
  });

  it('gives each part a folder to trace into, and leaves none behind', async () => {
    const { deps } = depsOf();
    const trace = await beginRunTrace('tiny', ALL, deps);
    const folder = trace.calibration?.folder ?? '';
    expect(existsSync(folder)).toBe(true);
    expect(trace.evaluation).toEqual({ folder, samples: 9, model: 'tiny' });
    expect(trace.bench('profile', 'offline')).toEqual({ traceFolder: folder, tracing: { queries: 9 } });
    await trace.close();
    expect(existsSync(folder)).toBe(false);
  });

  it('leaves out what the profile does not name', async () => {
    const { deps } = depsOf();
    const measurements = ['standard', 'profile/offline'];
    const trace = await beginRunTrace('tiny', { ...ALL, calibration: false, measurements }, deps);
    expect(trace.calibration).toBeUndefined();
    expect(trace.bench('standard', 'server')).toBeDefined();
    expect(trace.bench('profile', 'offline')).toBeDefined();
    expect(trace.bench('profile', 'single-stream')).toBeUndefined();
    await trace.close();
  });

  it('fails no run where its folder cannot be written: the record says why', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    const { deps, log } = depsOf(file);
    const trace = await beginRunTrace('tiny', ALL, deps);
    expect(trace.bench('profile', 'offline')).toBeUndefined();
    expect(await trace.finish(undefined)).toEqual({
      run: null,
      path: null,
      perfettoPath: null,
      bytes: 0,
      models: [],
      warnings: [expect.stringMatching(/^no trace can be written there/)],
    });
    expect(log).toEqual([expect.stringMatching(/^no trace can be written there/)]);
  });

  it('tells which variants are missing, also where no trace comes about', async () => {
    // The worker that would make it knows no such task.
    const { deps } = depsOf();
    const trace = await beginRunTrace('tiny', ALL, deps);
    const usage = { trace: { cost: null, extraRssBytes: null, problem: problem('x', 'no memory') } };
    const run = {
      run: {
        records: [
          { identity: { variant: 'int8' }, usage },
          { identity: {}, usage: null },
        ],
      },
    };
    trace.benchEnded(run as unknown as SuiteRun);
    const record = await trace.finish(undefined);
    expect(record?.warnings[0]).toBe('int8 is not traced, or not whole: no memory');
    await trace.close();
  });
});
