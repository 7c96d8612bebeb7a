import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import type { Truth } from '../../../../src/core/item.ts';
import {
  type AudioLabels,
  openWavFolder,
  type WavFolderOptions,
} from '../../../../src/data/audio/wav-folder.ts';
import type { ItemCollection } from '../../../../src/data/item-collection.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { unwrap } from '../../../support/unwrap.ts';
import { shorts, wav } from './wav-writer.ts';

/** Writes recordings, by their relative paths, whose samples are these numbers / 32768. */
export function folderOf(files: Readonly<Record<string, readonly number[] | Buffer>>): string {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), Buffer.isBuffer(content) ? content : wav({ data: shorts(content) }));
  }
  return folder;
}

export async function open(path: string, options: Partial<WavFolderOptions> = {}): Promise<ItemCollection> {
  return unwrap(await openWavFolder(path, { audio: {}, ...options }));
}

export async function problemOf(path: string, options: Partial<WavFolderOptions> = {}): Promise<unknown> {
  const collection = await openWavFolder(path, { audio: {}, ...options });
  if (collection.ok) await collection.value.close();
  return collection.ok ? undefined : collection.error;
}

/** The samples of an item in units of 1/32768. */
export async function valuesOf(collection: ItemCollection, index: number): Promise<readonly number[]> {
  const field = unwrap(await collection.read(index)).fields['audio'];
  if (field?.kind !== 'tensor') throw new Error('no tensor');
  expect(field.tensor.type).toBe('float32');
  expect(field.tensor.dims).toEqual([field.tensor.data.length]);
  return [...(field.tensor.data as Float32Array)].map((value) => value * 32_768);
}

export async function truthsOf(collection: ItemCollection): Promise<readonly (Truth | undefined)[]> {
  const truths: (Truth | undefined)[] = [];
  for (let i = 0; i < collection.count; i += 1) truths.push(unwrap(await collection.read(i)).truth);
  return truths;
}

export function idsOf(collection: ItemCollection): readonly string[] {
  return Array.from({ length: collection.count }, (_, i) => collection.describe(i).id);
}

export function labelsOf(known: Readonly<Record<string, { truth: Truth; group?: string }>>): AudioLabels {
  return { ids: Object.keys(known), truthOf: (id) => known[id] };
}
