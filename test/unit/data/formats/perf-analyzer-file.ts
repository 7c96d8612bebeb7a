import { expect, onTestFinished } from 'vitest';
import type { DataSpec } from '../../../../src/core/data-spec.ts';
import type { Problem } from '../../../../src/core/problem.ts';
import { openPerfAnalyzer } from '../../../../src/data/formats/perf-analyzer.ts';
import type { ItemCollection } from '../../../../src/data/item-collection.ts';
import type { ModelInput } from '../../../../src/data/sample-source.ts';
import { unwrap } from '../../../support/unwrap.ts';
import { bytesOf } from '../npz-writer.ts';
import { fileOf } from './folder-of-files.ts';

export const X: ModelInput = { name: 'x', type: 'float32', dims: ['batch', 2, 2] };
export const IDS: ModelInput = { name: 'ids', type: 'int64', dims: [1, 'length'] };

interface Options {
  readonly modelInputs?: readonly ModelInput[];
  readonly withTruth?: boolean;
  readonly spec?: Partial<DataSpec>;
}

/** Bytes as perf_analyzer has them. */
export const b64 = (values: ArrayBufferView) => ({
  b64: Buffer.from(bytesOf(values as never)).toString('base64'),
});

export function openFile(path: string, { modelInputs = [X], withTruth = false, spec = {} }: Options) {
  return openPerfAnalyzer(path, { spec: { path, ...spec }, modelInputs, withTruth });
}

/** Opens a file with this content, as text or as a value, until the test is over. */
export async function open(root: unknown, options: Options = {}): Promise<ItemCollection> {
  const text = typeof root === 'string' ? root : JSON.stringify(root);
  const collection = unwrap(await openFile(fileOf('data.json', text), options));
  onTestFinished(() => collection.close());
  return collection;
}

/** What is wrong; its place without the file, which is checked here. */
export async function faultOf(root: unknown, options: Options = {}): Promise<Problem> {
  const file = fileOf('data.json', typeof root === 'string' ? root : JSON.stringify(root));
  const result = await openFile(file, options);
  if (result.ok) throw new Error('the file was opened');
  const { file: named, ...place } = result.error.place ?? {};
  expect(named).toBe(file);
  expect(result.error.hint).toBeDefined();
  return { ...result.error, place };
}
