import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { HostRoots } from '../../../src/telemetry/collectors/collector.ts';

const FIXTURES = fileURLToPath(new URL('../../fixtures', import.meta.url));

/** A four-core server with two NVMe disks (one of them multipath), a SATA disk, and process 4242 at work. */
export const fixtureHost: HostRoots = rootsIn(FIXTURES);

/**
 * A copy of the fixture host with some files replaced, or removed where the text is null.
 * Paths are relative: `proc/stat`, `sys/block`, `cgroup/system.slice/memory.max`.
 */
export function hostWith(changes: Readonly<Record<string, string | null>>): HostRoots {
  const folder = mkdtempSync(join(tmpdir(), 'ptq-host-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const tree of ['proc', 'sys', 'cgroup']) {
    cpSync(join(FIXTURES, tree), join(folder, tree), { recursive: true });
  }
  for (const [path, text] of Object.entries(changes)) {
    const file = join(folder, path);
    rmSync(file, { recursive: true, force: true });
    if (text === null) continue;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return rootsIn(folder);
}

function rootsIn(folder: string): HostRoots {
  return {
    procPath: join(folder, 'proc'),
    sysPath: join(folder, 'sys'),
    cgroupPath: join(folder, 'cgroup'),
  };
}
