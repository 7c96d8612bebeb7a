import type { ImageGeometry } from '../core/item.ts';
import type { Problem, ProblemPlace } from '../core/problem.ts';
import type { Result } from '../core/result.ts';
import type { NamedTensors, Tensor } from '../core/tensor.ts';
import type { FieldValue, Item } from './item-collection.ts';
import type { SampleInput } from './sample-source.ts';

/** One input of one sample, ready to be fed. */
export interface PreparedInput {
  readonly tensor: Tensor;
  readonly geometry?: ImageGeometry;
}

/** How one input of the model is made of an item. */
export interface InputBinding {
  readonly fed: SampleInput;
  /** The field that it needs; none for constants. */
  readonly field: string | undefined;
  /** @param value the field's; only for constants there is none */
  prepare(value: FieldValue | undefined, place: ProblemPlace): Promise<Result<PreparedInput, Problem>>;
}

/** Makes the feeds of one sample from an item. @param id the item's name, which stays the same whatever is used with it */
export type PrepareItem = (
  item: Item,
  place: ProblemPlace,
  id: string,
) => Promise<Result<{ readonly feeds: NamedTensors; readonly geometry?: ImageGeometry }, Problem>>;
