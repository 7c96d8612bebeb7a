import { describe, expect, it } from 'vitest';
import { renderCollection } from '../../../src/cli/gc-report.ts';
import type { StorageUsage } from '../../../src/jobs/storage/plan-collection.ts';
import { STORAGE_KINDS } from '../../../src/jobs/storage/plan-collection.ts';

const nothing = Object.fromEntries(STORAGE_KINDS.map((kind) => [kind, 0])) as StorageUsage;

const report = {
  before: { ...nothing, artifacts: 3 * 2 ** 20, runs: 2 ** 20 },
  after: nothing,
  totalBytes: 4 * 2 ** 20,
  quotaBytes: 2 ** 30,
  freeBytes: 2 ** 31,
  minFreeBytes: 0,
  artifactsInUse: 1,
  removed: [
    { kind: 'artifacts', name: 'a', reason: 'age', sizeBytes: 2 ** 20 },
    { kind: 'artifacts', name: 'b', reason: 'quota', sizeBytes: 2 ** 20 },
    { kind: 'temporary', name: 'c', reason: 'leftover', sizeBytes: 0 },
  ],
  failures: ['runs x: EACCES'],
} as const;

const lines = (dryRun: boolean) =>
  renderCollection({ ...report, dryRun })
    .split('\n')
    .map((line) => line.replaceAll(/ +/g, ' ').trim());

describe('the report of a collection', () => {
  it('has a line for each kind that there is or that went, with the reasons', () => {
    const [head, ...rest] = lines(false);
    expect(head).toBe('what size removed because of');
    expect(rest.filter((line) => /^(artifacts|runs|temporary) /.test(line))).toEqual([
      'artifacts 3.00 MiB 2 (2.00 MiB) age, quota',
      'runs 1.00 MiB –',
      'temporary 0 B 1 leftover',
    ]);
    expect(rest.filter((line) => /^(outputs|golden|calibration) /.test(line))).toEqual([]);
    expect(rest).toContain('4.00 MiB of 1.00 GiB, 2.00 GiB free on the disk, 1 artifacts in use');
    expect(rest.at(-1)).toBe('could not be removed: runs x: EACCES');
  });

  it('says of a dry run what would go', () => {
    expect(lines(true)[0]).toBe('what size would go because of');
  });
});
