import { type FileHandle, open } from 'node:fs/promises';
import { ProblemError, problem } from '../core/problem.ts';
import {
  type ElementType,
  elementCount,
  type NamedTensors,
  type NumericArray,
  type Tensor,
} from '../core/tensor.ts';
import { checkSum, OUTPUTS_FORMAT, type OutputsOrigin, PREFIX_BYTES } from './outputs-file.ts';

/** One sample's outputs. */
export interface RecordedOutputs {
  readonly index: number;
  readonly outputs: NamedTensors;
}

/** So much is read at once. */
const BUFFER_BYTES = 2 ** 18;

/** A file of outputs that is read from its start to its end. */
export interface OutputsReader {
  readonly origin: OutputsOrigin;
  /** The next sample's; undefined at the end. Throws a `ProblemError`, `outputs-damaged`, where the file is cut off or changed. */
  next(): Promise<RecordedOutputs | undefined>;
  close(): Promise<void>;
}

/**
 * Opens what `createOutputsFile` wrote; undefined where there is no such file, or it is of another version. Throws a
 * `ProblemError`, `outputs-unreadable`, where the file cannot be read.
 */
export async function openOutputsFile(path: string): Promise<OutputsReader | undefined> {
  const opened = await openToRead(path);
  if (opened === undefined) return undefined;
  const { file, sizeBytes } = opened;
  const take = createTaker(file, sizeBytes);
  const origin = parseOrigin(await takeLine(take));
  if (origin === undefined) {
    await file.close();
    return undefined;
  }
  return {
    origin,
    next: async () => {
      const prefix = await take(PREFIX_BYTES);
      if (prefix === undefined) throw damaged(path);
      const { buffer } = prefix;
      const [headerBytes, wanted] = [0, 4].map((at) => new DataView(buffer).getUint32(at, true));
      if (headerBytes === 0) return undefined;
      const header = await take(headerBytes as number);
      const record = header === undefined ? undefined : parseRecord(header);
      if (header === undefined || record === undefined) throw damaged(path);
      let found = checkSum(0, header);
      const outputs: Record<string, Tensor> = {};
      for (const { name, type, dims } of record.description) {
        const make = ARRAYS[type];
        const elements = elementCount(dims);
        const bytes = await take(elements * (make?.BYTES_PER_ELEMENT ?? 0));
        if (make === undefined || bytes === undefined) throw damaged(path);
        found = checkSum(found, bytes);
        outputs[name] = { type, dims, data: new make(bytes.buffer, 0, elements) };
      }
      if (found !== wanted) throw damaged(path);
      return { index: record.index, outputs };
    },
    close: () => file.close(),
  };
}

async function openToRead(
  path: string,
): Promise<{ readonly file: FileHandle; readonly sizeBytes: number } | undefined> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const stats = await file.stat();
    if (stats.isFile()) return { file, sizeBytes: stats.size };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === undefined) throw error;
    throw unreadable(path, code);
  }
  await file.close();
  throw unreadable(path, 'not a regular file');
}

type Taker = (byteLength: number) => Promise<Uint8Array<ArrayBuffer> | undefined>;

/** Gives bytes in the order of the file, in memory of their own; undefined where so many are not left. */
function createTaker(file: FileHandle, sizeBytes: number): Taker {
  const buffer = Buffer.alloc(BUFFER_BYTES);
  let held = buffer.subarray(0, 0);
  let left = sizeBytes;
  return async (byteLength) => {
    // A damaged length must not ask for gigabytes of memory.
    if (byteLength > left) return undefined;
    left -= byteLength;
    const bytes = new Uint8Array(byteLength);
    for (let filled = 0; filled < byteLength; ) {
      if (held.length === 0) {
        const { bytesRead } = await file.read(buffer, 0, BUFFER_BYTES, null);
        if (bytesRead === 0) return undefined;
        held = buffer.subarray(0, bytesRead);
      }
      const part = held.subarray(0, byteLength - filled);
      bytes.set(part, filled);
      filled += part.length;
      held = held.subarray(part.length);
    }
    return bytes;
  };
}

/** No origin is longer. */
const MAX_LINE_BYTES = 4096;

async function takeLine(take: Taker): Promise<string> {
  const line: number[] = [];
  while (line.length < MAX_LINE_BYTES) {
    const [byte] = (await take(1)) ?? [];
    if (byte === undefined || byte === 0x0a) break;
    line.push(byte);
  }
  return Buffer.from(line).toString('utf8');
}

type ArrayConstructor = {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer, byteOffset: number, length: number): NumericArray;
};

const ARRAYS: Readonly<Partial<Record<ElementType, ArrayConstructor>>> = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
};

function parseOrigin(line: string): OutputsOrigin | undefined {
  try {
    const { format, ...origin } = JSON.parse(line) as OutputsOrigin & { readonly format: unknown };
    return format === OUTPUTS_FORMAT ? origin : undefined;
  } catch {
    return undefined;
  }
}

interface RecordHeader {
  readonly index: number;
  readonly description: readonly Pick<Tensor & { readonly name: string }, 'name' | 'type' | 'dims'>[];
}

/** Undefined where a damaged description is none any more; what the check sum finds later need only have the form. */
function parseRecord(bytes: Uint8Array): RecordHeader | undefined {
  let record: Partial<RecordHeader>;
  try {
    record = JSON.parse(Buffer.from(bytes).toString('utf8')) as Partial<RecordHeader>;
  } catch {
    return undefined;
  }
  const { index, description } = record;
  const isWhole =
    Number.isSafeInteger(index) &&
    Array.isArray(description) &&
    description.every(
      ({ dims }) => Array.isArray(dims) && dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0),
    );
  return isWhole ? (record as RecordHeader) : undefined;
}

function damaged(file: string): ProblemError {
  return new ProblemError(
    problem('outputs-damaged', 'a file of stored outputs is damaged', {
      place: { file },
      hint: 'delete it; it is made anew',
    }),
  );
}

function unreadable(file: string, reason: string): ProblemError<'outputs-unreadable'> {
  return new ProblemError(
    problem('outputs-unreadable', `stored outputs cannot be read (${reason})`, {
      place: { file },
      hint: 'correct the rights of the file, or choose another folder',
    }),
  );
}
