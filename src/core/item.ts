/** What is known to be right for one item of a data set. Which kinds a task takes, the task says. */
export type Truth =
  /** The one class that applies, from 0. */
  | { readonly kind: 'class'; readonly index: number }
  /** All classes that apply, from 0, without repetition; maybe none. */
  | { readonly kind: 'classes'; readonly indices: readonly number[] }
  /** Numbers to compare outputs with: a target value (`dims` empty), a vector, a mask [height, width], a label a frame. */
  | { readonly kind: 'tensor'; readonly dims: readonly number[]; readonly values: ArrayLike<number> }
  | { readonly kind: 'boxes'; readonly boxes: readonly TruthBox[] }
  | { readonly kind: 'text'; readonly text: string }
  /** One tag a token, such as `B-PER`. */
  | { readonly kind: 'tags'; readonly tags: readonly string[] };

/** One object of a picture, in pixels of the picture as it was before any resizing. */
export interface TruthBox {
  /** Class of the object, from 0. */
  readonly category: number;
  /** The left upper corner. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** A region of many objects: what is found in it is neither right nor wrong, as in COCO. */
  readonly isCrowd: boolean;
  /** In pixels; COCO takes the area of the object's mask, which is less than that of the box. */
  readonly area: number;
}

/** How a fed picture came from its original: fed = original · scale + offset, in pixels, a pair (x, y) each. */
export interface ImageGeometry {
  readonly width: number;
  readonly height: number;
  readonly fedWidth: number;
  readonly fedHeight: number;
  readonly scale: readonly [number, number];
  readonly offset: readonly [number, number];
}

/** What is known about an item besides what the model is fed. */
export interface ItemFacts {
  /** Position among the items that are used, from 0. */
  readonly index: number;
  /** A name that stays the same when other items come and go: a file, a line, a row. */
  readonly id?: string;
  /** Items of one group (a speaker, a document, a recording) are not independent of each other. */
  readonly group?: string;
  readonly truth?: Truth;
  readonly geometry?: ImageGeometry;
}
