import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { isExternal } from '../../../src/onnx/external-data.ts';
import type { TensorProto } from '../../../src/onnx/messages.ts';
import { encodeModel, type OnnxModel, readModel } from '../../../src/onnx/model-file.ts';
import { readAsFloat32, tensorFrom } from '../../../src/onnx/tensor-data.ts';
import { walkTensors } from '../../../src/onnx/traversal.ts';
import { type WriteModelOptions, writeModel } from '../../../src/onnx/write-model.ts';
import { graph, model, node, value } from '../../support/graph-builder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

// A full disk, a folder without permission and a change at the worst moment cannot be had at will, so the calls of the
// file system are interfered with.
const interference = vi.hoisted(() => ({ call: '', afterCalls: 0, act: () => {} }));

vi.mock('node:fs', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs')>();
  const wrap =
    <A extends unknown[], R>(call: string, action: (...given: A) => R) =>
    (...given: A): R => {
      if (interference.call === call && interference.afterCalls-- <= 0) interference.act();
      return action(...given);
    };
  return {
    ...real,
    readSync: wrap('read', real.readSync as (...given: unknown[]) => number),
    writeSync: wrap('write', real.writeSync as (...given: unknown[]) => number),
    fsyncSync: wrap('fsync', real.fsyncSync),
    renameSync: wrap('rename', real.renameSync),
  };
});

function interfereWith(call: string, afterCalls: number, act: () => void): void {
  Object.assign(interference, { call, afterCalls, act });
}

function failOn(call: string, code: string, afterCalls: number): void {
  interfereWith(call, afterCalls, () => {
    throw Object.assign(new Error(code), { code, syscall: call });
  });
}

function letAllPass(): void {
  interfereWith('', 0, () => {});
}

afterEach(letAllPass);

const WEIGHTS = [0, 1, 2].map((seed) => Float32Array.from({ length: 2000 }, (_, index) => index + seed / 10));

/** Three large initializers, a small one, a large one in a body, and a large Constant. */
function bigModel(): OnnxModel {
  const [first, second, third] = WEIGHTS as [Float32Array, Float32Array, Float32Array];
  const body = graph({
    nodes: [node('Add', ['x', 'inner'], ['z'])],
    outputs: [value('z')],
    initializers: [tensorFrom('inner', [2000], third)],
  });
  return model(
    graph({
      inputs: [value('x', 'float', [2000])],
      nodes: [
        node('Constant', [], ['c'], { value: tensorFrom('constant', [2000], first) }),
        node('If', ['condition'], ['y'], { then_branch: body, else_branch: body }),
      ],
      outputs: [value('y')],
      initializers: [
        tensorFrom('a', [2000], first),
        tensorFrom('b', [2000], second),
        tensorFrom('scalar', [], Float32Array.of(1)),
      ],
    }),
  );
}

function tensorsOf(from: OnnxModel): ReadonlyMap<string, TensorProto> {
  const tensors = new Map<string, TensorProto>();
  walkTensors(from.proto, (tensor) => tensors.set(tensor.name ?? '', tensor));
  return tensors;
}

function expectSameValues(found: OnnxModel, wanted: OnnxModel): void {
  const names = [...tensorsOf(wanted).keys()];
  expect([...tensorsOf(found).keys()]).toEqual(names);
  for (const name of names) {
    const [a, b] = [found, wanted].map((from) => {
      const tensor = tensorsOf(from).get(name);
      return tensor && unwrap(readAsFloat32(from, tensor));
    });
    expect(a).toEqual(b);
  }
}

function written(options?: WriteModelOptions): string {
  const path = join(temporaryFolder(), 'model.onnx');
  unwrap(writeModel(bigModel(), path, options));
  return path;
}

function externalNames(path: string): readonly string[] {
  return [...tensorsOf(unwrap(readModel(path)))]
    .filter(([, tensor]) => isExternal(tensor))
    .map(([name]) => name);
}

