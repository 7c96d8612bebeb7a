import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attemptAsync } from '../../../src/core/problem.ts';
import type { NamedTensors } from '../../../src/core/tensor.ts';
import { createOutputsFile } from '../../../src/jobs/outputs-file.ts';
import { openOutputsFile, type RecordedOutputs } from '../../../src/jobs/outputs-reader.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const ORIGIN = { onnxRuntimeVersion: '1.30.0', cpuModel: 'a processor', recordedWallMs: 86_400_000 };
const UNLIMITED = 2 ** 30;

const EVERY_TYPE: NamedTensors = {
  float32: {
    type: 'float32',
    dims: [1, 3],
    data: new Float32Array([1.5, Number.NaN, Number.NEGATIVE_INFINITY]),
  },
  float64: { type: 'float64', dims: [2], data: new Float64Array([Math.PI, -0]) },
  float16: { type: 'float16', dims: [2], data: new Uint16Array([0x3c00, 0x7e00]) },
  int8: { type: 'int8', dims: [1], data: new Int8Array([-128]) },
  uint8: { type: 'uint8', dims: [1], data: new Uint8Array([255]) },
  bool: { type: 'bool', dims: [2], data: new Uint8Array([0, 1]) },
  int16: { type: 'int16', dims: [1], data: new Int16Array([-32_768]) },
  uint16: { type: 'uint16', dims: [1], data: new Uint16Array([65_535]) },
  int32: { type: 'int32', dims: [1], data: new Int32Array([-(2 ** 31)]) },
  uint32: { type: 'uint32', dims: [1], data: new Uint32Array([2 ** 32 - 1]) },
  int64: { type: 'int64', dims: [1], data: new BigInt64Array([-(2n ** 63n)]) },
  uint64: { type: 'uint64', dims: [1], data: new BigUint64Array([2n ** 64n - 1n]) },
  scalar: { type: 'float32', dims: [], data: new Float32Array([7]) },
  empty: { type: 'float32', dims: [0, 4], data: new Float32Array(0) },
};

function vector(...values: readonly number[]): NamedTensors {
  return { y: { type: 'float32', dims: [values.length], data: new Float32Array(values) } };
}

async function write(path: string, samples: readonly RecordedOutputs[]): Promise<void> {
  const writer = await createOutputsFile(path, ORIGIN, UNLIMITED);
  for (const { index, outputs } of samples) await writer.write(index, outputs);
  expect(await writer.commit()).toBe(true);
}

async function readAll(path: string): Promise<readonly RecordedOutputs[]> {
  const reader = await openOutputsFile(path);
  if (reader === undefined) throw new Error('there is no file of outputs');
  const found: RecordedOutputs[] = [];
  try {
    for (let next = await reader.next(); next !== undefined; next = await reader.next()) found.push(next);
  } finally {
    await reader.close();
  }
  return found;
}

