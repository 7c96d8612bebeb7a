import type { LabelSpec } from '../../core/data-spec.ts';
import { decodeFloat16 } from '../../core/float16.ts';
import type { Truth } from '../../core/item.ts';
import { attempt, type Problem, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { elementCount } from '../../core/tensor.ts';
import { refuseSettings } from '../labels/refuse-settings.ts';
import type { NpzArchive, NpzArray } from '../npz.ts';

/** The truth of an item. Classes are known at once; larger truths are read when they are asked for. */
export type TruthAt = (index: number) => Truth | Promise<Result<Truth, Problem>>;

/**
 * The truths that an array holds, axis 0 counting the items. Without `labels.kind` one integer an item is a class, checked
 * here for all items, and anything else is a tensor. Undefined where there is no array.
 * Errors: `labels-invalid`; of an item, where its classes are not marked by 0 and 1.
 */
export async function readNpzTruths(
  archive: NpzArchive,
  name: string | undefined,
  count: number,
  labels: LabelSpec | undefined,
): Promise<Result<TruthAt | undefined, Problem>> {
  const settings = attempt(() =>
    refuseSettings(labels, ['file', 'item', 'truth', 'group', 'masks'], 'labels are an array', archive.path),
  );
  if (!settings.ok) return settings;
  if (name === undefined) return ok(undefined);
  const unreadable = archive.unreadable.get(name);
  if (unreadable !== undefined) return err(unreadable);
  const array = archive.arrays.get(name);
  if (array === undefined) return err(invalid(archive, name, 'there is no such array'));
  const [length] = array.shape;
  if (length !== count) {
    const fault =
      length === undefined ? 'their shape is []' : `there are ${length} of them for ${count} samples`;
    return err(invalid(archive, name, fault));
  }
  const kind = labels?.kind ?? (holdsClasses(array) ? 'class' : 'tensor');
  switch (kind) {
    case 'class':
      return readClasses(archive, array, count, labels?.classes);
    case 'tensor':
    case 'mask':
      return ok(tensorsOf(archive, array));
    case 'classes':
      return ok(classesOf(archive, array));
    default:
      return err(invalid(archive, name, `an .npz cannot hold labels of the kind '${kind}'`));
  }
}

function holdsClasses({ type, shape }: NpzArray): boolean {
  return /^u?int/.test(type) && elementCount(shape.slice(1)) === 1;
}

async function readClasses(
  archive: NpzArchive,
  array: NpzArray,
  count: number,
  names: readonly string[] | undefined,
): Promise<Result<TruthAt, Problem>> {
  const { name, type, shape } = array;
  if (!/^u?int/.test(type)) return err(invalid(archive, name, `they are ${type}, not integers`));
  if (shape.slice(1).some((dim) => dim !== 1)) {
    return err(invalid(archive, name, `their shape is [${shape}]`));
  }
  const rows = await archive.readRows(name, 0, count);
  if (!rows.ok) return rows;
  const classes = new Int32Array(count);
  for (let i = 0; i < count; i += 1) {
    const label = Number(rows.value[i]);
    if (label < 0 || label > 0x7fffffff) return err(invalid(archive, name, `the label is ${label}`, i));
    if (names !== undefined && label >= names.length) {
      const fault = `the label is ${label}, but \`labels.classes\` names the classes 0 to ${names.length - 1}`;
      return err(invalid(archive, name, fault, i));
    }
    classes[i] = label;
  }
  return ok((index) => ({ kind: 'class', index: classes[index] as number }));
}

function tensorsOf(archive: NpzArchive, { name, type, shape }: NpzArray): TruthAt {
  return async (index) => {
    const row = await archive.readRows(name, index, 1);
    if (!row.ok) return row;
    const values =
      type === 'float16'
        ? Float64Array.from(row.value as Uint16Array, decodeFloat16)
        : Float64Array.from(row.value as ArrayLike<number | bigint>, Number);
    return ok({ kind: 'tensor', dims: shape.slice(1), values });
  };
}

/** One number a class: 1 where the class applies, otherwise 0. A list of classes would look alike, so all else is refused. */
function classesOf(archive: NpzArchive, { name, type }: NpzArray): TruthAt {
  return async (index) => {
    const row = await archive.readRows(name, index, 1);
    if (!row.ok) return row;
    const indices: number[] = [];
    for (let i = 0; i < row.value.length; i += 1) {
      const mark = type === 'float16' ? decodeFloat16(row.value[i] as number) : Number(row.value[i]);
      if (mark === 1) indices.push(i);
      else if (mark !== 0)
        return err(invalid(archive, name, `class ${i} is marked by ${mark}`, index, MARKS));
    }
    return ok({ kind: 'classes', indices });
  };
}

const MARKS = 'mark each class by 1 where it applies and by 0 where not: shape [samples, classes]';
const CLASSES = 'classes are integers from 0, one for each sample: shape [samples], dtype int64';

function invalid(
  archive: NpzArchive,
  tensor: string,
  fault: string,
  sample?: number,
  hint = CLASSES,
): Problem {
  return problem('labels-invalid', `the labels cannot be used: ${fault}`, {
    place: { file: archive.path, tensor, ...(sample === undefined ? {} : { sample }) },
    hint,
  });
}
