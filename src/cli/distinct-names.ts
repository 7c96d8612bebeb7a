import { basename } from 'node:path';

/** File names alone where they differ; of those that do not, the later ones are numbered. */
export function distinctNames(paths: readonly string[]): readonly string[] {
  const names = new Set<string>();
  for (const path of paths) {
    const name = basename(path, '.onnx');
    let distinct = name;
    for (let number = 2; names.has(distinct); number += 1) distinct = `${name}-${number}`;
    names.add(distinct);
  }
  return [...names];
}
