import { readFile } from 'node:fs/promises';
import { Check } from 'typebox/value';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { foreignSetting, RecipeSchema, type RecipeSource } from './recipe-schema.ts';
import { type SchemaProblemKind, schemaProblems } from './schema-problems.ts';
import { parseYaml, type YamlProblemKind } from './yaml-document.ts';

export type RecipeFileProblem = Problem<YamlProblemKind | SchemaProblemKind | 'recipe-not-found'>;

/**
 * Reads a recipe from a YAML (or JSON) file of its own, written as in a profile.
 * Errors: `recipe-not-found`, and everything in the file that the schema does not allow, with line, column and field.
 */
export async function loadRecipe(file: string): Promise<Result<RecipeSource, readonly RecipeFileProblem[]>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    return err([
      problem('recipe-not-found', `the recipe cannot be read (${reason})`, {
        place: { file },
        hint: 'name a recipe such as static-int8, or a YAML file with one',
      }),
    ]);
  }
  const parsed = parseYaml(text, file);
  if (!parsed.ok) return parsed;
  const document = parsed.value;
  const problems: RecipeFileProblem[] = [...document.duplicates, ...schemaProblems(RecipeSchema, document)];
  if (!Check(RecipeSchema, document.value)) return err(problems);
  const foreign = foreignSetting(document.value);
  if (foreign !== undefined) problems.push(foreignProblem(document.value.format, foreign, document.placeOf));
  return problems.length === 0 ? ok(document.value) : err(problems);
}

function foreignProblem(
  format: string,
  { setting, known }: { readonly setting: string; readonly known: readonly string[] },
  placeOf: (pointer: string, part: 'key') => Problem['place'],
): RecipeFileProblem {
  const place = placeOf(`/${setting}`, 'key');
  return problem('invalid-value', `the format ${format} has no setting "${setting}"`, {
    ...(place === undefined ? {} : { place }),
    hint: `it has ${known.join(', ')}`,
  });
}
