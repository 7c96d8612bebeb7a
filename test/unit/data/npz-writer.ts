import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { afterAll } from 'vitest';

/** What a test wants to be wrong or special about one zip entry. */
export interface EntrySpec {
  readonly name: string;
  readonly content: Uint8Array;
  readonly deflate?: boolean;
  readonly method?: number;
  readonly encrypted?: boolean;
  /** Sizes and checksum as the directory claims them, when they are to be lies. */
  readonly claimedSize?: number;
  readonly claimedCrc?: number;
}

/** A `.npy` file: `descr` and `shape` go into the header as they are, however wrong. */
export function npy(
  descr: string,
  shape: readonly number[],
  data: Uint8Array,
  more: { readonly fortran?: boolean; readonly version?: 1 | 2 | 3; readonly header?: string } = {},
): Uint8Array {
  const { fortran = false, version = 1 } = more;
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const header =
    more.header ??
    `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': ${tuple}, }`;
  const prefix = version === 1 ? 10 : 12;
  const padded = `${header.padEnd(Math.ceil((prefix + header.length + 1) / 64) * 64 - prefix - 1)}\n`;
  const out = Buffer.alloc(prefix + padded.length);
  out.write('\x93NUMPY', 'latin1');
  out[6] = version;
  if (version === 1) out.writeUInt16LE(padded.length, 8);
  else out.writeUInt32LE(padded.length, 8);
  out.write(padded, prefix, 'latin1');
  return Buffer.concat([out, data]);
}

export function float32Npy(shape: readonly number[], values: readonly number[]): Uint8Array {
  return npy('<f4', shape, bytesOf(new Float32Array(values)));
}

export function int64Npy(shape: readonly number[], values: readonly number[]): Uint8Array {
  return npy('<i8', shape, bytesOf(BigInt64Array.from(values, BigInt)));
}

export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** A zip archive without zip64, as plain as the format allows. */
export function zip(entries: readonly EntrySpec[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.name, 'utf8');
    const data = Buffer.from(entry.deflate ? deflateRawSync(entry.content) : entry.content);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(0x800 | (entry.encrypted ? 1 : 0), 2);
    fields.writeUInt16LE(entry.method ?? (entry.deflate ? 8 : 0), 4);
    fields.writeUInt32LE(entry.claimedCrc ?? crc32(entry.content), 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(entry.claimedSize ?? entry.content.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, name, data]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(
      Buffer.concat([Buffer.from('PK\x01\x02', 'latin1'), Buffer.from([20, 0]), fields, tail, name]),
    );
    parts.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, central, end]);
}

/** A temporary folder for the tests of one file, and a function that writes files into it. */
export async function useTemporaryFiles(): Promise<(content: Uint8Array) => Promise<string>> {
  const folder = await mkdtemp(join(tmpdir(), 'ptq-data-'));
  let next = 0;
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return async (content) => {
    next += 1;
    const path = join(folder, `${next}.npz`);
    await writeFile(path, content);
    return path;
  };
}

/** An archive of float32 and other arrays by name. */
export function npz(arrays: Readonly<Record<string, Uint8Array>>, deflate = false): Buffer {
  return zip(Object.entries(arrays).map(([name, content]) => ({ name: `${name}.npy`, content, deflate })));
}
