import { readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Check } from 'typebox/value';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { capturedSuite } from './captured-suite.ts';
import { dataSetFiles, type NamedFile } from './data-set-files.ts';
import { BUNDLED_SUITES, loadSuite } from './load-suite.ts';
import { leadsOutside, outsideRoots } from './path-roots.ts';
import { type Profile, resolveProfile } from './profile.ts';
import { profileRuleProblems, traceRuleProblems } from './profile-rules.ts';
import { ProfileSchema, type ProfileSource } from './profile-schema.ts';
import { readSmallFile } from './read-small-file.ts';
import { byPlace, type SchemaProblemKind, schemaProblems } from './schema-problems.ts';
import type { Suite } from './suite.ts';
import { parseYaml, type YamlDocument, type YamlProblemKind } from './yaml-document.ts';

export type ProfileProblem = Problem<
  | YamlProblemKind
  | SchemaProblemKind
  | 'profile-not-found'
  | 'suite-not-found'
  | 'unknown-suite'
  | 'file-not-found'
  | 'path-outside-roots'
  | 'duplicate-profile'
>;

interface Loaded {
  readonly profile: Profile;
  readonly document: YamlDocument;
}

/**
 * Reads a profile from its file, or from `profile.yaml` in a folder. Every error of the file is reported at
 * once, with line, column and field; so are a model and data that do not exist.
 */
export async function loadProfile(path: string): Promise<Result<Profile, readonly ProfileProblem[]>> {
  const absolute = resolve(path);
  const file = (await kindOf(absolute)) === 'folder' ? join(absolute, 'profile.yaml') : absolute;
  const loaded = await load(file, undefined);
  return loaded.ok ? ok(loaded.value.profile) : loaded;
}

/**
 * Reads every `*.yaml` of a folder and every `profile.yaml` one level below it, in the order of their names.
 * A bad profile does not stop the others. Of two profiles with one name the first is kept.
 * @param roots the folders in which all files have to lie that profiles name, links followed; anywhere unless given
 */
export async function loadProfiles(
  dir: string,
  roots?: readonly string[],
): Promise<{ readonly profiles: readonly Profile[]; readonly problems: readonly ProfileProblem[] }> {
  const root = resolve(dir);
  if ((await kindOf(root)) !== 'folder') {
    const hint = 'create the folder, or name another one with --profiles';
    return {
      profiles: [],
      problems: [
        problem('profile-not-found', 'there is no such folder of profiles', { place: { file: root }, hint }),
      ],
    };
  }

  const loaded: Loaded[] = [];
  const problems: ProfileProblem[] = [];
  for (const file of await profileFiles(root)) {
    const result = await load(file, roots);
    if (!result.ok) {
      problems.push(...result.error);
      continue;
    }
    const { profile, document } = result.value;
    const twin = loaded.find((other) => other.profile.name === profile.name);
    if (twin === undefined) {
      loaded.push(result.value);
    } else {
      problems.push(
        problem('duplicate-profile', `the profile name "${profile.name}" is taken by ${twin.profile.file}`, {
          place: document.placeOf('/name', 'value'),
          hint: 'give each profile a name of its own; this one is left out',
        }),
      );
    }
  }
  return { profiles: loaded.map(({ profile }) => profile), problems };
}

async function load(
  file: string,
  roots: readonly string[] | undefined,
): Promise<Result<Loaded, readonly ProfileProblem[]>> {
  const outside = await leadsOutside(file, roots);
  if (outside !== undefined) return err([outsideRoots('the profile', outside, roots, { file })]);
  let text: string;
  try {
    text = await readSmallFile(file);
  } catch (error) {
    const hint = 'name a profile file, or a folder with a profile.yaml';
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    return err([
      problem('profile-not-found', `the profile cannot be read (${reason})`, { place: { file }, hint }),
    ]);
  }

  const parsed = parseYaml(text, file);
  if (!parsed.ok) return parsed;
  const document = parsed.value;
  const problems: ProfileProblem[] = [...document.duplicates, ...schemaProblems(ProfileSchema, document)];
  if (!Check(ProfileSchema, document.value)) return err(problems.sort(byPlace));

  const { suites, problems: suiteProblems } = await loadSuites(document.value, document, roots);
  const profile = resolveProfile(document.value, file, suites);
  problems.push(...suiteProblems);
  problems.push(...profileRuleProblems(document.value, document));
  if (suiteProblems.length === 0) problems.push(...traceRuleProblems(profile, document));
  const captured = capturedSuite(profile);
  if (!captured.ok && suiteProblems.length === 0)
    problems.push({ ...captured.error, place: document.placeOf('/bench/capture', 'value') });
  problems.push(...(await unusableFiles(profile, document, roots)));
  return problems.length > 0 ? err(problems.sort(byPlace)) : ok({ profile, document });
}

