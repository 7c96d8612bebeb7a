import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Check } from 'typebox/value';
import type { DataSpec } from '../core/data-spec.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { dataRuleProblems, resolveDataSet } from './data.ts';
import { DataSchema } from './data-schema.ts';
import { byPlace, schemaProblems } from './schema-problems.ts';
import { parseYaml, type YamlDocument } from './yaml-document.ts';

/** Whether a YAML file describes data alone: a profile has a `model`. Undefined where it is no readable YAML. */
export async function describesDataAlone(path: string): Promise<boolean | undefined> {
  const document = await read(resolve(path));
  if (!document.ok) return undefined;
  const { value } = document.value;
  return typeof value === 'object' && value !== null && !('model' in value) && !('variants' in value);
}

/** Reads a description of data from a YAML file of its own: the fields that stand under `data` in a profile. */
export async function loadDataSet(path: string): Promise<Result<DataSpec, readonly Problem[]>> {
  const file = resolve(path);
  const document = await read(file);
  if (!document.ok) return document;
  const problems: Problem[] = [...document.value.duplicates, ...schemaProblems(DataSchema, document.value)];
  const { value } = document.value;
  if (!Check(DataSchema, value)) return err(problems.sort(byPlace));
  problems.push(...dataRuleProblems(value, document.value, ''));
  return problems.length > 0 ? err(problems.sort(byPlace)) : ok(resolveDataSet(value, dirname(file), false));
}

async function read(file: string): Promise<Result<YamlDocument, readonly Problem[]>> {
  try {
    return parseYaml(await readFile(file, 'utf8'), file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return err([
      problem('file-unreadable', `the description of the data cannot be read (${code})`, {
        place: { file },
        hint: 'check the path',
      }),
    ]);
  }
}
