import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadSettings } from '../../../src/config/settings.ts';
import { isBuilt } from '../../support/program.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

const FOLDER = join(import.meta.dirname, '../../../deploy/debian');
const hasDpkg = spawnSync('dpkg-deb', ['--version']).error === undefined;

/** A host on which the scripts of the package do no harm: programs that only tell that they were called. */
function host() {
  const root = temporaryFolder();
  const programs = join(root, 'programs');
  const log = join(root, 'log');
  mkdirSync(programs);
  mkdirSync(join(root, 'run/systemd/system'), { recursive: true });
  const stub = (name: string, code: number) =>
    writeFileSync(join(programs, name), `#!/bin/sh\necho ${name} "$@" >> ${log}\nexit ${code}\n`, {
      mode: 0o755,
    });
  stub('getent', 2);
  stub('useradd', 0);
  stub('systemctl', 0);
  stub('chown', 0);
  const data = join(root, 'var/lib/ptq-agent');
  return {
    data,
    /** Runs a script, of the package with this version, as dpkg does. */
    run: (script: string, version: string, ...args: readonly string[]) => {
      const file = join(root, script);
      writeFileSync(file, readFileSync(join(FOLDER, script), 'utf8').replace('@VERSION@', version));
      const env = { ...process.env, PATH: `${programs}:${process.env['PATH']}`, DPKG_ROOT: root };
      const { status, stderr } = spawnSync('sh', [file, ...args], { env, encoding: 'utf8' });
      return { status, stderr };
    },
    calls: () => readFileSync(log, 'utf8').trim().split('\n'),
  };
}

describe.skipIf(!hasDpkg)('the Debian package (needs dpkg)', () => {
  it.skipIf(!isBuilt)(
    'has the program, the unit and settings, all of root, and removes none that were changed',
    () => {
      const output = temporaryFolder();
      const env = { ...process.env, WITHOUT_MODULES: '1' };
      execFileSync('sh', [join(FOLDER, 'make-deb.sh'), output], { env, stdio: 'ignore' });
      const [name = ''] = readdirSync(output);
      expect(name).toMatch(/^ptq-agent_\d+\.\d+\.\d+_\w+\.deb$/);
      const list = execFileSync('dpkg-deb', ['--contents', join(output, name)], { encoding: 'utf8' });
      for (const file of [
        './usr/bin/ptq-agent -> ../lib/node_modules/ptq-agent/dist/cli/main.js',
        './usr/lib/node_modules/ptq-agent/dist/cli/main.js',
        './usr/lib/systemd/system/ptq-agent.service',
        './etc/ptq-agent/agent.yaml',
        './etc/ptq-agent/profiles/',
        './usr/share/ptq-agent/dashboards/fleet.json',
      ])
        expect(list).toContain(` ${file}\n`);
      expect(list.split('\n').filter((line) => line !== '' && !line.includes(' root/root '))).toEqual([]);
      const info = execFileSync('dpkg-deb', ['--info', join(output, name), 'conffiles'], {
        encoding: 'utf8',
      });
      expect(info).toBe('/etc/ptq-agent/agent.yaml\n');
    },
    120_000,
  );

  it('has settings that the daemon takes', async () => {
    const settings = unwrap(await loadSettings(join(FOLDER, 'agent.yaml')));
    expect(settings.listen).toEqual({ host: '127.0.0.1', port: 9477 });
  });

  it('makes a user when it is installed, and starts the daemon', () => {
    const { run, calls, data } = host();
    expect(run('postinst', '1.0.0', 'configure', '')).toEqual({ status: 0, stderr: '' });
    expect(existsSync(data)).toBe(true);
    expect(calls()).toEqual([
      'getent passwd ptq-agent',
      'useradd --system --user-group --home-dir /var/lib/ptq-agent --shell /usr/sbin/nologin ptq-agent',
      `chown ptq-agent:ptq-agent ${data}`,
      'systemctl daemon-reload',
      'systemctl enable ptq-agent',
      'systemctl is-enabled --quiet ptq-agent',
      'systemctl restart ptq-agent',
    ]);
  });

  it('leaves results alone in an upgrade, and the database of a newer version aside in a rollback', () => {
    const { run, data } = host();
    mkdirSync(join(data, 'runs'), { recursive: true });
    for (const file of ['state.db', 'state.db-wal', 'token']) writeFileSync(join(data, file), file);
    run('prerm', '1.0.0', 'upgrade', '1.1.0');
    run('postinst', '1.1.0', 'configure', '1.0.0');
    expect(readdirSync(data).sort()).toEqual(['runs', 'state.db', 'state.db-wal', 'token']);
    run('postinst', '1.1.0', 'configure', '1.1.0');
    expect(readdirSync(data)).toContain('state.db');
    expect(run('postinst', '1.0.0', 'configure', '1.1.0')).toEqual({ status: 0, stderr: '' });
    expect(readdirSync(data).sort()).toEqual(['runs', 'state.db-wal.of-1.1.0', 'state.db.of-1.1.0', 'token']);
    run('postrm', '1.0.0', 'purge');
    expect(existsSync(join(data, 'runs'))).toBe(true);
  });

  it('stops the daemon before its files change', () => {
    const { run, calls } = host();
    run('prerm', '1.0.0', 'upgrade', '1.1.0');
    expect(calls()).toEqual(['systemctl stop ptq-agent']);
  });
});
