import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { plantProject, REPOSITORY } from './planted-project.ts';

const BIOME = join(REPOSITORY, 'node_modules/@biomejs/biome/bin/biome');

interface BiomeReport {
  readonly diagnostics: readonly {
    readonly category: string;
    readonly location: { readonly path: unknown };
  }[];
}

/** The rules of Biome that the files of a project break, by file. */
function lint(folder: string): (file: string) => readonly string[] {
  const { stdout, error } = spawnSync(process.execPath, [BIOME, 'lint', '--reporter=json', 'src', 'test'], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  const { diagnostics } = JSON.parse(stdout) as BiomeReport;
  return (file) =>
    diagnostics
      .filter(({ location }) => JSON.stringify(location.path).includes(`${file}"`))
      .map(({ category }) => category);
}

describe('the linter', () => {
  const broken: Readonly<Record<string, string>> = {
    'lint/suspicious/noConsole': 'console.log(1);\n',
    'lint/suspicious/noExplicitAny': 'export const value: any = 1;\n',
    'lint/style/noDefaultExport': 'export default 1;\n',
    'lint/style/noEnum': 'export enum Unit { Byte }\n',
    'lint/nursery/noFloatingPromises':
      'async function save(): Promise<void> {}\nexport function go(): void {\n  save();\n}\n',
    'lint/correctness/noUndeclaredDependencies':
      "import { chunk } from 'lodash';\nexport const chunks = chunk;\n",
  };
  const fileOf = (rule: string) => `planted-${Object.keys(broken).indexOf(rule)}.ts`;
  const rulesBrokenBy = lint(
    plantProject({
      ...Object.fromEntries(Object.entries(broken).map(([rule, text]) => [`src/core/${fileOf(rule)}`, text])),
      'src/core/clean.ts': 'export const value = 1;\n',
      'test/perf/main.ts': 'console.log(1);\n',
    }),
  );

  it.each(Object.keys(broken))('refuses what breaks %s', (rule) => {
    expect(rulesBrokenBy(fileOf(rule))).toContain(rule);
  });

  it('lets a performance measurement print its table', () => {
    expect(rulesBrokenBy('main.ts')).toEqual([]);
  });

  it('finds nothing in a clean file', () => {
    expect(rulesBrokenBy('clean.ts')).toEqual([]);
  });
});
