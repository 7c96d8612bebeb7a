import { readFile } from 'node:fs/promises';
import type { Static, TSchema } from 'typebox';
import { Check } from 'typebox/value';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { byPlace, type SchemaProblemKind, schemaProblems } from './schema-problems.ts';
import { parseYaml, type YamlDocument, type YamlProblemKind } from './yaml-document.ts';

/** A YAML file that its schema allows. */
export interface SettingsFile<S extends TSchema> {
  readonly source: Static<S>;
  readonly document: YamlDocument;
}

/**
 * Reads a YAML file of settings; an empty one, or one with comments only, asks for the defaults. All problems are reported
 * at once, with line, column and field.
 * @param unreadable what to say where the file cannot be read
 */
export async function readSettingsFile<S extends TSchema, K extends string>(
  file: string,
  schema: S,
  unreadable: { readonly kind: K; readonly what: string; readonly option: string },
): Promise<Result<SettingsFile<S>, readonly Problem<K | YamlProblemKind | SchemaProblemKind>[]>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    const { kind, what, option } = unreadable;
    return err([
      problem(kind, `the ${what} cannot be read (${reason})`, {
        place: { file },
        hint: `name another file with ${option}, or leave it out for the defaults`,
      }),
    ]);
  }
  const parsed = parseYaml(text, file);
  if (!parsed.ok) return parsed;
  const document = parsed.value;
  const value = document.value ?? {};
  const problems = [...document.duplicates, ...schemaProblems(schema, { ...document, value })];
  return problems.length === 0 && Check(schema, value)
    ? ok({ source: value as Static<S>, document })
    : err(problems.sort(byPlace));
}
