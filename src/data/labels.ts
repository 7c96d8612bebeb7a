import { problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { NpzArchive, NpzArray } from './npz.ts';
import type { SampleProblem } from './sample-source.ts';

/** The split that a bare `labels` array belongs to. */
const LABELLED_SPLIT = 'eval';

interface LabelRequest {
  readonly split: string;
  /** Samples in the split, which the labels must match. */
  readonly total: number;
  /** How many labels to return, from the first. */
  readonly count: number;
  /** Arrays that feed the model, so a model whose input is called `labels` does not get its own input as labels. */
  readonly taken: ReadonlySet<string>;
}

/**
 * Reads one class index per sample from `<split>/labels`, or from `labels` for the split `eval`. Accepts any integer
 * type and the shapes [n] and [n, 1]. Undefined when there is neither array.
 */
export async function readLabels(
  archive: NpzArchive,
  { split, total, count, taken }: LabelRequest,
): Promise<Result<Int32Array | undefined, SampleProblem>> {
  const candidates = [`${split}/labels`, ...(split === LABELLED_SPLIT ? ['labels'] : [])];
  const name = candidates.find(
    (array) => !taken.has(array) && (archive.arrays.has(array) || archive.unreadable.has(array)),
  );
  if (name === undefined) return ok(undefined);
  const unreadable = archive.unreadable.get(name);
  if (unreadable !== undefined) return err(unreadable);
  const fault = describeFault(archive.arrays.get(name), total);
  if (fault !== undefined) return err(invalid(archive.path, name, fault));
  const rows = await archive.readRows(name, 0, count);
  if (!rows.ok) return rows;
  const labels = new Int32Array(count);
  for (let i = 0; i < count; i += 1) {
    const label = Number(rows.value[i]);
    if (label < 0 || label > 0x7fffffff) return err(invalid(archive.path, name, `the label is ${label}`, i));
    labels[i] = label;
  }
  return ok(labels);
}

function describeFault(array: NpzArray | undefined, total: number): string | undefined {
  if (array === undefined) return undefined;
  if (!/^u?int/.test(array.type)) return `they are ${array.type}, not integers`;
  const [length, ...rest] = array.shape;
  if (length === undefined || rest.some((dim) => dim !== 1)) return `their shape is [${array.shape}]`;
  return length === total ? undefined : `there are ${length} of them for ${total} samples`;
}

function invalid(file: string, name: string, fault: string, sample?: number): SampleProblem {
  return problem('labels-invalid', `the labels cannot be used: ${fault}`, {
    place: { file, tensor: name, ...(sample === undefined ? {} : { sample }) },
    hint: 'labels are integers from 0, one for each sample: shape [samples], dtype int64',
  });
}
