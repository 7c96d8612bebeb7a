import type { DataSpec } from '../core/data-spec.ts';
import { joinPointer } from './yaml-document.ts';

/** A field of a file and the path that it names. */
export type NamedFile = readonly [field: string, path: string];

/** All files and folders that the description of a data set names. @param field the pointer of the description */
export function dataSetFiles(
  { path, labels, module, preprocess, inputs = {} }: DataSpec,
  field: string,
): readonly NamedFile[] {
  const tokenizers = Object.entries(inputs).map(
    ([name, input]) =>
      [`${joinPointer(`${field}/inputs`, name)}/tokenize/tokenizer`, input.tokenize?.tokenizer] as const,
  );
  const named: readonly (readonly [string, string | undefined])[] = [
    [`${field}/path`, path === '' ? undefined : path],
    [`${field}/labels/file`, labels?.file],
    [`${field}/labels/masks`, labels?.masks],
    [`${field}/preprocess`, module],
    [`${field}/preprocess/tokenize/tokenizer`, preprocess?.tokenize?.tokenizer],
    ...tokenizers,
  ];
  return named.flatMap(([at, file]) => (file === undefined ? [] : [[at, file] as const]));
}
