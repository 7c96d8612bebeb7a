const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const SEGMENTS = 2;
/** Where the file lies in memory. */
const ADDRESS = 0x10000;

/** A shared library for a 64-bit little-endian machine that needs others and holds nothing else. */
export function writeElf(needed: readonly string[]): Buffer {
  const names = Buffer.from(`\0${needed.map((name) => `${name}\0`).join('')}`, 'latin1');
  const tablesAt = HEADER_BYTES + SEGMENTS * PROGRAM_HEADER_BYTES;
  let at = 1;
  const entries = needed.map((name) => {
    const entry = [1, at];
    at += name.length + 1;
    return entry;
  });
  const dynamicBytes = (entries.length + 3) * 16;
  const namesAt = tablesAt + dynamicBytes;
  const dynamic = words([...entries, [5, ADDRESS + namesAt], [10, names.length], [0, 0]].flat());
  const totalBytes = namesAt + names.length;

  const header = Buffer.alloc(HEADER_BYTES);
  header.write('\x7fELF\x02\x01\x01', 'latin1');
  header.writeUInt16LE(3, 16);
  header.writeBigUInt64LE(BigInt(HEADER_BYTES), 32);
  header.writeUInt16LE(PROGRAM_HEADER_BYTES, 54);
  header.writeUInt16LE(SEGMENTS, 56);
  return Buffer.concat([
    header,
    programHeader(1, 0, ADDRESS, totalBytes),
    programHeader(2, tablesAt, ADDRESS + tablesAt, dynamicBytes),
    dynamic,
    names,
  ]);
}

function programHeader(type: number, offset: number, address: number, sizeBytes: number): Buffer {
  return Buffer.concat([words([type]), words([offset, address, address, sizeBytes, sizeBytes, 8])]);
}

function words(values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 8);
  values.forEach((value, at) => {
    buffer.writeBigUInt64LE(BigInt(value), at * 8);
  });
  return buffer;
}
