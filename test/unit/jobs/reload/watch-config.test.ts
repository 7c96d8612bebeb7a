import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../../../../src/core/log.ts';
import { configStamp, watchConfig } from '../../../../src/jobs/reload/watch-config.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** @param lookEveryMs longer than any test where only what the kernel tells shall count */
async function watching({
  lookEveryMs = 3600_000,
  restMs = 40,
}: {
  readonly lookEveryMs?: number;
  readonly restMs?: number;
} = {}) {
  const root = temporaryFolder();
  const settings = join(root, 'etc/agent.yaml');
  const profilesDir = join(root, 'profiles');
  mkdirSync(join(root, 'etc'));
  mkdirSync(join(profilesDir, 'tiny/suites'), { recursive: true });
  writeFileSync(settings, 'listen: 127.0.0.1:0\n');
  writeFileSync(join(profilesDir, 'tiny/profile.yaml'), 'name: tiny\n');
  writeFileSync(join(profilesDir, 'tiny/suites/quick.yaml'), 'name: quick\n');
  const seen = { changes: 0, rests: 0 };
  const start = async () => {
    const places = () => ({ files: [settings], profilesDir });
    const since = await configStamp(places());
    const end = watchConfig({
      since,
      places,
      onChange: async () => {
        seen.changes += 1;
      },
      onRest: async () => {
        seen.rests += 1;
      },
      logger: silentLogger,
      restMs,
      lookEveryMs,
    });
    ends.push(end);
    // It watches once it has looked.
    await vi.waitFor(() => expect(seen.rests).toBeGreaterThan(0), { timeout: 20_000 });
  };
  const changed = (times: number) =>
    vi.waitFor(() => expect(seen.changes).toBe(times), { timeout: 20_000, interval: 10 });
  return { settings, profilesDir, seen, start, changed, root };
}

describe('watchConfig', { timeout: 60_000 }, () => {
  it.each<[string, (at: { settings: string; profilesDir: string }) => void]>([
    ['a file that is written anew', ({ settings }) => writeFileSync(settings, 'listen: 127.0.0.1:1\n')],
    [
      'a file that an editor puts in its place by renaming',
      ({ settings }) => {
        writeFileSync(`${settings}~`, 'listen: 127.0.0.1:0\n');
        renameSync(`${settings}~`, settings);
      },
    ],
    [
      'a profile in its folder',
      ({ profilesDir }) => writeFileSync(join(profilesDir, 'tiny/profile.yaml'), 'name: t\n'),
    ],
    ['a suite', ({ profilesDir }) => writeFileSync(join(profilesDir, 'tiny/suites/quick.yaml'), 'name: q\n')],
    [
      'a profile that is added',
      ({ profilesDir }) => writeFileSync(join(profilesDir, 'other.yaml'), 'name: o\n'),
    ],
    [
      'a profile that is removed',
      ({ profilesDir }) => rmSync(join(profilesDir, 'tiny'), { recursive: true }),
    ],
  ])('tells of %s', async (_what, change) => {
    const { settings, profilesDir, start, changed, seen } = await watching();
    await start();
    change({ settings, profilesDir });
    await changed(1);
    expect(seen.changes).toBe(1);
  });

  it('tells of a folder with a profile that is added file by file, and of what happens in it later', async () => {
    const { profilesDir, start, changed } = await watching();
    await start();
    mkdirSync(join(profilesDir, 'late'));
    writeFileSync(join(profilesDir, 'late/profile.yaml'), 'name: late\n');
    await changed(1);
    writeFileSync(join(profilesDir, 'late/profile.yaml'), 'name: later\n');
    await changed(2);
  });

  it('tells of a ConfigMap that is changed by renaming the link that its files go through', async () => {
    const { profilesDir, start, changed } = await watching();
    for (const version of ['..one', '..two']) {
      mkdirSync(join(profilesDir, version));
      writeFileSync(join(profilesDir, version, 'mapped.yaml'), `name: mapped # ${version}\n`);
    }
    symlinkSync('..one', join(profilesDir, '..data'));
    symlinkSync('..data/mapped.yaml', join(profilesDir, 'mapped.yaml'));
    await start();
    symlinkSync('..two', join(profilesDir, '..data_tmp'));
    renameSync(join(profilesDir, '..data_tmp'), join(profilesDir, '..data'));
    await changed(1);
  });

  it('finds by looking what the kernel does not tell, such as what a link leads to elsewhere', async () => {
    const { profilesDir, root, start, changed } = await watching({ lookEveryMs: 50 });
    writeFileSync(join(root, 'elsewhere.yaml'), 'name: linked\n');
    symlinkSync(join(root, 'elsewhere.yaml'), join(profilesDir, 'linked.yaml'));
    await start();
    writeFileSync(join(root, 'elsewhere.yaml'), 'name: linked # anew\n');
    await changed(1);
  });

  it('waits until a file is no longer written to', async () => {
    // Many writes long: one that a busy machine holds up for a while is no rest.
    const { settings, start, seen, changed } = await watching({ restMs: 300 });
    await start();
    // Each write is another size, so that no two looks can tell the same while it goes on.
    let text = 'listen: 127.0.0.1:0\n';
    const writing = setInterval(() => {
      text += '#\n';
      writeFileSync(settings, text);
    }, 5);
    await new Promise((resolve) => setTimeout(resolve, 900));
    const changesMeanwhile = seen.changes;
    clearInterval(writing);
    await changed(1);
    expect(changesMeanwhile).toBe(0);
  });

  it('tells nothing of a file that is none of the configuration, nor after its end', async () => {
    const { settings, profilesDir, start, seen } = await watching();
    await start();
    const restsBefore = seen.rests;
    writeFileSync(join(profilesDir, 'tiny/notes.txt'), 'not read');
    await vi.waitFor(() => expect(seen.rests).toBeGreaterThan(restsBefore), { timeout: 20_000 });
    expect(seen.changes).toBe(0);
    await ends.pop()?.();
    writeFileSync(settings, 'listen: 127.0.0.1:7\n');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(seen.changes).toBe(0);
  });
});