describe('writing a model', () => {
  it('keeps inline tensors inline and copies their bytes', () => {
    const source = written();
    const target = join(temporaryFolder(), 'copy.onnx');
    const result = unwrap(writeModel(unwrap(readModel(source)), target));

    expect(readFileSync(target).equals(readFileSync(source))).toBe(true);
    expect(result).toEqual({
      sizeBytes: readFileSync(source).length,
      externalSizeBytes: 0,
      externalDataPath: undefined,
    });
  });

  it('moves initializers out, those of bodies too, and leaves Constant nodes alone', () => {
    const path = written({ externalData: 'external' });
    expect(externalNames(path)).toEqual(['a', 'b', 'inner']);
    expect(readdirSync(join(path, '..')).sort()).toEqual(['model.onnx', 'model.onnx.data']);
    expectSameValues(unwrap(readModel(path)), bigModel());
  });

  it('puts external data at multiples of a page', () => {
    const read = unwrap(readModel(written({ externalData: 'external' })));
    const offsets = [...tensorsOf(read).values()]
      .filter(isExternal)
      .map((tensor) => tensor.externalData.find(({ key }) => key === 'offset')?.value);
    expect(offsets).toEqual(['0', '8192', '16384']);
  });

  it('moves out from the size that is asked for', () => {
    expect(externalNames(written({ externalData: 'external', externalThresholdBytes: 4 }))).toContain(
      'scalar',
    );
    expect(externalNames(written({ externalData: 'external', externalThresholdBytes: 8001 }))).toEqual([]);
  });

  it('carries external data along into another folder', () => {
    const source = written({ externalData: 'external' });
    const target = join(temporaryFolder(), 'other.onnx');
    const { externalDataPath } = unwrap(writeModel(unwrap(readModel(source)), target));

    expect(externalDataPath).toBe(`${target}.data`);
    expect(externalNames(target)).toEqual(['a', 'b', 'inner']);
    expectSameValues(unwrap(readModel(target)), bigModel());
  });

  it('writes data that tensors share once', () => {
    const source = unwrap(readModel(written({ externalData: 'external' })));
    const [a] = source.proto.graph?.initializer ?? [];
    if (a === undefined) throw new Error('No initializer.');
    source.proto.graph?.initializer.push({ ...a, name: 'tied' });
    const target = join(temporaryFolder(), 'tied.onnx');
    expect(unwrap(writeModel(source, target)).externalSizeBytes).toBe(24384);
  });

  it('brings external data back inline without a trace', () => {
    const source = unwrap(readModel(written({ externalData: 'external' })));
    const target = join(temporaryFolder(), 'inline.onnx');
    unwrap(writeModel(source, target, { externalData: 'inline' }));
    expect(readFileSync(target)).toEqual(Buffer.from(unwrap(encodeModel(bigModel()))));
  });

  it('makes raw data of typed integers that are moved out', () => {
    const source = model(graph({ nodes: [], outputs: [] }));
    const int64Data = { kind: 'memory' as const, bytes: new Uint8Array(200).fill(7) };
    const { rawData: _, ...typed } = tensorFrom('i', [200], new BigInt64Array(200));
    source.proto.graph?.initializer.push({ ...typed, int64Data });
    const path = join(temporaryFolder(), 'typed.onnx');
    unwrap(writeModel(source, path, { externalData: 'external' }));
    expect(readFileSync(`${path}.data`)).toEqual(Buffer.from(new BigInt64Array(200).fill(7n).buffer));
  });
});

describe('the limit of a protobuf file', () => {
  it('makes initializers external, and Constants only when that is not enough', () => {
    expect(externalNames(written({ maxModelFileBytes: 100_000 }))).toEqual([]);
    expect(externalNames(written({ maxModelFileBytes: 10_000 }))).toEqual(['a', 'b', 'inner']);
    const path = written({ maxModelFileBytes: 2000 });
    expect(externalNames(path)).toEqual(['constant', 'a', 'b', 'inner'].sort(byOrderOf(path)));
    expectSameValues(unwrap(readModel(path)), bigModel());
  });

  it('is an error when nothing helps or the file has to be one', () => {
    const path = join(temporaryFolder(), 'model.onnx');
    const tooSmall = writeModel(bigModel(), path, { maxModelFileBytes: 100 });
    const inline = writeModel(bigModel(), path, { externalData: 'inline', maxModelFileBytes: 10_000 });

    expect(tooSmall).toMatchObject({ error: { kind: 'model-too-large', place: { file: path } } });
    expect(inline).toMatchObject({ error: { kind: 'model-too-large' } });
    expect(readdirSync(join(path, '..'))).toEqual([]);
  });
});

