import Type from 'typebox';
import { DATA_FORMATS } from '../core/data-spec.ts';

const closed = { additionalProperties: false } as const;

const size = (description: string) => Type.Integer({ minimum: 1, maximum: 65_536, description });

const Filter = Type.Optional(
  Type.Enum(['nearest', 'box', 'bilinear', 'hamming', 'bicubic', 'lanczos'], {
    type: 'string',
    default: 'bilinear',
    description: 'how pixels are interpolated, with antialiasing, as Pillow and torchvision do it',
  }),
);

const Resize = Type.Object(
  {
    shortSide: Type.Optional(size('pixels of the shorter side; proportions are kept')),
    width: Type.Optional(size('pixels; with height: exactly this size')),
    height: Type.Optional(size('pixels')),
    letterbox: Type.Optional(
      Type.Object(
        { width: size('pixels'), height: size('pixels') },
        {
          ...closed,
          description: 'the largest size with the same proportions that fits; the rest is filled',
        },
      ),
    ),
    fill: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 255,
        default: 114,
        description: 'letterbox: what the rest is filled with',
      }),
    ),
    align: Type.Optional(
      Type.Enum(['center', 'top-left'], {
        type: 'string',
        default: 'center',
        description: 'letterbox: where the picture lies',
      }),
    ),
    filter: Filter,
  },
  { ...closed, description: 'one of shortSide, width with height, or letterbox' },
);

const Frame = Type.Object(
  {
    length: Type.Integer({ minimum: 1, description: 'new values of each sample' }),
    hop: Type.Optional(
      Type.Integer({ minimum: 1, description: 'values from one to the next; length by default' }),
    ),
    context: Type.Optional(
      Type.Integer({ minimum: 0, default: 0, description: 'values before the new ones that are fed again' }),
    ),
  },
  { ...closed, description: 'makes many samples of one recording, which is then one sequence' },
);

const Tokenize = Type.Object(
  {
    tokenizer: Type.String({ minLength: 1, description: 'a tokenizer.json' }),
    maxLength: Type.Optional(
      Type.Integer({ minimum: 1, description: 'longer texts are cut to so many tokens' }),
    ),
    padding: Type.Optional(
      Type.Enum(['none', 'max-length'], {
        type: 'string',
        default: 'none',
        description: 'max-length: shorter texts are filled up to maxLength',
      }),
    ),
    output: Type.Optional(
      Type.Enum(['ids', 'attention-mask', 'type-ids'], {
        type: 'string',
        description: "what is fed; by the input's name when left out",
      }),
    ),
  },
  { ...closed, description: 'turns text into token ids' },
);

const byChannel = (description: string) =>
  Type.Optional(
    Type.Union(
      [
        Type.Number({ description: 'one number' }),
        Type.Array(Type.Number(), { minItems: 1, maxItems: 4, description: 'a number a channel' }),
      ],
      { description },
    ),
  );

/** How one input is made: the steps are done in this order, and those left out are not done. */
const Input = Type.Object(
  {
    from: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'the field or array that feeds the input, where names differ',
      }),
    ),
    value: Type.Optional(
      Type.Union(
        [
          Type.Number({ description: 'one number' }),
          Type.Array(Type.Number(), { minItems: 1, description: 'numbers' }),
        ],
        { description: 'the same number or numbers for every sample, such as a sample rate' },
      ),
    ),
    resize: Type.Optional(Resize),
    crop: Type.Optional(
      Type.Object(
        { width: size('pixels'), height: size('pixels') },
        { ...closed, description: 'the centre of the picture' },
      ),
    ),
    channels: Type.Optional(
      Type.Enum(['rgb', 'bgr', 'gray'], {
        type: 'string',
        default: 'rgb',
        description: 'colours, and their order',
      }),
    ),
    layout: Type.Optional(
      Type.Enum(['nchw', 'nhwc'], {
        type: 'string',
        default: 'nchw',
        description: 'nchw: one plane a channel; nhwc: the channels of a pixel side by side',
      }),
    ),
    sampleRate: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        description: 'hertz; recordings of another rate are resampled',
      }),
    ),
    length: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: 'recordings are cut, or filled with zeros, to so many values',
      }),
    ),
    frame: Type.Optional(Frame),
    tokenize: Type.Optional(Tokenize),
    scale: Type.Optional(
      Type.Union(
        [
          Type.Number({ description: 'a number' }),
          Type.String({ pattern: '^\\d+(\\.\\d+)?/\\d+(\\.\\d+)?$', description: 'a fraction' }),
        ],
        {
          description: 'multiplied first: a number, or a fraction such as 1/255',
        },
      ),
    ),
    mean: byChannel('subtracted then: one number, or one a channel'),
    std: byChannel('divided by at last: one number, or one a channel'),
    dims: Type.Optional(
      Type.Array(Type.Integer({ minimum: 0 }), {
        description: 'the dimensions of one sample without its batch axis, where the data has others',
      }),
    ),
  },
  closed,
);

