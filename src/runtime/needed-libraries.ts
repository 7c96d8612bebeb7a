import { closeSync, openSync, readSync } from 'node:fs';

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const DT_NEEDED = 1;
const DT_STRTAB = 5;
const DT_STRSZ = 10;

const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
/** Of the tables that are read whole; far beyond what a library has, and a bound for a damaged one. */
const MOST_TABLE_BYTES = 64 * 2 ** 20;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly sizeBytes: number;
}

/**
 * Names of the shared libraries that the dynamic linker has to find for a library, in its order; undefined where the file
 * is no library for a 64-bit little-endian machine, or is damaged. Reads the tables alone, not the code, and loads nothing.
 * Source: ELF-64 Object File Format, version 1.5, sections «File header», «Program header table», «Dynamic table».
 */
export function neededLibraries(path: string): readonly string[] | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    return needsOf((offset, sizeBytes) => readExactly(file, offset, sizeBytes));
  } catch {
    return undefined;
  } finally {
    closeSync(file);
  }
}

type Read = (offset: number, sizeBytes: number) => Buffer;

function needsOf(read: Read): readonly string[] | undefined {
  const header = read(0, HEADER_BYTES);
  const is64Bit = header[4] === 2;
  const isLittleEndian = header[5] === 1;
  if (header.toString('latin1', 0, 4) !== '\x7fELF' || !is64Bit || !isLittleEndian) return undefined;
  const entryBytes = header.readUInt16LE(54);
  const count = header.readUInt16LE(56);
  if (entryBytes !== PROGRAM_HEADER_BYTES) return undefined;
  const table = read(numberAt(header, 32), entryBytes * count);
  const segments = Array.from({ length: count }, (_, at) => segmentAt(table, at * entryBytes));

  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC);
  if (dynamic === undefined) return [];
  const entries = dynamicEntries(read(dynamic.offset, dynamic.sizeBytes));
  const valueWith = (tag: number) => entries.find((entry) => entry.tag === tag)?.value;
  const [address, sizeBytes] = [valueWith(DT_STRTAB), valueWith(DT_STRSZ)];
  if (address === undefined || sizeBytes === undefined) return undefined;
  // The table of names is given by where it lies in memory.
  const holder = segments.find(
    (segment) =>
      segment.type === PT_LOAD && address >= segment.address && address < segment.address + segment.sizeBytes,
  );
  if (holder === undefined) return undefined;
  const names = read(holder.offset + address - holder.address, sizeBytes);
  return entries.filter(({ tag }) => tag === DT_NEEDED).map(({ value }) => textAt(names, value));
}

function segmentAt(table: Buffer, at: number): Segment {
  return {
    type: table.readUInt32LE(at),
    offset: numberAt(table, at + 8),
    address: numberAt(table, at + 16),
    sizeBytes: numberAt(table, at + 32),
  };
}

function dynamicEntries(table: Buffer): readonly { readonly tag: number; readonly value: number }[] {
  const entries = Array.from({ length: Math.floor(table.length / 16) }, (_, at) => ({
    tag: numberAt(table, at * 16),
    value: numberAt(table, at * 16 + 8),
  }));
  const end = entries.findIndex(({ tag }) => tag === 0);
  return end === -1 ? entries : entries.slice(0, end);
}

function textAt(names: Buffer, at: number): string {
  const end = names.indexOf(0, at);
  if (end === -1) throw new RangeError('a name without an end');
  return names.toString('latin1', at, end);
}

/** Offsets in files are small enough to be exact; tags that are not are none of those looked for. */
function numberAt(buffer: Buffer, at: number): number {
  return Number(buffer.readBigUInt64LE(at));
}

function readExactly(file: number, offset: number, sizeBytes: number): Buffer {
  if (sizeBytes > MOST_TABLE_BYTES) throw new RangeError('a table larger than any');
  const buffer = Buffer.alloc(sizeBytes);
  if (readSync(file, buffer, 0, sizeBytes, offset) !== sizeBytes) throw new RangeError('the file ends early');
  return buffer;
}