describe('writing over files that are in use', () => {
  it('is safe for the file that the weights still lie in', () => {
    const path = written();
    const before = readFileSync(path);
    unwrap(writeModel(unwrap(readModel(path)), path));
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('is safe for its external data, and removes the former file', () => {
    const path = written({ externalData: 'external' });
    for (const file of [`${path}.1.data`, `${path}.data`]) {
      expect(unwrap(writeModel(unwrap(readModel(path)), path)).externalDataPath).toBe(file);
      expectSameValues(unwrap(readModel(path)), bigModel());
      expect(readdirSync(join(path, '..'))).toHaveLength(2);
    }
  });

  it('leaves data files of other names alone', () => {
    const path = written({ externalData: 'external' });
    const former = unwrap(readModel(path));
    for (const entry of former.proto.graph?.initializer[0]?.externalData ?? []) {
      if (entry.key === 'location') entry.value = 'weights.bin';
    }
    writeFileSync(join(path, '..', 'weights.bin'), readFileSync(`${path}.data`));
    writeFileSync(path, unwrap(encodeModel(former)));
    writeFileSync(`${path}.old.data`, 'mine');
    writeFileSync(`${path}.7.data`, 'mine');
    unwrap(writeModel(unwrap(readModel(path)), path, { externalData: 'inline' }));
    expect(readdirSync(join(path, '..')).sort()).toEqual([
      'model.onnx',
      'model.onnx.7.data',
      'model.onnx.old.data',
      'weights.bin',
    ]);
  });

  it('waits for the disk, unless the file is a working file', () => {
    const target = join(temporaryFolder(), 'out.onnx');
    const waits = (options: WriteModelOptions): number => {
      let count = 0;
      interfereWith('fsync', 0, () => {
        count += 1;
      });
      unwrap(writeModel(bigModel(), target, options));
      return count;
    };
    // The file and the folder that it is in.
    expect(waits({})).toBe(2);
    expect(waits({ durable: false })).toBe(0);
    // The external data, too.
    expect(waits({ externalData: 'external', externalThresholdBytes: 0 })).toBe(3);
    expect(waits({ externalData: 'external', externalThresholdBytes: 0, durable: false })).toBe(0);
  });

  it('does not disturb who has the former file open', () => {
    const path = written();
    const before = readFileSync(path);
    const reader = openSync(path, 'r');
    unwrap(writeModel(model(graph({ nodes: [], outputs: [] })), path));
    expect(readFileSync(reader).equals(before)).toBe(true);
    closeSync(reader);
  });
});

describe('failing to write', () => {
  it.each([
    ['write', 'ENOSPC', 0, 'disk-full'],
    ['write', 'ENOSPC', 5, 'disk-full'],
    ['write', 'EIO', 2, 'write-failed'],
    ['fsync', 'ENOSPC', 0, 'disk-full'],
    ['fsync', 'EDQUOT', 1, 'disk-full'],
    ['rename', 'EACCES', 0, 'not-writable'],
    ['rename', 'EACCES', 1, 'not-writable'],
  ])('at %s with %s after %i calls changes nothing', (call, code, afterCalls, kind) => {
    const path = written({ externalData: 'external' });
    const folder = join(path, '..');
    const before = snapshot(folder);
    const former = unwrap(readModel(path));
    failOn(call, code, afterCalls);
    const result = writeModel(former, path);
    letAllPass();

    expect(result).toMatchObject({ error: { kind, place: { file: expect.stringContaining(path) } } });
    expect(snapshot(folder)).toEqual(before);
  });

  it('names a folder that does not exist and a name that is a folder', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'taken.onnx'));
    expect(writeModel(bigModel(), join(folder, 'absent', 'model.onnx'))).toMatchObject({
      error: { kind: 'folder-missing' },
    });
    expect(writeModel(bigModel(), join(folder, 'taken.onnx'))).toMatchObject({
      error: { kind: 'not-a-file' },
    });
    expect(readdirSync(folder)).toEqual(['taken.onnx']);
  });

  it('names a source that changed, and leaves nothing behind', () => {
    const source = written();
    const read = unwrap(readModel(source));
    writeFileSync(source, 'something else');
    const target = join(temporaryFolder(), 'target.onnx');
    expect(writeModel(read, target)).toMatchObject({
      error: { kind: 'file-changed', place: { file: source } },
    });
    expect(readdirSync(join(target, '..'))).toEqual([]);
  });

  it('names a source that is touched while it is read or copied', () => {
    const source = written();
    const target = join(temporaryFolder(), 'target.onnx');
    interfereWith('read', 0, () => utimesSync(source, 1, 1));
    expect(readModel(source)).toMatchObject({ error: { kind: 'file-changed', place: { file: source } } });

    letAllPass();
    // The tenth write is the last piece of the last tensor.
    for (const afterCalls of [1, 9]) {
      const read = unwrap(readModel(source));
      interfereWith('write', afterCalls, () => utimesSync(source, 2, 2 + afterCalls));
      expect(writeModel(read, target)).toMatchObject({
        error: { kind: 'file-changed', place: { file: source } },
      });
      letAllPass();
    }
    expect(readdirSync(join(target, '..'))).toEqual([]);
  });

  it('names external data that is missing before anything is written', () => {
    const source = written({ externalData: 'external' });
    const read = unwrap(readModel(source));
    const { externalDataPath } = unwrap(writeModel(read, source));
    const target = join(temporaryFolder(), 'target.onnx');
    expect(existsSync(`${source}.data`)).toBe(false);
    expect(externalDataPath).toBe(`${source}.1.data`);
    expect(writeModel(read, target)).toMatchObject({ error: { kind: 'external-data-missing' } });
    expect(readdirSync(join(target, '..'))).toEqual([]);
  });
});

function snapshot(folder: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name)).toString('base64')]),
  );
}

function byOrderOf(path: string): (a: string, b: string) => number {
  const order = [...tensorsOf(unwrap(readModel(path))).keys()];
  return (a, b) => order.indexOf(a) - order.indexOf(b);
}
