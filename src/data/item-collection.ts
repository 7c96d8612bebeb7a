import type { Truth } from '../core/item.ts';
import type { Problem } from '../core/problem.ts';
import type { Result } from '../core/result.ts';
import type { ElementType, Tensor } from '../core/tensor.ts';
import type { SampleProblem } from './sample-source.ts';

/** What a field of every item holds, before any preprocessing. */
export type FieldInfo =
  /** `dims` are those of one item, without an axis that counts items; undefined where they vary. */
  | {
      readonly kind: 'tensor';
      readonly name: string;
      readonly type: ElementType;
      readonly dims: readonly number[] | undefined;
      /** What the file calls it, for problems; the field's own name where it is absent. */
      readonly place?: string;
    }
  /** It matters only to whoever needs it. */
  | { readonly kind: 'unreadable'; readonly name: string; readonly problem: Problem }
  | { readonly kind: 'image'; readonly name: string }
  | { readonly kind: 'text'; readonly name: string };

export type FieldValue =
  | { readonly kind: 'tensor'; readonly tensor: Tensor }
  /** Encoded: JPEG, PNG or WebP, as a path or as the bytes of the file. */
  | { readonly kind: 'image'; readonly encoded: string | Uint8Array }
  | { readonly kind: 'text'; readonly text: string };

export interface Item {
  readonly fields: Readonly<Record<string, FieldValue>>;
  readonly truth?: Truth;
}

/** What is known of an item without reading what the model is fed. */
export interface ItemDescription {
  /** Unique and stable: does not change when other items come and go. */
  readonly id: string;
  readonly group?: string;
  /** Items of one sequence follow each other; a recurrent model starts anew where this changes. */
  readonly sequence?: string;
}

/**
 * The items of a data set in one format, read one at a time and never held. Opening checks all that can be checked
 * without reading items, labels among it. A problem of `read` names the file, and the item by its position.
 */
export interface ItemCollection {
  /** What problems name: the file or folder. */
  readonly path: string;
  readonly count: number;
  readonly fields: readonly FieldInfo[];
  /**
   * Fields have names that somebody chose for the inputs of the model, so one of another name is a mistake; otherwise the
   * only field feeds the only input whatever it is called.
   */
  readonly namesInputs?: boolean;
  /** Worth a warning: what the collection holds but does not use, such as files without a label. */
  readonly unused: readonly string[];
  describe(index: number): ItemDescription;
  /**
   * A key that equal contents share, so that copies of an item never end up in two splits. Cheap: for large items the
   * size with the first and last bytes.
   */
  contentKey(index: number): Promise<Result<string, SampleProblem>>;
  read(index: number): Promise<Result<Item, SampleProblem>>;
  close(): Promise<void>;
}
