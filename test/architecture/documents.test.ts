import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REPOSITORY } from './planted-project.ts';

const documents = [
  ...[
    'README.md',
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    'docs/benchmarking.md',
    'docs/metrics.md',
    'docs/operations.md',
    'docs/recipes.md',
  ],
  ...readdirSync(join(REPOSITORY, 'docs/decisions')).map((name) => `docs/decisions/${name}`),
];

/** Files and folders of the repository that a text names in backticks; patterns such as `<name>.ts` are none. */
function namedPaths(text: string): readonly string[] {
  return [...text.matchAll(/`((?:src|test|docs|profiles|\.ci)\/[\w./-]+)`/g)].map(([, path = '']) => path);
}

function relativeLinks(text: string): readonly string[] {
  return [...text.matchAll(/\]\((?!\w+:)([^)#]+)/g)].map(([, target = '']) => target);
}

describe.each(documents)('%s', (document) => {
  const text = readFileSync(join(REPOSITORY, document), 'utf8');

  it('names only files that exist', () => {
    expect(namedPaths(text).filter((path) => !existsSync(join(REPOSITORY, path)))).toEqual([]);
  });

  it('links only to files that exist', () => {
    const folder = dirname(join(REPOSITORY, document));
    expect(relativeLinks(text).filter((target) => !existsSync(join(folder, target)))).toEqual([]);
  });
});
