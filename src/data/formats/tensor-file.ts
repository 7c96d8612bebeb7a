import { readFile } from 'node:fs/promises';
import { type Problem, ProblemError, problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import type { ElementType, Tensor } from '../../core/tensor.ts';
import { readRow } from './array-rows.ts';
import { openByteSource, unreadable } from './byte-source.ts';
import { readNpyHeader } from './npy.ts';

/** Decodes a TensorProto of ONNX; an empty name where it has none. */
export type DecodeTensorProto = (
  bytes: Uint8Array,
) => Result<{ readonly name: string; readonly tensor: Tensor }, Problem>;

/** A tensor of a file, without a leading axis of 1. */
export interface TensorFile {
  /** Of the TensorProto; empty where the file has none. */
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly number[];
}

/**
 * What a `.npy` or `.pb` file holds. Throws a `ProblemError` with the file: what its format finds, `data-unreadable`.
 */
export async function describeTensorFile(
  path: string,
  decode: DecodeTensorProto | undefined,
): Promise<TensorFile> {
  if (!path.endsWith('.npy')) {
    const { name, tensor } = await readProto(path, decode);
    return { name, type: tensor.type, dims: dropBatchAxis(tensor.dims) };
  }
  const source = await openByteSource(path);
  try {
    const { type, shape } = await readNpyHeader(source);
    return { name: '', type, dims: dropBatchAxis(shape) };
  } finally {
    await source.close();
  }
}

/** The tensor of a `.npy` or `.pb` file, without a leading axis of 1. Throws as `describeTensorFile` does. */
export async function readTensorFile(path: string, decode: DecodeTensorProto | undefined): Promise<Tensor> {
  if (!path.endsWith('.npy')) {
    const { tensor } = await readProto(path, decode);
    return { ...tensor, dims: dropBatchAxis(tensor.dims) };
  }
  const source = await openByteSource(path);
  try {
    const header = await readNpyHeader(source);
    // The whole array is the one row of an array with an axis more.
    const tensor = await readRow(source, { ...header, shape: [1, ...header.shape] }, 0);
    return { ...tensor, dims: dropBatchAxis(tensor.dims) };
  } finally {
    await source.close();
  }
}

function dropBatchAxis(dims: readonly number[]): readonly number[] {
  return dims[0] === 1 ? dims.slice(1) : dims;
}

async function readProto(path: string, decode: DecodeTensorProto | undefined) {
  if (decode === undefined) {
    throw new ProblemError(
      problem('data-unsupported', 'there is nothing here to read a .pb file with', {
        place: { file: path },
        hint: 'save the array with `np.save`, as .npy',
      }),
    );
  }
  const bytes = await readFile(path).catch((error: unknown) => {
    throw unreadable(error, path);
  });
  const decoded = decode(bytes);
  if (decoded.ok) return decoded.value;
  throw new ProblemError({ ...decoded.error, place: { ...decoded.error.place, file: path } });
}
