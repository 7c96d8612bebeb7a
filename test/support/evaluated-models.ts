import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeModel } from '../../src/onnx/write-model.ts';
import { float32Npy, int64Npy, npz } from '../unit/data/npz-writer.ts';
import { graph, model, node, tensor, value } from './graph-builder.ts';
import { unwrap } from './unwrap.ts';

/** Writes a classifier of two numbers: `scores` = `x` · `weights`, one row of weights for each number. */
export function writeClassifier(
  folder: string,
  name: string,
  weights: readonly [readonly number[], readonly number[]],
): string {
  const path = join(folder, name);
  const classes = weights[0].length;
  const body = graph({
    inputs: [value('x', 'float', ['batch', 2])],
    nodes: [node('MatMul', ['x', 'w'], ['scores'])],
    outputs: [value('scores', 'float', ['batch', classes])],
    initializers: [tensor('w', [2, classes], weights.flat())],
  });
  unwrap(writeModel(model(body), path));
  return path;
}

/** Writes a model that looks its two scores up in a table of as many rows as are given; ONNX Runtime fails beyond it. */
export function writeLookup(
  folder: string,
  name: string,
  table: readonly (readonly [number, number])[],
): string {
  const path = join(folder, name);
  const body = graph({
    inputs: [value('x', 'float', [1])],
    nodes: [node('Cast', ['x'], ['row'], { to: 7 }), node('Gather', ['table', 'row'], ['scores'])],
    outputs: [value('scores', 'float', [1, 2])],
    initializers: [tensor('table', [table.length, 2], table.flat())],
  });
  unwrap(writeModel(model(body), path));
  return path;
}

/** Writes `eval/x` and, where they are given, `eval/labels`. */
export function writeSamples(
  folder: string,
  name: string,
  rows: readonly (readonly number[])[],
  labels?: readonly number[],
): string {
  const path = join(folder, name);
  const arrays = {
    'eval/x': float32Npy([rows.length, (rows[0] ?? []).length], rows.flat()),
    ...(labels === undefined ? {} : { 'eval/labels': int64Npy([labels.length], labels) }),
  };
  writeFileSync(path, npz(arrays));
  return path;
}

/** More than a float32 can tell from its neighbours, so that a sample of integers that holds it cannot be fed. */
export const UNFEEDABLE = 2 ** 24 + 1;

/** As `writeSamples`, of integers. */
export function writeIntegerSamples(
  folder: string,
  name: string,
  rows: readonly (readonly number[])[],
  labels: readonly number[],
): string {
  const path = join(folder, name);
  const arrays = {
    'eval/x': int64Npy([rows.length, (rows[0] ?? []).length], rows.flat()),
    'eval/labels': int64Npy([labels.length], labels),
  };
  writeFileSync(path, npz(arrays));
  return path;
}
