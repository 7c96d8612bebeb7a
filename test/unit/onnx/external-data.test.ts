import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { externalFilesOf, resolveExternalData } from '../../../src/onnx/external-data.ts';
import { DATA_LOCATION, DATA_TYPE, type TensorProto } from '../../../src/onnx/messages.ts';
import type { OnnxModel } from '../../../src/onnx/model-file.ts';
import { readAsFloat32 } from '../../../src/onnx/tensor-data.ts';
import { graph, model } from '../../support/graph-builder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

const DATA = Float32Array.of(1, 2, 3, 4);

function tensorAt(entries: Readonly<Record<string, string>>): TensorProto {
  return {
    name: 'w',
    dims: [2],
    dataType: DATA_TYPE.float,
    dataLocation: DATA_LOCATION.external,
    externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
    stringData: [],
    metadataProps: [],
  };
}

function modelIn(folder: string, ...tensors: TensorProto[]): OnnxModel {
  const { proto } = model(graph({ nodes: [], outputs: [], initializers: tensors }));
  return { path: join(folder, 'model.onnx'), proto };
}

/** A folder with `weights.bin`, and one beside it with another. */
function folderWithData(): string {
  const parent = temporaryFolder();
  const folder = join(parent, 'models');
  mkdirSync(folder);
  writeFileSync(join(folder, 'model.onnx'), '');
  writeFileSync(join(folder, 'weights.bin'), DATA);
  writeFileSync(join(parent, 'secret.bin'), DATA);
  return folder;
}

function kindOf(folder: string, entries: Readonly<Record<string, string>>): string | undefined {
  const result = resolveExternalData(modelIn(folder), tensorAt(entries));
  if (result.ok) return undefined;
  expect(result.error.place?.tensor).toBe('w');
  expect(result.error.hint).toBeTruthy();
  return result.error.kind;
}

describe('external data', () => {
  it('is read from the offset and length that the tensor gives', () => {
    const folder = folderWithData();
    const tensor = tensorAt({ location: 'weights.bin', offset: '4', length: '8' });
    expect(unwrap(readAsFloat32(modelIn(folder), tensor))).toEqual(Float32Array.of(2, 3));
  });

  it('starts at 0 and has the size of the tensor when nothing else is said', () => {
    const folder = folderWithData();
    const tensor = tensorAt({ location: 'weights.bin' });
    expect(unwrap(readAsFloat32(modelIn(folder), tensor))).toEqual(Float32Array.of(1, 2));
  });

  it('may lie in a folder below', () => {
    const folder = folderWithData();
    mkdirSync(join(folder, 'data'));
    writeFileSync(join(folder, 'data', 'w.bin'), DATA);
    expect(kindOf(folder, { location: 'data/w.bin' })).toBeUndefined();
  });

  it('must not lie outside the folder, by name or through a link', () => {
    const folder = folderWithData();
    symlinkSync('../secret.bin', join(folder, 'link.bin'));
    symlinkSync('..', join(folder, 'up'));

    expect(kindOf(folder, { location: '../secret.bin' })).toBe('external-data-outside-folder');
    expect(kindOf(folder, { location: 'data/../../secret.bin' })).toBe('external-data-outside-folder');
    expect(kindOf(folder, { location: '../absent.bin' })).toBe('external-data-outside-folder');
    expect(kindOf(folder, { location: '/etc/passwd' })).toBe('external-data-outside-folder');
    expect(kindOf(folder, { location: join(folder, 'weights.bin') })).toBe('external-data-outside-folder');
    expect(kindOf(folder, { location: 'link.bin' })).toBe('external-data-outside-folder');
    expect(kindOf(folder, { location: 'up/secret.bin' })).toBe('external-data-outside-folder');
  });

  it('may be linked along with the model into another folder, as download caches do it', () => {
    const folder = folderWithData();
    const snapshot = temporaryFolder();
    symlinkSync(join(folder, 'model.onnx'), join(snapshot, 'model.onnx'));
    symlinkSync(join(folder, 'weights.bin'), join(snapshot, 'weights.bin'));
    expect(kindOf(snapshot, { location: 'weights.bin' })).toBeUndefined();
  });

  it('is refused when its file is missing or a folder', () => {
    const folder = folderWithData();
    mkdirSync(join(folder, 'data'));
    expect(kindOf(folder, { location: 'absent.bin' })).toBe('external-data-missing');
    expect(kindOf(folder, { location: 'data' })).toBe('not-a-file');
    expect(kindOf(folder, { location: '.' })).toBe('external-data-outside-folder');
  });

  it('is refused when the range does not lie in the file', () => {
    const folder = folderWithData();
    expect(kindOf(folder, { location: 'weights.bin', offset: '12', length: '8' })).toBe(
      'external-data-out-of-range',
    );
    expect(kindOf(folder, { location: 'weights.bin', offset: '16' })).toBe('external-data-out-of-range');
    expect(kindOf(folder, { location: 'weights.bin', offset: '99', length: '0' })).toBe(
      'external-data-out-of-range',
    );
  });

  it.each(['-4', '4.5', 'four', '', ' 4', '1e3', '99999999999999999999'])(
    'is refused at offset %j',
    (offset) => {
      expect(kindOf(folderWithData(), { location: 'weights.bin', offset })).toBe('external-data-invalid');
    },
  );

  it.each([[{}], [{ location: '' }], [{ location: 'a\0b' }]])(
    'is refused when %j names no file',
    (entries) => {
      expect(kindOf(folderWithData(), entries)).toBe('external-data-invalid');
    },
  );

  it('has no place for a model that was not read from a file', () => {
    const { proto } = modelIn('/models');
    const result = resolveExternalData({ path: undefined, proto }, tensorAt({ location: 'weights.bin' }));
    expect(result).toMatchObject({ error: { kind: 'external-data-missing' } });
  });
});

describe('the files of a model', () => {
  it('are listed once each, without those outside the folder', () => {
    const at = (location: string) => tensorAt({ location });
    const listed = modelIn('/models', at('a.bin'), at('a.bin'), at('b/c.bin'), at('../d.bin'), at('/e.bin'));
    expect(externalFilesOf(listed)).toEqual(['a.bin', 'b/c.bin']);
  });
});
