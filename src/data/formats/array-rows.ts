import { endianness } from 'node:os';
import { ProblemError, problem } from '../../core/problem.ts';
import { elementCount, type Tensor } from '../../core/tensor.ts';
import { formatBytes } from '../../core/units.ts';
import { allocateElements } from '../convert-elements.ts';
import type { NpyHeader } from '../npy.ts';
import type { ByteSource } from './byte-source.ts';

/** How an array lies in a file. Axis 0 of its shape counts the rows. */
export type ArrayLayout = Omit<NpyHeader, 'dataSizeBytes'>;

// One read becomes one buffer, and a header can claim a row of any size.
const MAX_ROW_BYTES = 2 ** 31 - 1;

/**
 * The bytes of one row, as they are in the file. Throws a `ProblemError` of the kinds `data-unreadable` and
 * `row-too-large`.
 */
export async function readRowBytes(
  source: ByteSource,
  layout: ArrayLayout,
  index: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const rowBytes = elementCount(layout.shape.slice(1)) * layout.elementSizeBytes;
  if (rowBytes > MAX_ROW_BYTES) {
    throw new ProblemError(
      problem('row-too-large', `one item would take ${formatBytes(rowBytes)}`, {
        place: { file: source.path, sample: index },
        hint: 'axis 0 must count the items, each of at most 2 GiB',
      }),
    );
  }
  const bytes = new Uint8Array(new ArrayBuffer(rowBytes));
  await source.read(bytes, layout.dataOffset + index * rowBytes);
  return bytes;
}

/** One row as a tensor of the shape without axis 0. Throws as `readRowBytes` does. */
export async function readRow(source: ByteSource, layout: ArrayLayout, index: number): Promise<Tensor> {
  const bytes = await readRowBytes(source, layout, index);
  swapToHostOrder(bytes, layout);
  const dims = layout.shape.slice(1);
  return { type: layout.type, dims, data: allocateElements(layout.type, elementCount(dims), bytes.buffer) };
}

/** Turns elements as they are in a file into those of this machine, in place. */
export function swapToHostOrder(
  bytes: Uint8Array,
  { byteOrder, elementSizeBytes }: Pick<ArrayLayout, 'byteOrder' | 'elementSizeBytes'>,
): void {
  if (byteOrder === (endianness() === 'LE' ? 'little' : 'big')) return;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (elementSizeBytes === 2) buffer.swap16();
  else if (elementSizeBytes === 4) buffer.swap32();
  else if (elementSizeBytes === 8) buffer.swap64();
}
