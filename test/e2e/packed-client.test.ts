import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REPOSITORY } from '../architecture/planted-project.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const PROGRAM = `
import { createClient, type Client, type ClientResult, type Run } from 'ptq-agent/client';
const client: Client = createClient({ url: 'http://127.0.0.1:1', token: 'secret' });
const ordered: ClientResult<Run> = await client.evaluate({ model: 'digits', variants: ['int8'], priority: 'high' });
if (ordered.ok) {
  const state: 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'interrupted' | 'expired' = ordered.value.state;
  console.log(state);
} else console.log(ordered.error.kind);
`;

describe('the client of the packed program', () => {
  it('can be imported by another program, with its types and without the daemon', {
    timeout: 120_000,
  }, () => {
    const folder = temporaryFolder();
    const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
      cwd: REPOSITORY,
      encoding: 'utf8',
    });
    const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
    const modules = join(folder, 'node_modules');
    mkdirSync(join(modules, 'ptq-agent'), { recursive: true });
    execFileSync('tar', [
      '-xzf',
      join(folder, filename),
      '-C',
      join(modules, 'ptq-agent'),
      '--strip-components=1',
    ]);
    // The only package that its types know.
    symlinkSync(join(REPOSITORY, 'node_modules/typebox'), join(modules, 'typebox'));
    mkdirSync(join(modules, '@types'));
    symlinkSync(join(REPOSITORY, 'node_modules/@types/node'), join(modules, '@types/node'));
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    writeFileSync(join(folder, 'program.ts'), PROGRAM);
    const tsc = join(REPOSITORY, 'node_modules/typescript/bin/tsc');
    const compile = (...more: string[]) =>
      execFileSync(
        process.execPath,
        [
          tsc,
          '--strict',
          '--module',
          'nodenext',
          '--target',
          'es2023',
          '--types',
          'node',
          ...more,
          'program.ts',
        ],
        { cwd: folder, encoding: 'utf8' },
      );
    compile();
    const said = execFileSync(process.execPath, ['program.js'], { cwd: folder, encoding: 'utf8' });
    expect(said.trim()).toBe('daemon-unreachable');
    writeFileSync(join(folder, 'program.ts'), PROGRAM.replace("priority: 'high'", "priority: 'urgent'"));
    expect(() => compile()).toThrow();
  });
});
