import type { FileHandle } from 'node:fs/promises';
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl';
import { problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { ZipProblem } from './zip-entry.ts';

/** One entry of a zip's central directory and where its data begins. */
export interface ZipDirectoryEntry {
  readonly name: string;
  readonly method: 'stored' | 'deflated' | 'unsupported';
  /** Why `method` is `unsupported`. */
  readonly unsupportedBecause?: string;
  readonly dataStart: number;
  readonly compressedSizeBytes: number;
  readonly sizeBytes: number;
  readonly crc32: number;
}

// Deflate cannot shrink data further than this (RFC 1951: 258 bytes from 2 bits), so a larger ratio is a lie.
const MAX_DEFLATE_RATIO = 1032;

/** Lists a zip (zip64 included) without reading any entry's data. Directory entries are left out. */
export async function readZipDirectory(
  file: FileHandle,
  sizeBytes: number,
  path: string,
): Promise<Result<readonly ZipDirectoryEntry[], ZipProblem>> {
  try {
    const zip = await fromRandomAccessReaderPromise(new FileReader(file, sizeBytes), sizeBytes, {
      autoClose: false,
    });
    const entries: ZipDirectoryEntry[] = [];
    for await (const entry of zip.eachEntry()) {
      if (!entry.fileName.endsWith('/')) entries.push(await describeEntry(zip, entry));
    }
    return ok(entries);
  } catch (error) {
    return err(
      problem('npz-invalid', `this is not a readable .npz (zip) file: ${(error as Error).message}`, {
        place: { file: path },
        hint: 'an interrupted copy or download looks like this; copy or write the file again',
      }),
    );
  }
}

async function describeEntry(zip: ZipFile, entry: Entry): Promise<ZipDirectoryEntry> {
  const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
  const ceiling = (entry.compressedSize + 1) * MAX_DEFLATE_RATIO;
  if (entry.compressionMethod === 8 && entry.uncompressedSize > ceiling) {
    throw new Error(
      `'${entry.fileName}' claims ${entry.uncompressedSize} bytes from ${entry.compressedSize} compressed ones`,
    );
  }
  return {
    name: entry.fileName,
    ...compression(entry),
    dataStart: fileDataStart,
    compressedSizeBytes: entry.compressedSize,
    sizeBytes: entry.uncompressedSize,
    crc32: entry.crc32,
  };
}

function compression(entry: Entry): Pick<ZipDirectoryEntry, 'method' | 'unsupportedBecause'> {
  if (entry.isEncrypted()) return { method: 'unsupported', unsupportedBecause: 'it is encrypted' };
  if (entry.compressionMethod === 0) return { method: 'stored' };
  if (entry.compressionMethod === 8) return { method: 'deflated' };
  return {
    method: 'unsupported',
    unsupportedBecause: `its zip compression method is ${entry.compressionMethod}`,
  };
}

/** Reads for yauzl through our own handle: one open file, and offsets from a hostile directory never reach `fs`. */
class FileReader extends RandomAccessReader {
  readonly #file: FileHandle;
  readonly #sizeBytes: number;

  constructor(file: FileHandle, sizeBytes: number) {
    super();
    this.#file = file;
    this.#sizeBytes = sizeBytes;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead?: number) => void,
  ): void {
    if (!Number.isSafeInteger(position) || position < 0 || position >= this.#sizeBytes) {
      callback(new Error(`an offset in it (${position}) lies outside the file`));
      return;
    }
    this.#file
      .read(buffer, offset, length, position)
      .then(({ bytesRead }) => callback(null, bytesRead), callback);
  }
}
