import { describe, expect, it } from 'vitest';
import { loadSettings } from '../../../src/config/settings.ts';
import { changedSettings } from '../../../src/config/settings-changes.ts';

describe('changedSettings', () => {
  it('tells by their names in the file those that can change while the daemon runs from those that cannot', async () => {
    const loaded = await loadSettings(undefined, {});
    if (!loaded.ok) throw new Error('there are defaults');
    const before = loaded.value;
    const now = {
      ...before,
      listen: { ...before.listen, port: 1 },
      dataDir: '/elsewhere',
      samplerIntervalMs: 1000,
      log: { ...before.log, requests: true },
    };
    expect(changedSettings(before, now, { canChange: true })).toEqual(['sampler.interval', 'log']);
    expect(changedSettings(before, now, { canChange: false })).toEqual(['listen', 'dataDir']);
    const same = structuredClone(before);
    expect(changedSettings(before, same, { canChange: true })).toEqual([]);
    expect(changedSettings(before, same, { canChange: false })).toEqual([]);
  });

  it('knows of every setting whether a restart is needed for it', async () => {
    const loaded = await loadSettings(undefined, {});
    if (!loaded.ok) throw new Error('there are defaults');
    const before = loaded.value;
    const now = {
      listen: { ...before.listen, port: 1 },
      profiler: { listen: { host: '127.0.0.1', port: 1 }, isDefault: false },
      dataDir: '/elsewhere',
      tokenFile: '/elsewhere/token',
      profilesDir: '/elsewhere/profiles',
      roots: ['/elsewhere'],
      workers: { ...before.workers, niceness: 19 },
      webConfigFile: '/elsewhere/web.yaml',
      samplerIntervalMs: before.samplerIntervalMs + 1,
      traces: { ...before.traces, maxCount: before.traces.maxCount + 1 },
      storage: { ...before.storage, maxBytes: before.storage.maxBytes + 1 },
      watch: { ...before.watch, confirm: false },
      log: { ...before.log, requests: true },
      stopGraceMs: before.stopGraceMs + 1,
    };
    expect(changedSettings(before, now, { canChange: false })).toEqual([
      'listen',
      'profiler',
      'dataDir',
      'tokenFile',
    ]);
    expect(changedSettings(before, now, { canChange: true })).toEqual([
      'profiles',
      'roots',
      'workers',
      'webConfig',
      'sampler.interval',
      'traces',
      'storage',
      'watch',
      'log',
      'stop.grace',
    ]);
  });
});
