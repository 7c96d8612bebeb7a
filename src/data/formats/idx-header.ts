import { type Problem, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { type ElementType, elementCount } from '../../core/tensor.ts';
import type { ArrayLayout } from './array-rows.ts';
import type { ByteSource } from './byte-source.ts';

const TYPES: Readonly<Record<number, readonly [type: ElementType, sizeBytes: number]>> = {
  8: ['uint8', 1],
  9: ['int8', 1],
  11: ['int16', 2],
  12: ['int32', 4],
  13: ['float32', 4],
  14: ['float64', 8],
};

const MAX_DIMS = 255;

/**
 * Reads the header of an idx file and compares it with the size of the file: two zero bytes, the element type, the
 * number of dims, then every dim as a big-endian 32-bit number. Errors: `data-invalid`. Throws a `ProblemError` where
 * the file cannot be read. Source: "The MNIST database of handwritten digits", section on the IDX file format.
 */
export async function readIdxHeader(source: ByteSource): Promise<Result<ArrayLayout, Problem>> {
  const bytes = Buffer.alloc(Math.min(source.sizeBytes, 4 + 4 * MAX_DIMS));
  await source.read(bytes, 0);
  const fail = (message: string, hint: string) =>
    err(problem('data-invalid', message, { place: { file: source.path }, hint }));
  const element = TYPES[bytes[2] ?? 0];
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0 || element === undefined) {
    const magic = bytes.subarray(0, 4).toString('hex');
    const hint = magic.startsWith('1f8b')
      ? 'the file is gzipped: let its name end in .gz'
      : 'name an idx file, such as those of MNIST';
    return fail(`this is not an idx file: it begins with the bytes '${magic}'`, hint);
  }
  const [type, elementSizeBytes] = element;
  const dimCount = bytes[3] as number;
  const dataOffset = 4 + 4 * dimCount;
  if (bytes.length < dataOffset)
    return fail('the idx header is cut short', 'copy or download the file again');
  const shape = Array.from({ length: dimCount }, (_, axis) => bytes.readUInt32BE(4 + 4 * axis));
  if (dimCount === 0 || shape[0] === 0) {
    return fail(`the file holds no items: its shape is [${shape}]`, 'axis 0 counts the items');
  }
  const heldBytes = source.sizeBytes - dataOffset;
  const dataSizeBytes = elementCount(shape) * elementSizeBytes;
  if (heldBytes !== dataSizeBytes) {
    return fail(
      `the header claims ${type} [${shape}], ${dataSizeBytes} bytes, but the file holds ${heldBytes}`,
      'copy or download the file again',
    );
  }
  return ok({ type, byteOrder: 'big', shape, elementSizeBytes, dataOffset });
}
