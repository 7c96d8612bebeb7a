import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { hostBusySeconds } from '../../../src/jobs/host-busy.ts';
import { readHostFingerprint } from '../../../src/jobs/host-fingerprint.ts';
import { readCpuFeatures } from '../../../src/runtime/cpu-features.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

function rootsWith(stat: string | undefined) {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'proc'));
  if (stat !== undefined) writeFileSync(join(folder, 'proc', 'stat'), stat);
  return { procPath: join(folder, 'proc'), sysPath: join(folder, 'sys'), cgroupPath: join(folder, 'cgroup') };
}

it('counts as busy what is neither idle nor waiting for a disk', () => {
  // user nice system idle iowait irq softirq steal, in hundredths of a second
  const stat = 'cpu  100 200 300 40000 5000 600 700 800 0 0\ncpu0 100 200 300 40000 5000 600 700 800 0 0\n';
  expect(hostBusySeconds(rootsWith(stat))).toBeCloseTo(27, 9);
});

it('does not know how busy a host is that does not tell', () =>
  expect(hostBusySeconds(rootsWith(undefined))).toBeUndefined());

it('lists only the instruction sets that the processor has', () => {
  const cpu = readCpuFeatures();
  const known = ['avx2', 'avx512', 'vnni', 'amxInt8'] as const;
  const { cpuFeatures } = readHostFingerprint();
  for (const feature of known) expect(cpuFeatures.includes(feature)).toBe(cpu[feature]);
});