describe('a file of outputs', () => {
  it('gives back every element type, dimension and bit, and says where it comes from', async () => {
    const path = join(temporaryFolder(), 'new', 'a.outputs');
    await write(path, [
      { index: 0, outputs: EVERY_TYPE },
      { index: 7, outputs: vector(1, 2) },
    ]);
    expect(await readAll(path)).toEqual([
      { index: 0, outputs: EVERY_TYPE },
      { index: 7, outputs: vector(1, 2) },
    ]);
    const reader = await openOutputsFile(path);
    expect(reader?.origin).toEqual(ORIGIN);
    await reader?.close();
  });

  it('leaves out what is text', async () => {
    const path = join(temporaryFolder(), 'a.outputs');
    const label = { type: 'string', dims: [1], data: ['cat'] } as const;
    await write(path, [{ index: 0, outputs: { label, ...vector(1) } }]);
    expect(await readAll(path)).toEqual([{ index: 0, outputs: vector(1) }]);
  });

  it('takes the part of a larger memory that a tensor is', async () => {
    const path = join(temporaryFolder(), 'a.outputs');
    const part = new Float32Array([1, 2, 3, 4]).subarray(1, 3);
    await write(path, [{ index: 0, outputs: { y: { type: 'float32', dims: [2], data: part } } }]);
    expect(await readAll(path)).toEqual([{ index: 0, outputs: vector(2, 3) }]);
  });

  it('keeps what was given, though the memory is used again before the file is written', async () => {
    const path = join(temporaryFolder(), 'a.outputs');
    const data = new Float32Array([1]);
    const writer = await createOutputsFile(path, ORIGIN, UNLIMITED);
    await writer.write(0, { y: { type: 'float32', dims: [1], data } });
    data[0] = 2;
    await writer.write(1, { y: { type: 'float32', dims: [1], data } });
    await writer.commit();
    expect((await readAll(path)).map(({ outputs }) => outputs['y']?.data[0])).toEqual([1, 2]);
  });

  it('gives back samples of any size, smaller and larger than what is read at once', async () => {
    const floatsOf = (index: number, length: number) =>
      Float32Array.from({ length }, (_, position) => position + index);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 150_000 }), { maxLength: 4 }), async (lengths) => {
        const path = join(temporaryFolder(), 'a.outputs');
        await write(
          path,
          lengths.map((length, index) => ({
            index,
            outputs: { y: { type: 'float32', dims: [length], data: floatsOf(index, length) } },
          })),
        );
        const found = await readAll(path);
        expect(found.map(({ index }) => index)).toEqual(lengths.map((_, index) => index));
        for (const [index, length] of lengths.entries()) {
          const buffer =
            (found[index]?.outputs['y']?.data as Float32Array | undefined)?.buffer ?? new ArrayBuffer(1);
          expect(Buffer.from(buffer).equals(Buffer.from(floatsOf(index, length).buffer))).toBe(true);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('is not there before it is whole, nor after it was given up', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'a.outputs');
    const writer = await createOutputsFile(path, ORIGIN, UNLIMITED);
    await writer.write(0, vector(1));
    expect(await openOutputsFile(path)).toBeUndefined();
    await writer.abort();
    await writer.abort();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('stays when its writer is closed after it was committed', async () => {
    const folder = temporaryFolder();
    const writer = await createOutputsFile(join(folder, 'a.outputs'), ORIGIN, UNLIMITED);
    await writer.commit();
    await writer.abort();
    expect(readdirSync(folder)).toEqual(['a.outputs']);
  });

  it('is given up where it would grow beyond the limit, and leaves nothing', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'a.outputs');
    const writer = await createOutputsFile(path, ORIGIN, 2000);
    for (let index = 0; index < 20; index += 1) await writer.write(index, vector(...new Array(100).fill(1)));
    expect(await writer.commit()).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('may be as large as the limit, to the byte', async () => {
    const folder = temporaryFolder();
    await write(join(folder, 'a.outputs'), [{ index: 0, outputs: vector(1) }]);
    const sizeBytes = readFileSync(join(folder, 'a.outputs')).length;
    for (const [limit, isKept] of [
      [sizeBytes, true],
      [sizeBytes - 1, false],
    ] as const) {
      const writer = await createOutputsFile(join(folder, 'b.outputs'), ORIGIN, limit);
      await writer.write(0, vector(1));
      expect(await writer.commit()).toBe(isKept);
    }
  });

  it('is that of the last of two writers at once, whole', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'a.outputs');
    const [first, second] = [
      await createOutputsFile(path, ORIGIN, UNLIMITED),
      await createOutputsFile(path, ORIGIN, UNLIMITED),
    ];
    await first.write(0, vector(1));
    await second.write(0, vector(2));
    await first.commit();
    expect(await readAll(path)).toEqual([{ index: 0, outputs: vector(1) }]);
    await second.commit();
    expect(await readAll(path)).toEqual([{ index: 0, outputs: vector(2) }]);
    expect(readdirSync(folder)).toEqual(['a.outputs']);
  });

  it('is none where nothing is, or something else', async () => {
    const folder = temporaryFolder();
    const foreign = { empty: '', text: 'not a file of outputs', binary: 'x'.repeat(10_000) };
    const old = `${JSON.stringify({ format: 'ptq-agent outputs 1', ...ORIGIN })}\n`;
    for (const [name, text] of Object.entries({ ...foreign, old })) {
      writeFileSync(join(folder, name), text);
      expect(await openOutputsFile(join(folder, name)), name).toBeUndefined();
    }
    expect(await openOutputsFile(join(folder, 'nowhere'))).toBeUndefined();
  });

  it('is named as damaged wherever it was cut off', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'a.outputs');
    await write(path, [
      { index: 0, outputs: vector(1, 2) },
      { index: 1, outputs: vector(3, 4) },
    ]);
    const whole = readFileSync(path);
    const headLength = whole.indexOf('\n') + 1;
    for (let length = headLength; length < whole.length; length += 1) {
      writeFileSync(path, whole.subarray(0, length));
      expect(await attemptAsync(() => readAll(path)), `${length} bytes`).toMatchObject({
        ok: false,
        error: { kind: 'outputs-damaged', place: { file: path }, hint: expect.stringContaining('delete it') },
      });
    }
  });

  it('is named as damaged wherever a byte of its samples has changed', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'a.outputs');
    await write(path, [{ index: 0, outputs: vector(1, 2) }]);
    const whole = readFileSync(path);
    const headLength = whole.indexOf('\n') + 1;
    for (let at = headLength; at < whole.length; at += 1) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] as number) ^ 0x41;
      writeFileSync(path, changed);
      const found = await attemptAsync(() => readAll(path));
      // The last four bytes are the check sum of nothing.
      if (at < whole.length - 4)
        expect(found, `byte ${at}`).toMatchObject({ ok: false, error: { kind: 'outputs-damaged' } });
    }
  });

  it('cannot be written where a file is in the way of its folder', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    const path = join(folder, 'file', 'a.outputs');
    expect(await attemptAsync(() => createOutputsFile(path, ORIGIN, UNLIMITED))).toMatchObject({
      ok: false,
      error: { kind: 'output-not-writable', place: { file: path } },
    });
  });

  it('leaves nothing where it cannot take its name', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'a.outputs');
    mkdirSync(join(path, 'full'), { recursive: true });
    const writer = await createOutputsFile(path, ORIGIN, UNLIMITED);
    expect(await attemptAsync(() => writer.commit())).toMatchObject({
      ok: false,
      error: { kind: 'output-not-writable' },
    });
    expect(readdirSync(folder)).toEqual(['a.outputs']);
    expect(await attemptAsync(() => openOutputsFile(path))).toMatchObject({
      ok: false,
      error: { kind: 'outputs-unreadable', place: { file: path } },
    });
  });

  it.skipIf(process.getuid?.() === 0)(
    'cannot be read without the right to (skipped for root, who has every right)',
    async () => {
      const path = join(temporaryFolder(), 'a.outputs');
      await write(path, []);
      chmodSync(path, 0);
      expect(await attemptAsync(() => openOutputsFile(path))).toMatchObject({
        ok: false,
        error: { kind: 'outputs-unreadable', message: expect.stringContaining('EACCES') },
      });
    },
  );
});
