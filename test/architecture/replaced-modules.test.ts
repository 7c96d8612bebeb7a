import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import config from '../../vitest.config.ts';

const REPOSITORY = new URL('../../', import.meta.url);
const REPLACES = /\bvi\.(mock|doMock)\(/;

it('keeps tests that replace modules apart from those that share them', () => {
  const replacing = ['test/unit', 'test/architecture']
    .flatMap((folder) =>
      readdirSync(new URL(folder, REPOSITORY), { recursive: true }).map((name) => `${folder}/${name}`),
    )
    .filter((file) => file.endsWith('.test.ts'))
    .filter((file) => REPLACES.test(readFileSync(new URL(file, REPOSITORY), 'utf8')));
  const alone = (config.test?.projects ?? []).flatMap((project) =>
    typeof project === 'object' && 'test' in project && project.test?.name === 'alone'
      ? (project.test.include ?? [])
      : [],
  );
  expect(replacing.sort()).toEqual([...alone].sort());
});
