import { problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { NpzArchive, NpzArray } from './npz.ts';
import type { SampleProblem } from './sample-source.ts';
import type { SplitBinding } from './split-binding.ts';

/**
 * Tells of each sample whether a sequence starts at it: where the value of the integer array `<split>/sequence` (shape
 * [samples] or [samples, 1]) changes, or at the first sample alone where there is no such array, or where it is an input
 * of the model.
 */
export async function readSequenceStarts(
  archive: NpzArchive,
  { inputs, count }: SplitBinding,
  split: string,
): Promise<Result<(index: number) => boolean, SampleProblem>> {
  const name = `${split}/sequence`;
  const unreadable = archive.unreadable.get(name);
  if (unreadable !== undefined) return err(unreadable);
  const array = archive.arrays.get(name);
  if (array === undefined || inputs.some(({ array: fed }) => fed.name === name)) {
    return ok((index) => index === 0);
  }
  const fault = describeFault(array, count);
  if (fault !== undefined) {
    return err(
      problem('sequence-invalid', `the sequences cannot be told apart: ${fault}`, {
        place: { file: archive.path, tensor: name },
        hint: 'give each sample the number of its sequence: shape [samples], dtype int64',
      }),
    );
  }
  const rows = await archive.readRows(name, 0, count);
  if (!rows.ok) return rows;
  const numbers = rows.value;
  return ok((index) => index === 0 || numbers[index] !== numbers[index - 1]);
}

function describeFault({ type, shape }: NpzArray, count: number): string | undefined {
  if (!/^u?int/.test(type)) return `the array is ${type}, not integers`;
  const [length, ...rest] = shape;
  if (length === undefined || rest.some((dim) => dim !== 1)) return `the array's shape is [${shape}]`;
  return length === count ? undefined : `there are ${length} numbers for ${count} samples`;
}