/** The suites that a profile names. A name is looked up beside the profile, beside its folder, and in this program. */
async function loadSuites(
  source: ProfileSource,
  document: YamlDocument,
  roots: readonly string[] | undefined,
) {
  const folder = dirname(document.file);
  const folders = [join(folder, 'suites'), join(folder, '../suites'), BUNDLED_SUITES];
  const suites: Suite[] = [];
  const problems: ProfileProblem[] = [];
  for (const [index, named] of (source.bench?.suites ?? []).entries()) {
    const suite = await loadSuite(named, { folder, folders, ...(roots === undefined ? {} : { roots }) });
    const place = document.placeOf(`/bench/suites/${index}`, 'value');
    // A fault inside the suite's file has its place there; that there is none has its place here.
    if (!suite.ok)
      problems.push(...suite.error.map((of) => (of.place === undefined ? { ...of, place } : of)));
    else if (suites.some(({ name }) => name === suite.value.name)) {
      const message = `there are two suites named "${suite.value.name}"`;
      problems.push(problem('invalid-value', message, { place, hint: 'keep one of the two' }));
    } else suites.push(suite.value);
  }
  return { suites, problems };
}

/** Files that may not be read, and those that are not there. */
async function unusableFiles(
  profile: Profile,
  document: YamlDocument,
  roots: readonly string[] | undefined,
): Promise<readonly ProfileProblem[]> {
  const found: ProfileProblem[] = [];
  const report = (field: string, message: string): void => {
    const hint = 'correct the path; it is relative to the profile file unless absolute';
    found.push(problem('file-not-found', message, { place: document.placeOf(field, 'value'), hint }));
  };
  for (const [field, path] of [['/model', profile.model] as const, ...namedFiles(profile)]) {
    const outside = await leadsOutside(path, roots);
    const kind = outside === undefined ? await kindOf(path) : undefined;
    if (outside !== undefined) {
      const place = document.placeOf(field, 'value');
      found.push(outsideRoots(`${field.slice(1)} of the profile "${profile.name}"`, outside, roots, place));
    } else if (field === '/model') {
      if (kind !== 'file') report(field, `there is no model file ${path}`);
    } else if (kind === undefined) report(field, `there is no ${path}`);
  }
  return found;
}

/** The fields of a profile that name files and folders besides the model, and where those lie. */
function namedFiles({ data: { set }, task, bench }: Profile): readonly NamedFile[] {
  const { vocabulary } = task.settings;
  return [
    ...dataSetFiles(set, '/data'),
    ...(task.module === undefined ? [] : [['/task/module', task.module] as const]),
    ...bench.scenarios.flatMap(({ trace }, index) =>
      trace === undefined ? [] : [[`/bench/scenarios/${index}/trace/file`, trace.file] as const],
    ),
    ...(typeof vocabulary === 'string' ? [['/task/vocabulary', vocabulary] as const] : []),
  ];
}

async function profileFiles(root: string): Promise<readonly string[]> {
  const names = (await readdir(root)).filter((name) => !name.startsWith('.')).sort();
  const files: string[] = [];
  for (const name of names) {
    const path = join(root, name);
    const kind = await kindOf(path);
    if (kind === 'file' && /\.ya?ml$/.test(name)) files.push(path);
    if (kind === 'folder' && (await kindOf(join(path, 'profile.yaml'))) === 'file') {
      files.push(join(path, 'profile.yaml'));
    }
  }
  return files;
}

/** What a path leads to, links followed; undefined when it leads nowhere that this process may look. */
async function kindOf(path: string): Promise<'file' | 'folder' | undefined> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch {
    return undefined;
  }
}
