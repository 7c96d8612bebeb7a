import type { FileHandle } from 'node:fs/promises';
import { endianness } from 'node:os';
import { crc32 } from 'node:zlib';
import { attemptAsync, type Problem, ProblemError, type ProblemPlace, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { type ElementType, elementCount, type NumericArray } from '../core/tensor.ts';
import { formatBytes } from '../core/units.ts';
import { allocateElements } from './convert-elements.ts';
import { NPY_PREFIX_BYTES, type NpyHeader, type NpyProblem, npyHeaderSize, parseNpyHeader } from './npy.ts';
import { openRegularFile } from './regular-file.ts';
import { readZipDirectory, type ZipDirectoryEntry } from './zip-directory.ts';
import { DeflatedEntry, storedEntry, type ZipEntryBytes, type ZipProblem } from './zip-entry.ts';

export type NpzProblem = Problem<(ZipProblem | NpyProblem)['kind'] | 'npz-row-too-large'>;

/** An array of the archive; axis 0 counts its rows. */
export interface NpzArray {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
}

/** An open `.npz`. Its arrays stay on disk; memory is what `readRows` returns plus a few hundred kilobytes. */
export interface NpzArchive {
  readonly path: string;
  readonly arrays: ReadonlyMap<string, NpzArray>;
  /** Entries that cannot be read as arrays, and why. They matter only to whoever needs them. */
  readonly unreadable: ReadonlyMap<string, NpzProblem>;
  /**
   * Rows `start` to `start + count - 1` as one flat array in the host's byte order. Reading all rows in order also
   * checks the entry's CRC-32. Calls may overlap; those of one array are served in turn.
   */
  readRows(name: string, start: number, count: number): Promise<Result<NumericArray, NpzProblem>>;
  close(): Promise<void>;
}

// One read becomes one buffer, and a header can claim a row of any size.
const MAX_READ_BYTES = 2 ** 31 - 1;

/**
 * Opens an `.npz` file, stored (`np.savez`) or deflated (`np.savez_compressed`), and reads the headers of its arrays.
 * Errors: `npz-unreadable` when the file cannot be opened, `npz-invalid` when it is not a whole zip.
 */
export async function openNpz(path: string): Promise<Result<NpzArchive, NpzProblem>> {
  const opened = await openFile(path);
  if (!opened.ok) return opened;
  const { file, sizeBytes } = opened.value;
  const archive = await attemptAsync<NpzArchive, NpzProblem['kind']>(() =>
    readArchive(file, sizeBytes, path),
  );
  if (!archive.ok) await file.close();
  return archive;
}

async function openFile(
  path: string,
): Promise<Result<{ readonly file: FileHandle; readonly sizeBytes: number }, NpzProblem>> {
  const unreadable = (message: string, hint: string) =>
    err(problem('npz-unreadable', message, { place: { file: path }, hint }));
  const opened = await openRegularFile(path);
  if ('file' in opened) return ok(opened);
  return opened.refusal === 'not-regular'
    ? unreadable('the data is not a regular file', 'name an .npz file')
    : unreadable(`the data file cannot be opened: ${opened.reason}`, 'check the path and its permissions');
}

async function readArchive(file: FileHandle, sizeBytes: number, path: string): Promise<NpzArchive> {
  const directory = await readZipDirectory(file, sizeBytes, path);
  if (!directory.ok) throw new ProblemError(await explainBareNpy(file, path, directory.error));
  const readers = new Map<string, ArrayReader>();
  const unreadable = new Map<string, NpzProblem>();
  for (const entry of directory.value) {
    const name = entry.name.replace(/\.npy$/, '');
    if (readers.has(name) || unreadable.has(name)) {
      throw new ProblemError(
        problem('npz-invalid', `the file holds '${name}' twice`, { place: { file: path } }),
      );
    }
    const place = { file: path, tensor: name };
    const reader = await attemptAsync<ArrayReader, NpzProblem['kind']>(() =>
      openArray(file, entry, name, place),
    );
    if (reader.ok) readers.set(name, reader.value);
    else unreadable.set(name, reader.error);
  }
  return {
    path,
    arrays: new Map(
      [...readers].map(([name, { header }]) => [name, { name, type: header.type, shape: header.shape }]),
    ),
    unreadable,
    readRows: (name, start, count) => {
      const reader = readers.get(name);
      if (reader === undefined) throw new RangeError(`no array '${name}' in ${path}`);
      return reader.readRows(start, count);
    },
    close: async () => {
      for (const reader of readers.values()) reader.close();
      await file.close();
    },
  };
}

/** A common slip is to pass the `.npy` that `np.save` writes; say so instead of calling it a broken zip. */
async function explainBareNpy(file: FileHandle, path: string, original: NpzProblem): Promise<NpzProblem> {
  const prefix = new Uint8Array(NPY_PREFIX_BYTES);
  await file.read(prefix, 0, prefix.length, 0);
  if (!npyHeaderSize(prefix, {}).ok) return original;
  return problem('npz-invalid', 'this is one .npy array, not an .npz archive', {
    place: { file: path },
    hint: "save it with `np.savez(path, **{'eval/<input name>': array})`",
  });
}

async function openArray(
  file: FileHandle,
  entry: ZipDirectoryEntry,
  name: string,
  place: ProblemPlace,
): Promise<ArrayReader> {
  if (entry.method === 'unsupported') {
    throw new ProblemError(
      problem('npy-unsupported', `the array cannot be read: ${entry.unsupportedBecause}`, {
        place,
        hint: 'write the file with `np.savez` or `np.savez_compressed`',
      }),
    );
  }
  const location = { ...entry, place };
  const bytes = entry.method === 'stored' ? storedEntry(file, location) : new DeflatedEntry(file, location);
  try {
    const { header, headerCrc } = await readHeader(bytes, entry.sizeBytes, place);
    return new ArrayReader(name, header, bytes, { expected: entry.crc32, soFar: headerCrc }, place);
  } finally {
    // An archive may hold thousands of arrays; only those being read keep a decompressor.
    bytes.close();
  }
}

async function readHeader(
  bytes: ZipEntryBytes,
  entrySizeBytes: number,
  place: ProblemPlace,
): Promise<{ readonly header: NpyHeader; readonly headerCrc: number }> {
  const prefix = new Uint8Array(Math.min(NPY_PREFIX_BYTES, entrySizeBytes));
  await bytes.read(prefix, 0);
  const size = valueOrThrow(npyHeaderSize(prefix, place));
  if (size > entrySizeBytes) {
    throw new ProblemError(
      problem('npy-invalid', `the .npy header claims ${size} bytes, the entry has ${entrySizeBytes}`, {
        place,
      }),
    );
  }
  const headerBytes = new Uint8Array(size);
  await bytes.read(headerBytes, 0);
  const header = valueOrThrow(parseNpyHeader(headerBytes, place));
  if (header.dataOffset + header.dataSizeBytes !== entrySizeBytes) {
    throw new ProblemError(
      problem(
        'npy-invalid',
        `the .npy header claims ${header.type} [${header.shape}], ${header.dataSizeBytes} bytes, ` +
          `but the entry holds ${entrySizeBytes - header.dataOffset}`,
        { place, hint: 'write the file again with `np.savez`' },
      ),
    );
  }
  return { header, headerCrc: crc32(headerBytes) };
}

/** Reads rows of one array, one request after another. */
class ArrayReader {
  readonly header: NpyHeader;
  readonly #name: string;
  readonly #bytes: ZipEntryBytes;
  readonly #place: ProblemPlace;
  readonly #expectedCrc: number;
  #crc: number;
  #crcRows = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    name: string,
    header: NpyHeader,
    bytes: ZipEntryBytes,
    crc: { readonly expected: number; readonly soFar: number },
    place: ProblemPlace,
  ) {
    this.#name = name;
    this.header = header;
    this.#bytes = bytes;
    this.#expectedCrc = crc.expected;
    this.#crc = crc.soFar;
    this.#place = place;
  }

  readRows(start: number, count: number): Promise<Result<NumericArray, NpzProblem>> {
    const rows = this.header.shape[0] ?? 0;
    if (start < 0 || count < 0 || start + count > rows) {
      throw new RangeError(`rows ${start}..${start + count} of '${this.#name}', which has ${rows}`);
    }
    const read = this.#last.then(() =>
      attemptAsync<NumericArray, NpzProblem['kind']>(() => this.#read(start, count)),
    );
    // A failure belongs to whoever asked for these rows; the next request starts afresh.
    this.#last = read.catch(() => {});
    return read;
  }

  close(): void {
    this.#bytes.close();
  }

  async #read(start: number, count: number): Promise<NumericArray> {
    const { shape, elementSizeBytes, dataOffset } = this.header;
    const rowElements = elementCount(shape.slice(1));
    const rowBytes = rowElements * elementSizeBytes;
    if (rowBytes * count > MAX_READ_BYTES) {
      throw new ProblemError(
        problem('npz-row-too-large', `one read would take ${formatBytes(rowBytes * count)}`, {
          place: { ...this.#place, sample: start },
          hint: 'axis 0 must count the samples; split what is larger than 2 GiB per sample',
        }),
      );
    }
    const buffer = new ArrayBuffer(rowBytes * count);
    const bytes = Buffer.from(buffer);
    await this.#bytes.read(bytes, dataOffset + start * rowBytes);
    this.#checkCrc(bytes, start, count);
    this.#toHostOrder(bytes);
    return allocateElements(this.header.type, rowElements * count, buffer);
  }

  /** The checksum covers the whole entry, so it can be followed only while rows arrive in order. */
  #checkCrc(bytes: Uint8Array, start: number, count: number): void {
    if (start === this.#crcRows) {
      this.#crc = crc32(bytes, this.#crc);
      this.#crcRows += count;
    }
    if (this.#crcRows === this.header.shape[0] && this.#crc !== this.#expectedCrc) {
      throw new ProblemError(
        problem('npz-invalid', 'the array is damaged: its CRC-32 does not match', {
          place: this.#place,
          hint: 'copy or write the file again',
        }),
      );
    }
  }

  #toHostOrder(bytes: Buffer): void {
    const hostOrder = endianness() === 'LE' ? 'little' : 'big';
    if (this.header.byteOrder === hostOrder) return;
    if (this.header.elementSizeBytes === 2) bytes.swap16();
    else if (this.header.elementSizeBytes === 4) bytes.swap32();
    else if (this.header.elementSizeBytes === 8) bytes.swap64();
  }
}

function valueOrThrow<T>(result: Result<T, NpzProblem>): T {
  if (!result.ok) throw new ProblemError(result.error);
  return result.value;
}
