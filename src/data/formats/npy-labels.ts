import type { LabelSpec } from '../../core/data-spec.ts';
import type { Truth } from '../../core/item.ts';
import { type Problem, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Item, ItemCollection } from '../item-collection.ts';
import { openNpyCollection } from './npy.ts';

/**
 * An `.npy` array with labels in another one, `labels.file`: row i of both belongs to item i. One integer a row is a class
 * unless `labels.kind` says otherwise; anything else is a tensor. Errors: those of both files, `labels-invalid`.
 */
export async function openLabelledNpy(
  path: string,
  labels: LabelSpec,
): Promise<Result<ItemCollection, Problem>> {
  const { file, kind } = labels;
  if (file === undefined || !file.endsWith('.npy')) {
    return err(
      invalid(path, 'the labels of an .npy are another .npy', 'name it: labels: { file: labels.npy }'),
    );
  }
  const items = await openNpyCollection(path);
  if (!items.ok) return items;
  const rows = await openNpyCollection(file);
  if (!rows.ok) {
    await items.value.close();
    return rows;
  }
  const fault = describeFault(items.value, rows.value, kind);
  if (fault === undefined) return ok(join(items.value, rows.value, kind));
  await items.value.close();
  await rows.value.close();
  return err(invalid(file, fault, 'give each row of the data its label, in the same order'));
}

function describeFault(
  items: ItemCollection,
  rows: ItemCollection,
  kind: LabelSpec['kind'],
): string | undefined {
  if (rows.count !== items.count) return `there are ${rows.count} labels for ${items.count} items`;
  if (kind !== undefined && kind !== 'class' && kind !== 'tensor' && kind !== 'mask') {
    return `an .npy cannot hold labels of the kind '${kind}'`;
  }
  return undefined;
}

function join(items: ItemCollection, rows: ItemCollection, kind: LabelSpec['kind']): ItemCollection {
  const truthAt = async (index: number): Promise<Result<Truth, Problem>> => {
    const row = await rows.read(index);
    if (!row.ok) return row;
    const value = row.value.fields['array'];
    if (value?.kind !== 'tensor') throw new Error('a row of an .npy is a tensor');
    const { type, dims, data } = value.tensor;
    const values = Float64Array.from(data as ArrayLike<number | bigint>, Number);
    const isInteger = /^u?int/.test(type);
    if (kind !== 'class' && !(kind === undefined && isInteger && values.length === 1)) {
      return ok({ kind: 'tensor', dims, values });
    }
    const [label = -1] = values;
    if (isInteger && values.length === 1 && label >= 0) return ok({ kind: 'class', index: label });
    const found = values.length === 1 ? `${label} (${type})` : `${type} [${dims}]`;
    const problemOf = invalid(rows.path, `the label is ${found}`, 'classes are integers from 0');
    return err({ ...problemOf, place: { ...problemOf.place, sample: index } });
  };
  return {
    ...items,
    read: async (index) => {
      const item = await items.read(index);
      if (!item.ok) return item;
      const truth = await truthAt(index);
      return truth.ok ? ok<Item>({ ...item.value, truth: truth.value }) : truth;
    },
    close: async () => {
      await items.close();
      await rows.close();
    },
  };
}

function invalid(file: string, message: string, hint: string): Problem {
  return problem('labels-invalid', `the labels cannot be used: ${message}`, { place: { file }, hint });
}
