import { type Problem, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { NumericArray } from '../../core/tensor.ts';
import type { NpzArchive, NpzArray } from '../npz.ts';

const FAULTS = {
  sequence: {
    kind: 'sequence-invalid',
    message: 'the sequences cannot be told apart',
    hint: 'give each sample the number of its sequence: shape [samples], dtype int64',
  },
  group: {
    kind: 'group-invalid',
    message: 'the groups cannot be told apart',
    hint: 'give each sample the number of its group: shape [samples], dtype int64',
  },
} as const;

/** One integer an item, from an array of the shape [items] or [items, 1]; undefined where there is no such array. */
export async function readIntegers(
  archive: NpzArchive,
  name: string | undefined,
  count: number,
  role: keyof typeof FAULTS,
): Promise<Result<NumericArray | undefined, Problem>> {
  if (name === undefined) return ok(undefined);
  const unreadable = archive.unreadable.get(name);
  if (unreadable !== undefined) return err(unreadable);
  const array = archive.arrays.get(name);
  const fault = array === undefined ? 'there is no such array' : describeFault(array, count);
  if (fault === undefined) return archive.readRows(name, 0, count);
  const { kind, message, hint } = FAULTS[role];
  return err(problem(kind, `${message}: ${fault}`, { place: { file: archive.path, tensor: name }, hint }));
}

function describeFault({ type, shape }: NpzArray, count: number): string | undefined {
  if (!/^u?int/.test(type)) return `the array is ${type}, not integers`;
  const [length, ...rest] = shape;
  if (length === undefined || rest.some((dim) => dim !== 1)) return `the array's shape is [${shape}]`;
  return length === count ? undefined : `there are ${length} numbers for ${count} samples`;
}
