import { readFile } from 'node:fs/promises';
import { Check } from 'typebox/value';
import { byPlace, type SchemaProblemKind, schemaProblems } from '../config/schema-problems.ts';
import { joinPointer, parseYaml, type YamlDocument, type YamlProblemKind } from '../config/yaml-document.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { type SavedRanges, SavedRangesSchema } from './saved-ranges.ts';

export type RangesFileProblem = Problem<YamlProblemKind | SchemaProblemKind | 'ranges-not-found'>;

/**
 * Reads a file of `quantize --save-ranges`, which may have been edited since. Errors: `ranges-not-found`, and everything
 * in the file that is not as it must be, with line, column and field.
 */
export async function loadRanges(file: string): Promise<Result<SavedRanges, readonly RangesFileProblem[]>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return err([
      problem('ranges-not-found', `the ranges cannot be read (${code})`, {
        place: { file },
        hint: 'name a file that `quantize --save-ranges` wrote',
      }),
    ]);
  }
  // JSON is YAML, and its parser knows line and column of every field.
  const parsed = parseYaml(text, file);
  if (!parsed.ok) return parsed;
  const document = parsed.value;
  const problems: RangesFileProblem[] = [
    ...document.duplicates,
    ...schemaProblems(SavedRangesSchema, document),
  ];
  if (!Check(SavedRangesSchema, document.value)) return err(problems);
  problems.push(...brokenRanges(document.value, document));
  return problems.length === 0 ? ok(document.value) : err(problems.sort(byPlace));
}

/** What the schema cannot say: of min and max the first is the lower. */
function brokenRanges({ tensors }: SavedRanges, document: YamlDocument): RangesFileProblem[] {
  return Object.entries(tensors).flatMap(([name, { min, max }]) => {
    if (Number.isFinite(min) && Number.isFinite(max) && min <= max) return [];
    const place = document.placeOf(joinPointer('/tensors', name), 'key');
    return [
      problem('invalid-value', `the range of '${name}' is from ${min} to ${max}`, {
        place,
        hint: 'give finite numbers, min not above max',
      }),
    ];
  });
}
