import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const PERIOD_US = 20_000;

/**
 * A cgroup whose processes get a part of one CPU, until the test is over; undefined where there are no cgroups that can. Make it before what starts
 * the processes, so that they are gone when it is removed.
 * @returns puts a process into it, with all that it starts from then on
 */
export function makeCpuShare(share: number): ((pid: number) => void) | undefined {
  const quotaUs = Math.round(PERIOD_US * share);
  const versions = [
    { root: '/sys/fs/cgroup/cpu', limits: { 'cpu.cfs_period_us': PERIOD_US, 'cpu.cfs_quota_us': quotaUs } },
    { root: '/sys/fs/cgroup', limits: { 'cpu.max': `${quotaUs} ${PERIOD_US}` } },
  ];
  for (const { root, limits } of versions) {
    const folder = join(root, `ptq-test-${process.pid}`);
    try {
      mkdirSync(folder);
    } catch {
      continue;
    }
    try {
      for (const [name, value] of Object.entries(limits)) writeFileSync(join(folder, name), `${value}`);
      onTestFinished(() => removedAtLast(folder));
      return (pid) => writeFileSync(join(folder, 'cgroup.procs'), `${pid}`);
    } catch {
      rmdirSync(folder);
    }
  }
  return undefined;
}

/** Processes that were killed stay in it for a moment. */
async function removedAtLast(folder: string): Promise<void> {
  for (let left = 100; ; left--) {
    try {
      rmdirSync(folder);
      return;
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
