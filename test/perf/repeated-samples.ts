import { closeSync, openSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { Tensor } from '../../src/core/tensor.ts';

/**
 * Writes an `.npz` with one float32 array `calib/<input>` of `count` rows, the given samples over and over. One stored zip
 * entry, as `np.savez` writes it; under 4 GiB.
 */
export function writeRepeatedSamples(
  path: string,
  input: string,
  samples: readonly Tensor[],
  count: number,
): void {
  const rows = samples.map(({ data }) => bytesOf(data as Float32Array));
  const header = npyHeader([count, ...(samples[0]?.dims ?? [])]);
  const name = Buffer.from(`calib/${input}.npy`);
  const parts = [header, ...Array.from({ length: count }, (_, index) => rows[index % rows.length] as Buffer)];
  const sizeBytes = parts.reduce((sum, { length }) => sum + length, 0);
  const sums = [parts.reduce((sum, part) => crc32(part, sum), 0), sizeBytes, sizeBytes];
  const local = fields(
    [0x04034b50, 4],
    [20, 2],
    [0, 2],
    [0, 2],
    [0, 4],
    ...words(sums),
    [name.length, 2],
    [0, 2],
  );
  const central = fields(
    [0x02014b50, 4],
    [20, 2],
    [20, 2],
    [0, 2],
    [0, 2],
    [0, 4],
    ...words(sums),
    [name.length, 2],
    [0, 2],
    [0, 2],
    [0, 2],
    [0, 2],
    [0, 4],
    [0, 4],
  );
  const start = local.length + name.length + sizeBytes;
  const end = fields(
    [0x06054b50, 4],
    [0, 4],
    [1, 2],
    [1, 2],
    [central.length + name.length, 4],
    [start, 4],
    [0, 2],
  );
  const file = openSync(path, 'w');
  try {
    for (const part of [local, name, ...parts, central, name, end]) writeSync(file, part);
  } finally {
    closeSync(file);
  }
}

type Field = readonly [value: number, sizeBytes: 2 | 4];

function words(values: readonly number[]): readonly Field[] {
  return values.map((value) => [value, 4]);
}

/** Little-endian fields one after the other. */
function fields(...values: readonly Field[]): Buffer {
  const bytes = Buffer.alloc(values.reduce((sum, [, sizeBytes]) => sum + sizeBytes, 0));
  let offset = 0;
  for (const [value, sizeBytes] of values) offset = bytes.writeUIntLE(value, offset, sizeBytes);
  return bytes;
}

function npyHeader(shape: readonly number[]): Buffer {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const padded = `${text.padEnd(128 - 10 - 1)}\n`;
  const prefix = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, padded.length, 0]);
  return Buffer.concat([prefix, Buffer.from(padded, 'latin1')]);
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
