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
});
