import type { Truth } from '../../core/item.ts';
import { attemptAsync, type Problem } from '../../core/problem.ts';
import { err, type Result } from '../../core/result.ts';
import type { Item } from '../item-collection.ts';

/** What is known about the recordings of a folder, by their paths relative to it. */
export interface AudioLabels {
  /** Every recording that something is known about. */
  readonly ids: readonly string[];
  truthOf(id: string): { readonly truth: Truth; readonly group?: string } | undefined;
}

export const AUDIO_FIELD = 'audio';

export function audioItem(samples: Float32Array, truth: Truth | undefined): Item {
  const tensor = { type: 'float32', dims: [samples.length], data: samples } as const;
  const fields = { [AUDIO_FIELD]: { kind: 'tensor', tensor } as const };
  return truth === undefined ? { fields } : { fields, truth };
}

/** Reads one item; a problem then names its position as well as the file. */
export async function readItem(index: number, read: () => Promise<Item>): Promise<Result<Item, Problem>> {
  const item = await attemptAsync(read);
  if (item.ok) return item;
  return err({ ...item.error, place: { ...item.error.place, sample: index } });
}
