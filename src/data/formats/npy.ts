import { attemptAsync, type Problem, ProblemError, problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import type { ItemCollection } from '../item-collection.ts';
import { NPY_PREFIX_BYTES, type NpyHeader, npyHeaderSize, parseNpyHeader } from '../npy.ts';
import { createArrayCollection } from './array-collection.ts';
import { type ByteSource, openByteSource } from './byte-source.ts';

/**
 * The rows of one `.npy` array as items with the field `array`; axis 0 counts them. They have no truth. Memory is one
 * row.
 * Errors: `data-unreadable`; `npy-invalid` and `npy-unsupported` for arrays that cannot be read row by row;
 * `no-samples`.
 */
export function openNpyCollection(path: string): Promise<Result<ItemCollection, Problem>> {
  return attemptAsync(async () => {
    const source = await openByteSource(path);
    try {
      const layout = await readNpyHeader(source);
      if (layout.shape.length === 0) throw noItems(path, 'the array is a single number, without an axis');
      if (layout.shape[0] === 0) throw noItems(path, `the array has the shape [${layout.shape}]`);
      return createArrayCollection({ source, layout, field: 'array', close: source.close });
    } catch (error) {
      await source.close();
      throw error;
    }
  });
}

/** Reads the header and compares it with the size of the file. Throws a `ProblemError`. */
export async function readNpyHeader(source: ByteSource): Promise<NpyHeader> {
  const place = { file: source.path };
  const prefix = new Uint8Array(Math.min(NPY_PREFIX_BYTES, source.sizeBytes));
  await source.read(prefix, 0);
  const size = npyHeaderSize(prefix, place);
  if (!size.ok) throw new ProblemError(size.error);
  const bytes = new Uint8Array(Math.min(size.value, source.sizeBytes));
  await source.read(bytes, 0);
  const header = parseNpyHeader(bytes, place);
  if (!header.ok) throw new ProblemError(header.error);
  const { type, shape, dataOffset, dataSizeBytes } = header.value;
  const heldBytes = source.sizeBytes - dataOffset;
  if (heldBytes !== dataSizeBytes) {
    throw new ProblemError(
      problem(
        'npy-invalid',
        `the .npy header claims ${type} [${shape}], ${dataSizeBytes} bytes, but the file holds ${heldBytes}`,
        { place, hint: 'write the file again with `np.save`' },
      ),
    );
  }
  return header.value;
}

function noItems(path: string, why: string): ProblemError {
  return new ProblemError(
    problem('no-samples', `the file holds no items: ${why}`, {
      place: { file: path },
      hint: 'axis 0 counts the items, also where there is only one: `array[np.newaxis]`',
    }),
  );
}
