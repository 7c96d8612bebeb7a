import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { leaveOutProfiles } from '../../../../src/jobs/capture/left-out-profiles.ts';
import type { TracePart } from '../../../../src/trace/trace-part.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const part: TracePart = {
  modelId: 'tiny:int8',
  phase: 'bench',
  device: 'cpu',
  pid: 1,
  thread: 'bench int8',
  baseNs: '0',
  startsNs: [],
  endsNs: [],
  firstRequest: 0,
};

describe('leaveOutProfiles', () => {
  it('removes what is beyond the size, and says of whom it was', async () => {
    const folder = temporaryFolder();
    const parts = [600, 500, 300].map((sizeBytes, index) => {
      const profileFile = join(folder, `${index}.json`);
      writeFileSync(profileFile, Buffer.alloc(sizeBytes));
      return { ...part, thread: `bench int8, lane ${index + 1}`, profileFile };
    });
    expect(await leaveOutProfiles(parts, 1024)).toEqual([
      'Operators of tiny:int8 (bench int8, lane 2) are left out: profiles of more than 1.00 KiB are too much for a capture',
    ]);
    expect(parts.map(({ profileFile }) => existsSync(profileFile))).toEqual([true, false, true]);
  });

  it('leaves alone what has no profile, or none any more', async () =>
    expect(await leaveOutProfiles([part, { ...part, profileFile: '/nowhere/at/all' }], 1)).toEqual([]));
});
