import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Check } from 'typebox/value';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { dataSetFiles } from './data-set-files.ts';
import { didYouMean } from './did-you-mean.ts';
import { leadsOutside, outsideRoots } from './path-roots.ts';
import { readSmallFile } from './read-small-file.ts';
import { byPlace, type SchemaProblemKind, schemaProblems } from './schema-problems.ts';
import { resolveSuite, type Suite, suiteRuleProblems } from './suite.ts';
import { SuiteSchema } from './suite-schema.ts';
import { parseYaml, type YamlDocument, type YamlProblemKind } from './yaml-document.ts';

export type SuiteProblem = Problem<
  YamlProblemKind | SchemaProblemKind | 'suite-not-found' | 'file-not-found' | 'path-outside-roots'
>;

/** The suites that come with this program. */
export const BUNDLED_SUITES = fileURLToPath(new URL('../../profiles/suites/', import.meta.url));

/**
 * Reads a suite by the path of its file, or by its name: `<name>.yaml` in the first of the folders that has it.
 * Every error of the file is reported at once, with line, column and field; so are data and traces that do not exist.
 * @param folder what a path is relative to
 * @param folders where names are looked up
 * @param roots the folders in which all files have to lie that are named, links followed; anywhere unless given
 */
export async function loadSuite(
  nameOrPath: string,
  {
    folder,
    folders,
    roots,
  }: {
    readonly folder: string;
    readonly folders: readonly string[];
    readonly roots?: readonly string[];
  },
): Promise<Result<Suite, readonly SuiteProblem[]>> {
  // What comes with this program may be read wherever it is installed.
  const allowed = roots === undefined ? undefined : [...roots, BUNDLED_SUITES];
  if (isPath(nameOrPath)) return readSuite(resolve(folder, nameOrPath), allowed);
  for (const place of folders) {
    const file = join(place, `${nameOrPath}.yaml`);
    if (await exists(file)) return readSuite(file, allowed);
  }
  const known = await suitesIn(folders);
  const near = didYouMean(nameOrPath, known);
  return err([
    problem('suite-not-found', `there is no suite named '${nameOrPath}'`, {
      hint:
        near === undefined
          ? `there are ${known.join(', ') || 'none'}; a file is named by its path, such as ./${nameOrPath}.yaml`
          : `did you mean "${near}"?`,
    }),
  ]);
}

/** A name has no folder and no ending. */
function isPath(nameOrPath: string): boolean {
  return /[/\\]|\.ya?ml$/.test(nameOrPath);
}

async function readSuite(
  file: string,
  roots: readonly string[] | undefined,
): Promise<Result<Suite, readonly SuiteProblem[]>> {
  const outside = await leadsOutside(file, roots);
  // Its place is where it is named.
  if (outside !== undefined) return err([outsideRoots('the suite', outside, roots, undefined)]);
  let text: string;
  try {
    text = await readSmallFile(file);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    return err([
      problem('suite-not-found', `the suite cannot be read (${reason})`, {
        place: { file },
        hint: 'name a suite such as standard, or the path of a YAML file with one',
      }),
    ]);
  }
  const parsed = parseYaml(text, file);
  if (!parsed.ok) return parsed;
  const document = parsed.value;
  const problems: SuiteProblem[] = [...document.duplicates, ...schemaProblems(SuiteSchema, document)];
  if (!Check(SuiteSchema, document.value)) return err(problems.sort(byPlace));
  const suite = resolveSuite(document.value, file);
  problems.push(
    ...suiteRuleProblems(document.value, document),
    ...(await unusableFiles(suite, document, roots)),
  );
  return problems.length > 0 ? err(problems.sort(byPlace)) : ok(suite);
}

/** Files that may not be read, and those that are not there. */
async function unusableFiles(
  suite: Suite,
  document: YamlDocument,
  roots: readonly string[] | undefined,
): Promise<readonly SuiteProblem[]> {
  const named = [
    ...suite.measurements.flatMap(({ trace }, index) =>
      trace === undefined ? [] : [[`/measurements/${index}/trace/file`, trace.file] as const],
    ),
    ...(suite.inputs?.set === undefined ? [] : dataSetFiles(suite.inputs.set, '/inputs')),
  ];
  const found: SuiteProblem[] = [];
  for (const [field, file] of named) {
    const place = document.placeOf(field, 'value');
    const outside = await leadsOutside(file, roots);
    if (outside !== undefined) {
      found.push(outsideRoots(`${field.slice(1)} of the suite "${suite.name}"`, outside, roots, place));
    } else if (!(await exists(file))) {
      const hint = 'correct the path; it is relative to the suite file unless absolute';
      found.push(problem('file-not-found', `there is no ${file}`, { place, hint }));
    }
  }
  return found;
}

async function suitesIn(folders: readonly string[]): Promise<readonly string[]> {
  const names = await Promise.all(folders.map((folder) => readdir(folder).catch(() => [])));
  const suites = names.flat().flatMap((name) => /^(.+)\.yaml$/.exec(name)?.[1] ?? []);
  return [...new Set(suites)].sort();
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
