import {
  chmodSync,
  copyFileSync,
  readFileSync,
  renameSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodeModel, encodeModel, readModel } from '../../../src/onnx/model-file.ts';
import { readTensorData, tensorFrom } from '../../../src/onnx/tensor-data.ts';
import { writeModel } from '../../../src/onnx/write-model.ts';
import { graph, model, node, value } from '../../support/graph-builder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

const WEIGHT = Float32Array.from({ length: 5000 }, (_, index) => index / 7);

function smallModel() {
  return model(
    graph({
      inputs: [value('x', 'float', [5000])],
      nodes: [node('Add', ['x', 'w'], ['y'])],
      outputs: [value('y', 'float', [5000])],
      initializers: [tensorFrom('w', [5000], WEIGHT), tensorFrom('small', [2], Float32Array.of(1, 2))],
    }),
  );
}

function writtenModel(): string {
  const path = join(temporaryFolder(), 'model.onnx');
  unwrap(writeModel(smallModel(), path));
  return path;
}

/** When files count as written, in seconds. */
const START = 1000;

function replaceWithinOneTick(path: string): void {
  const other = `${path}.other`;
  copyFileSync(path, other);
  utimesSync(other, START, START);
  renameSync(other, path);
}

function readProblem(content: Uint8Array | string) {
  const path = join(temporaryFolder(), 'model.onnx');
  writeFileSync(path, content);
  const result = readModel(path);
  if (result.ok) throw new Error('The file was read.');
  expect(result.error.place?.file).toBe(path);
  expect(result.error.hint).toBeTruthy();
  return result.error;
}

describe('opening a model', () => {
  it('leaves large payloads in the file and reads small ones', () => {
    const path = writtenModel();
    const { proto } = unwrap(readModel(path));
    const [large, small] = proto.graph?.initializer ?? [];

    expect(large?.rawData).toMatchObject({ kind: 'file', sizeBytes: 20000, file: { path } });
    expect(small?.rawData).toMatchObject({ kind: 'memory' });
  });

  it('reads a payload from the file when it is asked for', () => {
    const read = unwrap(readModel(writtenModel()));
    const [large] = read.proto.graph?.initializer ?? [];
    if (large === undefined) throw new Error('No initializer.');
    expect(unwrap(readTensorData(read, large))).toEqual(WEIGHT);
  });

  it('gives the same model from memory as from a file', () => {
    const path = writtenModel();
    const fromMemory = unwrap(decodeModel(readFileSync(path)));
    expect(unwrap(encodeModel(fromMemory))).toEqual(unwrap(encodeModel(unwrap(readModel(path)))));
  });

  it('accepts a model of IR version 2, which imports no operator set', () => {
    const old = smallModel();
    const bytes = unwrap(encodeModel({ ...old, proto: { ...old.proto, irVersion: 2, opsetImport: [] } }));
    expect(decodeModel(bytes).ok).toBe(true);
  });
});

describe('refusing what is no readable model', () => {
  it('names a file that does not exist, a folder, and a file without permission', () => {
    const folder = temporaryFolder();
    expect(readModel(join(folder, 'absent.onnx'))).toMatchObject({ error: { kind: 'not-found' } });
    expect(readModel(join(folder, 'absent', 'model.onnx'))).toMatchObject({ error: { kind: 'not-found' } });
    expect(readModel(folder)).toMatchObject({ error: { kind: 'not-a-file' } });
  });

  it.skipIf(process.getuid?.() === 0)(
    'names a file without permission (skipped for root, who may read all)',
    () => {
      const path = writtenModel();
      chmodSync(path, 0o000);
      expect(readModel(path)).toMatchObject({ error: { kind: 'unreadable' } });
    },
  );

  it('names an empty file', () => {
    expect(readProblem('').kind).toBe('empty-file');
  });

  it('names a model that was cut off, wherever the cut is', () => {
    const complete = readFileSync(writtenModel());
    for (const size of [3, 40, 4000, complete.length - 30]) {
      expect(readProblem(complete.subarray(0, size))).toMatchObject({ kind: 'truncated' });
    }
  });

  it.each([
    ['JSON', '{"a": 1}', 'JSON'],
    ['a web page', '\n<!DOCTYPE html><html></html>', 'web page'],
    ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:0\n', 'git lfs pull'],
    ['a ZIP archive', 'PK\x03\x04 and more', 'ZIP'],
    ['a gzip file', gzipSync('model'), 'gzip'],
    ['a TensorFlow Lite model', '\x1c\0\0\0TFL3 and more', 'TensorFlow Lite'],
    ['safetensors', Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x22, 0x61, 0x22), 'safetensors'],
    ['a plain text', 'hello, world', '.onnx'],
    ['zeros', new Uint8Array(100), '.onnx'],
  ])('recognises %s', (_what, content, hint) => {
    const found = readProblem(content);
    expect(found.kind).toBe('not-onnx');
    expect(found.hint).toContain(hint);
  });

  it('does not take bytes for a text because of how they begin', () => {
    for (const bytes of [
      [0x5b, 0x5b, 0x38, 0x1e, 0xff, 0xd9],
      [0x7b, 0x00, 0x22],
      [0x3c, 0xff],
    ]) {
      const found = readProblem(Uint8Array.from(bytes));
      expect(found.kind).toBe('not-onnx');
      expect(found.hint).toContain('.onnx');
    }
    expect(readProblem('{"größe": 1}').hint).toContain('JSON');
  });

  it('names a protobuf message without a graph or without operator sets', () => {
    const { proto } = smallModel();
    const noGraph = unwrap(encodeModel({ path: undefined, proto: { ...proto, graph: undefined } }));
    const noOpset = unwrap(encodeModel({ path: undefined, proto: { ...proto, opsetImport: [] } }));

    expect(readProblem(noGraph)).toMatchObject({
      kind: 'not-onnx',
      message: expect.stringContaining('no graph'),
    });
    expect(readProblem(noOpset)).toMatchObject({
      kind: 'not-onnx',
      message: expect.stringContaining('operator set'),
    });
  });

  it('names damage inside the graph', () => {
    const bytes = unwrap(encodeModel(smallModel()));
    const at = Buffer.from(bytes).indexOf('Add') - 1;
    bytes[at] = 0x7f;
    expect(readProblem(bytes).kind).toBe('malformed');
  });
});

describe('a file that changes after the model was read', () => {
  it.each([
    ['is cut off', (path: string) => truncateSync(path, 10_000)],
    ['is touched', (path: string) => utimesSync(path, 1, 1)],
    ['is replaced', (path: string) => unwrap(writeModel(smallModel(), path))],
    ['is replaced within one tick of the clock', replaceWithinOneTick],
  ])('gives a problem when it %s', (_what, change) => {
    const path = writtenModel();
    utimesSync(path, START, START);
    const read = unwrap(readModel(path));
    change(path);
    const [large] = read.proto.graph?.initializer ?? [];
    if (large === undefined) throw new Error('No initializer.');

    expect(readTensorData(read, large)).toMatchObject({
      error: { kind: 'file-changed', place: { file: path } },
    });
  });
});
