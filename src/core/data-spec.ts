export const DATA_FORMATS = [
  'npz',
  'npy',
  'images',
  'wav',
  'idx',
  'jsonl',
  'perf-analyzer',
  'test-data-set',
  'random',
] as const;

export type DataFormat = (typeof DATA_FORMATS)[number];

/** The split that is everything. */
export const ALL_ITEMS = 'all';

/** A data set and how its items become samples of a model: plain data, all paths absolute. */
export interface DataSpec {
  /** A file or folder; empty for `random`. */
  readonly path: string;
  /** Guessed from the path where it is absent. */
  readonly format?: DataFormat;
  /**
   * For `.npz` files with names of their own: by split, the array for each model input, and for `labels`, `sequence` and
   * `group` where there are such.
   */
  readonly arrays?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly labels?: LabelSpec;
  readonly splits?: SplitSpec;
  /** For the one input that `inputs` does not name. */
  readonly preprocess?: InputSpec;
  /** By the model's input. */
  readonly inputs?: Readonly<Record<string, InputSpec>>;
  /** A module of the user's own that turns items into feeds; then neither `preprocess` nor `inputs` are used. */
  readonly module?: string;
  /** What becomes of an item that cannot be read or prepared; `fail` where it is absent. */
  readonly onBadSample?: 'fail' | 'skip';
}

/** Where the truth of each item is found. */
export interface LabelSpec {
  /** CSV with a header line, JSON lines, COCO's JSON, or an idx file. Without it: the names of class folders, or the item's own fields. */
  readonly file?: string;
  /** The column or key that names an item's file; `file` where it is absent. */
  readonly item?: string;
  /** The column or key that holds the truth; `label` where it is absent. */
  readonly truth?: string;
  /** What the truth is; `class` where it is absent. */
  readonly kind?: 'class' | 'classes' | 'tensor' | 'boxes' | 'text' | 'tags' | 'mask';
  /** Names of the classes in the model's order, where labels are names; sorted folder names where it is absent. */
  readonly classes?: readonly string[];
  /** The column or key that says which items belong together. */
  readonly group?: string;
  /** A folder of PNG masks named as the items are, for the kind `mask`. */
  readonly masks?: string;
}

/**
 * Splits by content: each item's place follows from a seeded hash of what it holds, so that neither order nor names
 * matter, and copies stay together. A size of at most 1 is a share of all items, a larger one a number of items.
 */
export interface SplitSpec {
  readonly seed: number;
  /** By the split's name. They do not overlap. */
  readonly sizes: Readonly<Record<string, number>>;
}

/** How a field becomes one input of the model. The steps are done in the order in which they stand here. */
export interface InputSpec {
  /** The field of the item; the one of the input's name, or the only one, where it is absent. */
  readonly from?: string;
  /** The same numbers for every sample, instead of a field. */
  readonly value?: number | readonly number[];
  readonly image?: ImageSpec;
  readonly audio?: AudioSpec;
  readonly tokenize?: TokenizeSpec;
  /** Multiplied first: 1/255 turns bytes into 0 to 1. */
  readonly scale?: number;
  /** Subtracted then: one number, or one for each channel. */
  readonly mean?: number | readonly number[];
  /** Divided by at last: one number, or one for each channel. */
  readonly std?: number | readonly number[];
  /** Of one sample without its leading axis of 1, for arrays that the model wants in another shape. */
  readonly dims?: readonly number[];
}

export type ResizeFilter = 'nearest' | 'box' | 'bilinear' | 'hamming' | 'bicubic' | 'lanczos';

/** Of decoded pictures, and of uint8 arrays [height, width] and [height, width, channels]. */
export interface ImageSpec {
  /** `shortSide` keeps the proportions; `letterbox` keeps them and fills the rest; bilinear where no filter is given. */
  readonly resize?:
    | { readonly shortSide: number; readonly filter?: ResizeFilter }
    | { readonly width: number; readonly height: number; readonly filter?: ResizeFilter }
    | {
        readonly letterbox: { readonly width: number; readonly height: number };
        readonly fill?: number;
        readonly align?: 'center' | 'top-left';
        readonly filter?: ResizeFilter;
      };
  /** The centre; where the picture is smaller it is filled with zeros, as torchvision does. */
  readonly crop?: { readonly width: number; readonly height: number };
  /** RGB where it is absent. */
  readonly channels?: 'rgb' | 'bgr' | 'gray';
  /** NCHW where it is absent: [channels, height, width]. NHWC: [height, width, channels]. */
  readonly layout?: 'nchw' | 'nhwc';
}

export interface AudioSpec {
  /** Hertz; files of another rate are resampled. Without it they are fed as they are. */
  readonly sampleRate?: number;
  /** Cuts or fills with zeros to this many samples. */
  readonly length?: number;
  /** Makes many samples of one file: `length` new values each, `hop` after those before, behind `context` earlier ones. */
  readonly frame?: { readonly length: number; readonly hop?: number; readonly context?: number };
}

export interface TokenizeSpec {
  /** A `tokenizer.json`. */
  readonly tokenizer: string;
  /** Longer texts are cut. */
  readonly maxLength?: number;
  /** Shorter ones are filled up to `maxLength`. */
  readonly padding?: 'none' | 'max-length';
  /** What of the encoding is fed. Of the input's name where it is absent. */
  readonly output?: 'ids' | 'attention-mask' | 'type-ids';
}
