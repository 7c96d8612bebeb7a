import { existsSync, mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pruneTraces } from '../../../src/trace/prune-traces.ts';
import { publishTrace } from '../../../src/trace/publish.ts';
import { traceOf } from '../../support/hand-made-trace.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

const NOW_MS = Date.UTC(2026, 10, 26, 12);
const DAY_MS = 24 * 3600 * 1000;

/** Runs of so many days in a row, the first the oldest. */
async function publishDays(logdir: string, days: number): Promise<string[]> {
  const runs: string[] = [];
  for (let day = 0; day < days; day++) {
    const startedAt = new Date(NOW_MS + (day - days) * DAY_MS);
    runs.push(unwrap(await publishTrace(traceOf([]), { logdir, startedAt })).run);
  }
  return runs;
}

function profiles(logdir: string): string[] {
  return readdirSync(join(logdir, 'plugins', 'profile')).sort();
}

describe('pruneTraces', () => {
  it('removes the oldest runs beyond the number, from both trees', async () => {
    const logdir = temporaryFolder();
    const runs = await publishDays(logdir, 4);
    expect(await pruneTraces(logdir, { maxCount: 2, nowMs: NOW_MS })).toEqual({
      ok: true,
      value: runs.slice(0, 2),
    });
    expect(profiles(logdir)).toEqual(runs.slice(2));
    expect(readdirSync(join(logdir, 'perfetto')).sort()).toEqual(runs.slice(2));
    expect(readdirSync(logdir)).toEqual(['perfetto', 'plugins']);
  });

  it('counts what viewers keep beside a trace', async () => {
    const logdir = temporaryFolder();
    const runs = await publishDays(logdir, 3);
    const newest = join(logdir, 'plugins', 'profile', runs[2] ?? '');
    expect(unwrap(await pruneTraces(logdir, { maxBytes: 1e6, nowMs: NOW_MS }))).toEqual([]);
    mkdirSync(join(newest, 'cache'));
    writeFileSync(join(newest, 'cache', 'ALL_HOSTS.op_stats.pb'), Buffer.alloc(1e6));
    expect(unwrap(await pruneTraces(logdir, { maxBytes: 1.01e6, nowMs: NOW_MS }))).toEqual([]);
    expect(unwrap(await pruneTraces(logdir, { maxBytes: 1e6, nowMs: NOW_MS }))).toEqual(runs);
  });

  it('keeps runs that are in use, and removes the next ones instead', async () => {
    const logdir = temporaryFolder();
    const runs = await publishDays(logdir, 3);
    const inUse = new Set([runs[0] ?? '']);
    expect(unwrap(await pruneTraces(logdir, { maxCount: 1, inUse, nowMs: NOW_MS }))).toEqual(runs.slice(1));
    expect(unwrap(await pruneTraces(logdir, { maxCount: 0, inUse, nowMs: NOW_MS }))).toEqual([]);
    expect(profiles(logdir)).toEqual(runs.slice(0, 1));
  });

  it('touches and counts nobody else’s runs', async () => {
    const logdir = temporaryFolder();
    const [run = ''] = await publishDays(logdir, 1);
    const profile = join(logdir, 'plugins', 'profile');
    const elsewhere = temporaryFolder();
    const marks = {
      unmarked: undefined,
      broken: '{',
      foreign: '{"madeBy":"else","startedMs":1}',
      timeless: '{"madeBy":"ptq-agent"}',
    };
    for (const [name, mark] of Object.entries(marks)) {
      mkdirSync(join(profile, name));
      writeFileSync(join(profile, name, 'host.xplane.pb'), Buffer.alloc(1e6));
      if (mark !== undefined) writeFileSync(join(profile, name, '.ptq-agent.json'), mark);
    }
    writeFileSync(join(elsewhere, '.ptq-agent.json'), '{"madeBy":"ptq-agent","startedMs":1}');
    symlinkSync(elsewhere, join(profile, 'linked'));
    expect(unwrap(await pruneTraces(logdir, { maxCount: 1, maxBytes: 5e5, nowMs: NOW_MS }))).toEqual([]);
    expect(unwrap(await pruneTraces(logdir, { maxCount: 0, nowMs: NOW_MS }))).toEqual([run]);
    expect(profiles(logdir)).toEqual(['broken', 'foreign', 'linked', 'timeless', 'unmarked']);
    expect(readdirSync(elsewhere)).toEqual(['.ptq-agent.json']);
  });

  it('removes what a crash left, a day later', async () => {
    const logdir = temporaryFolder();
    const left = join(logdir, '.ptq-agent-tmp-abc');
    mkdirSync(left);
    utimesSync(left, (NOW_MS - DAY_MS / 2) / 1e3, (NOW_MS - DAY_MS / 2) / 1e3);
    unwrap(await pruneTraces(logdir, { nowMs: NOW_MS }));
    expect(existsSync(left)).toBe(true);
    unwrap(await pruneTraces(logdir, { nowMs: NOW_MS + DAY_MS }));
    expect(existsSync(left)).toBe(false);
  });

  it('finds nothing where there is no folder', async () => {
    expect(await pruneTraces(join(temporaryFolder(), 'none'), { maxCount: 0, nowMs: NOW_MS })).toEqual({
      ok: true,
      value: [],
    });
  });

  it('orders runs of one second by their numbers', async () => {
    const logdir = temporaryFolder();
    const runs: string[] = [];
    for (let again = 0; again < 12; again++) {
      runs.push(unwrap(await publishTrace(traceOf([]), { logdir, startedAt: new Date(NOW_MS) })).run);
    }
    expect(unwrap(await pruneTraces(logdir, { maxCount: 1, nowMs: NOW_MS }))).toEqual(runs.slice(0, 11));
  });
});