const Labels = Type.Object(
  {
    file: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'CSV with a header line, JSON lines, COCO JSON or an idx file; class folders, or fields of the data, when left out',
      }),
    ),
    item: Type.Optional(
      Type.String({
        minLength: 1,
        default: 'file',
        description: 'the column that names the file of an item',
      }),
    ),
    truth: Type.Optional(
      Type.String({
        minLength: 1,
        default: 'label',
        description: 'the column or field that holds the label',
      }),
    ),
    kind: Type.Optional(
      Type.Enum(['class', 'classes', 'tensor', 'boxes', 'text', 'tags', 'mask'], {
        type: 'string',
        default: 'class',
        description:
          'class: one of several; classes: those that apply; tensor: numbers; boxes: objects of a picture; text; tags: one a token; mask: a PNG of class indices',
      }),
    ),
    classes: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        minItems: 1,
        description: "names of the classes in the model's order, where labels are names",
      }),
    ),
    group: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'the column that says which items belong together, such as a speaker',
      }),
    ),
    masks: Type.Optional(
      Type.String({ minLength: 1, description: 'kind mask: the folder of PNG files named as the pictures' }),
    ),
  },
  { ...closed, description: 'what is right for each item' },
);

const Splits = Type.Object(
  {
    seed: Type.Optional(
      Type.Integer({ minimum: 0, default: 0, description: 'decides which items go where' }),
    ),
    sizes: Type.Record(Type.String({ minLength: 1 }), Type.Number({ exclusiveMinimum: 0 }), {
      description: 'by name: up to 1 a share of the items, above it a number of items',
    }),
  },
  {
    ...closed,
    description:
      'splits by a hash of what each item holds, so that copies stay together; data that is not split has calib: 0.2 and eval: 0.8 unless it is an .npz',
  },
);

/** The fields of `data` that describe where samples come from. */
export const dataFields = {
  path: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'the data set, absolute or relative to this file: an .npz, .npy, .jsonl or idx file, a .wav file, or a folder of pictures, recordings or test_data_set_N',
    }),
  ),
  format: Type.Optional(
    Type.Enum([...DATA_FORMATS], {
      type: 'string',
      description: 'the kind of data, where the path does not tell; random: made up, for benchmarks alone',
    }),
  ),
  arrays: Type.Optional(
    Type.Record(
      Type.String({ minLength: 1 }),
      Type.Record(Type.String({ minLength: 1 }), Type.String({ minLength: 1 })),
      {
        description:
          'for an .npz with names of its own: by split, the array for each input, and for labels, sequence and group',
      },
    ),
  ),
  labels: Type.Optional(Labels),
  splits: Type.Optional(Splits),
  preprocess: Type.Optional(
    Type.Union(
      [Type.String({ minLength: 1, description: 'a module of your own, such as ./mine.mjs' }), Input],
      {
        description: 'how items become the input of the model',
      },
    ),
  ),
  inputs: Type.Optional(
    Type.Record(Type.String({ minLength: 1 }), Input, {
      description: "the same by the model's input, for those that need something else",
    }),
  ),
  onBadSample: Type.Optional(
    Type.Enum(['fail', 'skip'], {
      type: 'string',
      default: 'fail',
      description: 'what becomes of a sample that cannot be read: the run fails, or goes on and counts it',
    }),
  ),
};

/** A description of data in a file of its own: the fields of `data` at the top. */
export const DataSchema = Type.Object(dataFields, closed);

export type DataSource = Type.Static<typeof DataSchema>;

export type InputSource = Type.Static<typeof Input>;
