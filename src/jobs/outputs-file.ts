import { mkdir, mkdtemp, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { ProblemError, problem } from '../core/problem.ts';
import type { NamedTensors, NumericArray } from '../core/tensor.ts';

/** What a file of outputs says of itself. */
export interface OutputsOrigin {
  readonly onnxRuntimeVersion: string;
  readonly cpuModel: string;
  readonly recordedWallMs: number;
}

/** Outputs of one model for samples in order, as they are written. */
export interface OutputsWriter {
  /** Tensors of strings are left out. */
  write(index: number, outputs: NamedTensors): Promise<void>;
  /** Gives the file its name. Whether it did: a file that grew beyond the limit is given up, and nothing is there. */
  commit(): Promise<boolean>;
  /** Leaves nothing behind of what was not committed. */
  abort(): Promise<void>;
}

export const OUTPUTS_FORMAT = 'ptq-agent outputs 2';

/** A length and a check sum, uint32 in little-endian, stand before what they are of. */
export const PREFIX_BYTES = 8;

/** The prefix of a record that is none. */
const END = Buffer.alloc(PREFIX_BYTES);

/** So much is collected for a write. */
const BUFFER_BYTES = 2 ** 18;

/**
 * Writes `path` by way of a folder of its own beside it: a line of JSON that says what the file is, then for each sample
 * the length of a JSON description, the CRC-32 of all that follows of the sample, the description, and the elements of its
 * tensors in the host's order. A length of zero ends the file. Its functions throw a `ProblemError`: `output-not-writable`.
 * @param maxBytes beyond which nothing is kept
 */
export async function createOutputsFile(
  path: string,
  origin: OutputsOrigin,
  maxBytes: number,
): Promise<OutputsWriter> {
  const { folder, file } = await orNotWritable(path, async () => {
    await mkdir(dirname(path), { recursive: true });
    const made = await mkdtemp(`${path}.`);
    return { folder: made, file: await open(join(made, 'outputs'), 'wx') };
  });
  let sizeBytes = 0;
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let isOpen = true;
  const flush = async (): Promise<void> => {
    await file.appendFile(Buffer.concat(waiting));
    waiting = [];
    waitingBytes = 0;
  };
  const put = async (bytes: Uint8Array): Promise<void> => {
    sizeBytes += bytes.byteLength;
    if (sizeBytes > maxBytes) return;
    waiting.push(bytes);
    waitingBytes += bytes.byteLength;
    if (waitingBytes >= BUFFER_BYTES) await flush();
  };
  const abort = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await file.close();
    await rm(folder, { recursive: true, force: true });
  };
  await put(Buffer.from(`${JSON.stringify({ format: OUTPUTS_FORMAT, ...origin })}\n`));
  return {
    write: (index, outputs) => orNotWritable(path, () => put(encodeRecord(index, outputs))),
    commit: () =>
      orNotWritable(path, async () => {
        try {
          await put(END);
          if (sizeBytes > maxBytes) return false;
          await flush();
          await rename(join(folder, 'outputs'), path);
          return true;
        } finally {
          await abort();
        }
      }),
    abort,
  };
}

/** CRC-32 of what `before` is of and `bytes` after it. */
export function checkSum(before: number, bytes: Uint8Array): number {
  // Node.js starts anew from an array without elements.
  return bytes.length === 0 ? before : crc32(bytes, before);
}

/** A copy, as the runtime may use its memory again before it is written. */
function encodeRecord(index: number, outputs: NamedTensors): Uint8Array {
  const numeric = Object.entries(outputs).filter(([, { type }]) => type !== 'string');
  const description = numeric.map(([name, { type, dims }]) => ({ name, type, dims }));
  const header = Buffer.from(JSON.stringify({ index, description }));
  const elements = numeric.map(([, { data }]) => {
    const { buffer, byteOffset, byteLength } = data as NumericArray;
    return new Uint8Array(buffer, byteOffset, byteLength);
  });
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32LE(header.length, 0);
  prefix.writeUInt32LE([header, ...elements].reduce(checkSum, 0), 4);
  return Buffer.concat([prefix, header, ...elements]);
}

async function orNotWritable<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new ProblemError(
      problem('output-not-writable', `outputs cannot be stored (${code})`, {
        place: { file: path },
        hint: 'choose another folder, or make room on the disk',
      }),
    );
  }
}
