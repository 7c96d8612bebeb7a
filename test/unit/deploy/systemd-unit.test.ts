import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const UNIT = join(import.meta.dirname, '../../../deploy/systemd/ptq-agent.service');
const hasAnalyzer = spawnSync('systemd-analyze', ['--version']).error === undefined;

/** A copy whose program is there wherever the test runs, under the name that the unit has. */
function copyOfUnit(): string {
  const file = join(temporaryFolder(), 'ptq-agent.service');
  writeFileSync(file, readFileSync(UNIT, 'utf8').replace('/usr/bin/ptq-agent', '/bin/true'));
  return file;
}

function analyze(...args: readonly string[]) {
  return spawnSync('systemd-analyze', args, { encoding: 'utf8' });
}

describe.skipIf(!hasAnalyzer)('deploy/systemd/ptq-agent.service (needs systemd-analyze)', () => {
  it('has nothing that systemd does not understand', () => {
    const verified = analyze('verify', '--man=no', copyOfUnit());
    expect(verified.stderr.split('\n').filter((line) => line.includes('ptq-agent.service'))).toEqual([]);
    expect(verified.status).toBe(0);
  });

  it('exposes less than three of ten', () => {
    const { stdout } = analyze('security', '--offline=true', '--no-pager', copyOfUnit());
    const [, exposure] = /Overall exposure level for ptq-agent\.service: ([\d.]+)/.exec(stdout) ?? [];
    expect(Number(exposure)).toBeLessThan(3);
  });
});
