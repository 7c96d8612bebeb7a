import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SMART_TOOLS } from '../../../../src/telemetry/collectors/smart-log.ts';
import { readSmart } from '../../../../src/telemetry/collectors/smart-reader.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const missing = { ...(SMART_TOOLS[0] as (typeof SMART_TOOLS)[number]), command: '/nonexistent/nvme' };

/** A tool whose program is this shell script. */
function scripted(script: string) {
  const command = join(temporaryFolder(), 'nvme');
  writeFileSync(command, `#!/bin/sh\n${script}\n`);
  chmodSync(command, 0o755);
  return { ...missing, command };
}

describe('readSmart', () => {
  it('asks the first tool that is installed for the drive', async () => {
    const tool = scripted('test "$4" = /dev/nvme7 && echo \'{"percent_used": 9}\'');
    expect(await readSmart('nvme7', { tools: [missing, tool] })).toEqual({
      ok: true,
      value: { percentageUsedRatio: 0.09 },
    });
  });

  it('takes the log of a drive that is failing, which the exit status tells too', async () => {
    const tool = scripted('echo \'{"percent_used": 101, "critical_warning": 1}\'; echo careful >&2; exit 8');
    expect(await readSmart('nvme0', { tools: [tool] })).toMatchObject({ value: { criticalWarning: 1 } });
  });

  it('says that no tool is installed', async () => {
    expect(await readSmart('nvme0', { tools: [missing] })).toMatchObject({
      error: { state: 'not-installed' },
    });
  });

  it('says that the drive is for root only', async () => {
    const tool = scripted('echo "nvme0: Permission denied" >&2; exit 1');
    expect(await readSmart('nvme0', { tools: [tool] })).toEqual({
      ok: false,
      error: { state: 'not-permitted', reason: 'nvme0: Permission denied' },
    });
  });

  it('gives the words of any other failure', async () => {
    const tool = scripted('echo gibberish; exit 2');
    expect(await readSmart('nvme0', { tools: [tool] })).toMatchObject({
      error: { state: 'failed', reason: 'gibberish' },
    });
  });

  it('does not wait for a tool that hangs', async () => {
    const tool = scripted('exec sleep 60');
    expect(await readSmart('nvme0', { tools: [tool], timeoutMs: 200 })).toMatchObject({
      error: { state: 'failed', reason: expect.stringContaining('within 0.2 s') },
    });
  });
});
