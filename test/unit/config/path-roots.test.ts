import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadProfiles } from '../../../src/config/load-profiles.ts';
import { leadsOutside } from '../../../src/config/path-roots.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** Two folders, `inside` and `outside`, with a file each, and links between them. */
function folders() {
  const folder = temporaryFolder();
  const [inside, outside] = [join(folder, 'inside'), join(folder, 'outside')];
  for (const path of [inside, outside]) {
    mkdirSync(path);
    writeFileSync(join(path, 'file'), '');
  }
  symlinkSync(join(outside, 'file'), join(inside, 'link-out'));
  symlinkSync(outside, join(inside, 'folder-out'));
  symlinkSync(join(inside, 'file'), join(inside, 'link-in'));
  symlinkSync(inside, join(folder, 'also-inside'));
  return { folder, inside, outside };
}

describe('leadsOutside', () => {
  it('lets through what lies below a root, by any of its names', async () => {
    const { folder, inside } = folders();
    const roots = [join(folder, 'also-inside')];
    for (const path of ['file', 'link-in', 'missing', '.', 'a/../file']) {
      expect(await leadsOutside(join(inside, path), [inside])).toBeUndefined();
      expect(await leadsOutside(join(inside, path), roots)).toBeUndefined();
      expect(await leadsOutside(join(folder, 'also-inside', path), roots)).toBeUndefined();
    }
  });

  it('tells where a path leads that is elsewhere, by its name or by a link', async () => {
    const { folder, inside, outside } = folders();
    for (const path of ['../outside/file', '/etc/hostname', '../inside-not']) {
      expect(await leadsOutside(join(inside, path), [inside])).toBe(
        path.startsWith('/') ? undefined : join(inside, path),
      );
    }
    expect(await leadsOutside('/etc/hostname', [inside])).toBe('/etc/hostname');
    expect(await leadsOutside(join(inside, 'link-out'), [inside])).toBe(join(outside, 'file'));
    expect(await leadsOutside(join(inside, 'folder-out', 'file'), [inside])).toBe(join(outside, 'file'));
    expect(await leadsOutside(folder, [inside])).toBe(folder);
  });

  it('lets everything through where there are no roots, and nothing where there are none of them', async () => {
    expect(await leadsOutside('/etc/hostname', undefined)).toBeUndefined();
    expect(await leadsOutside('/etc/hostname', [])).toBe('/etc/hostname');
  });
});

describe('profiles of a daemon', () => {
  const profile = (fields: string) => `name: tiny
variants: [{ name: int8, recipe: static-int8 }]
${fields}
`;

  it.each([
    ['model', 'model: ../outside/file\ndata: { path: file }', '/model'],
    ['model, by a link', 'model: link-out\ndata: { path: file }', '/model'],
    ['data', 'model: file\ndata: { path: folder-out }', '/data/path'],
    ['labels', 'model: file\ndata: { path: file, labels: { file: /etc/hostname } }', '/data/labels/file'],
    [
      'preprocess module',
      'model: file\ndata: { path: file, preprocess: folder-out/mine.mjs }',
      '/data/preprocess',
    ],
    [
      'tokenizer',
      'model: file\ndata: { path: file, inputs: { ids: { tokenize: { tokenizer: ../outside/t.json } } } }',
      '/data/inputs/ids/tokenize/tokenizer',
    ],
    [
      'task module',
      'model: file\ndata: { path: file }\ntask: { module: ../outside/task.mjs }',
      '/task/module',
    ],
    [
      'trace',
      'model: file\ndata: { path: file }\nbench: { scenarios: [{ scenario: replay, trace: { file: ../outside/t.csv } }] }',
      '/bench/scenarios/0/trace/file',
    ],
    [
      'suite',
      'model: file\ndata: { path: file }\nbench: { suites: [../outside/suite.yaml] }',
      '/bench/suites/0',
    ],
    [
      'trace of a suite',
      'model: file\ndata: { path: file }\nbench: { suites: [./suite.yaml] }',
      '/measurements/0/trace/file',
    ],
  ])('name no %s outside of the roots', async (_what, fields, field) => {
    const { inside, outside } = folders();
    writeFileSync(join(inside, 'profile.yaml'), profile(fields));
    const suite = 'name: s\nmeasurements: [{ scenario: replay, trace: { file: ../outside/t.csv } }]\n';
    writeFileSync(join(inside, 'suite.yaml'), suite);
    const { profiles, problems } = await loadProfiles(inside, [inside]);
    expect(profiles).toEqual([]);
    const found = problems.filter(({ kind }) => kind === 'path-outside-roots');
    expect(found).toMatchObject([
      {
        place: { field, line: expect.any(Number) },
        message: expect.stringContaining(`, outside of ${inside}`),
        hint: expect.stringContaining('--root'),
      },
    ]);
    // That a file is missing there is not told.
    expect(
      problems.filter(({ message }) => message.includes(outside) && message.startsWith('there is no')),
    ).toEqual([]);
    // Every such path may be used where its folder is a root.
    const allowed = await loadProfiles(inside, [inside, outside, '/etc']);
    expect(allowed.problems.filter(({ kind }) => kind === 'path-outside-roots')).toEqual([]);
  });

  it('are not themselves links to files elsewhere, whose lines would be told as errors', async () => {
    const { inside, outside } = folders();
    writeFileSync(join(outside, 'secret'), 'password: hunter2');
    symlinkSync(join(outside, 'secret'), join(inside, 'profile.yaml'));
    const { problems } = await loadProfiles(inside, [inside]);
    expect(problems).toMatchObject([
      { kind: 'path-outside-roots', place: { file: join(inside, 'profile.yaml') } },
    ]);
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });

  it.each([
    [
      'a named pipe, which nobody writes to',
      'not a regular file',
      (path: string) => execFileSync('mkfifo', [path]),
    ],
    ['a gigabyte', 'larger than 1 MiB', (path: string) => writeFileSync(path, Buffer.alloc(2 ** 20 + 1))],
  ])('do not keep the daemon waiting where one is %s', async (_what, reason, make) => {
    const { inside } = folders();
    make(join(inside, 'pipe.yaml'));
    writeFileSync(join(inside, 'good.yaml'), profile('model: file\ndata: { path: file }'));
    const { profiles, problems } = await loadProfiles(inside, [inside]);
    expect(profiles).toHaveLength(1);
    expect(problems).toMatchObject([{ kind: 'profile-not-found', message: expect.stringContaining(reason) }]);
  });

  it('tell no more of a file that is no YAML at all than a person reads', async () => {
    const { inside } = folders();
    writeFileSync(join(inside, 'bad.yaml'), '['.repeat(5000));
    const { problems } = await loadProfiles(inside, [inside]);
    expect(problems.length).toBeLessThan(30);
    expect(problems.at(-1)?.message).toMatch(/^not valid YAML, \d+ times more$/);
  });

  it('name bundled suites wherever this program is', async () => {
    const { inside } = folders();
    writeFileSync(
      join(inside, 'profile.yaml'),
      profile('model: file\ndata: { path: file }\nbench: { suites: [standard] }'),
    );
    expect((await loadProfiles(inside, [inside])).problems).toEqual([]);
  });
});
