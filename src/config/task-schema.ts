import Type from 'typebox';

const closed = { additionalProperties: false } as const;

const text = (description: string) => Type.Optional(Type.String({ minLength: 1, description }));
const words = (description: string) => Type.Optional(Type.Array(Type.String(), { minItems: 1, description }));
const number = (description: string, range: object = {}) =>
  Type.Optional(Type.Number({ ...range, description }));
const count = (description: string, standard: object = {}) =>
  Type.Optional(Type.Integer({ minimum: 1, ...standard, description }));
const share = (description: string, standard: number) =>
  number(description, { minimum: 0, maximum: 1, default: standard });
const flag = (description: string) => Type.Optional(Type.Boolean({ description }));

export const TaskNameSchema = Type.Enum(
  [
    'fidelity',
    'classification',
    'multi-label',
    'regression',
    'embedding',
    'segmentation',
    'detection',
    'binary-over-time',
    'token-classification',
    'span-answer',
    'transcription',
  ],
  {
    type: 'string',
    default: 'fidelity',
    description:
      'what the outputs are: class scores, several classes, numbers, a vector, a class a pixel, objects, yes or no for ' +
      'each frame, a tag a token, an answer in a text, speech as text; fidelity compares them as numbers with those of ' +
      'fp32. None needs labels to compare answers, all but fidelity and embedding need them to measure accuracy',
  },
);

const Level = Type.Object(
  {
    output: text('yolov3: the output of this stride'),
    scores: text('nanodet: the output with the scores'),
    boxes: text('nanodet: the output with the distributions'),
    stride: Type.Integer({ minimum: 1, description: 'pixels from one cell of the grid to the next' }),
    anchors: Type.Optional(
      Type.Array(Type.Array(Type.Number({ exclusiveMinimum: 0 }), { minItems: 2, maxItems: 2 }), {
        minItems: 1,
        description: 'yolov3: width and height in pixels',
      }),
    ),
  },
  closed,
);

const Detection = {
  head: Type.Optional(
    Type.Enum(['yolov3', 'yolov5', 'yolov8', 'yolox', 'ssd', 'nanodet', 'detr', 'boxes'], {
      type: 'string',
      description: 'detection: how the outputs are read',
    }),
  ),
  scoreThreshold: number('detection: what scores less is not found', { minimum: 0, maximum: 1 }),
  iouThreshold: number(
    'detection: of two boxes of a class that overlap more than this the lower scored goes',
    {
      minimum: 0,
      maximum: 1,
    },
  ),
  maxDetections: count('detection: the best that are kept of a picture'),
  multiLabel: flag('detection: whether a box may be found for several classes'),
  classAgnostic: flag('detection: lets boxes suppress those of other classes, too'),
  displayThreshold: share('detection: what a user is shown, and answers are compared by', 0.3),
  categories: Type.Optional(
    Type.Array(Type.Integer({ minimum: -1 }), {
      minItems: 1,
      description: "detection: by the model's class, the category of the labels; -1 leaves a class out",
    }),
  ),
  levels: Type.Optional(
    Type.Array(Level, {
      minItems: 1,
      description: 'detection, yolov3 and nanodet: the outputs of each stride',
    }),
  ),
  transposed: flag('detection, yolov8: whether the output is [1, N, 4 + C]'),
  strides: Type.Optional(
    Type.Array(Type.Integer({ minimum: 1 }), {
      minItems: 1,
      description: 'detection, yolox: pixels; 8, 16, 32',
    }),
  ),
  scores: text('detection, ssd and boxes: the output with the scores'),
  boxes: text('detection, ssd, detr and boxes: the output with the boxes'),
  labels: text('detection, boxes: the output with the classes'),
  count: text('detection, boxes: the output that says how many of the rows count'),
  logits: text('detection, detr: the output with the class scores'),
  softmax: flag('detection, ssd: whether the scores are logits'),
  sigmoid: flag('detection, nanodet: whether the scores are logits'),
  background: Type.Optional(
    Type.Enum(['first', 'last', 'none'], {
      type: 'string',
      default: 'first',
      description: 'detection, ssd: the score that stands for no object',
    }),
  ),
  priors: Type.Optional(
    Type.Array(Type.Number(), {
      minItems: 4,
      description:
        'detection, ssd: centre and size of each prior, in shares of the picture; boxes are offsets then',
    }),
  ),
  variances: Type.Optional(
    Type.Array(Type.Number({ exclusiveMinimum: 0 }), {
      minItems: 2,
      maxItems: 2,
      description: 'detection, ssd: by which offsets were divided in training; 0.1 and 0.2',
    }),
  ),
  centre: Type.Optional(
    Type.Enum(['pixels', 'corner', 'middle'], {
      type: 'string',
      default: 'pixels',
      description:
        'detection, nanodet: where the point of the first cell lies: (stride - 1) / 2, 0, or stride / 2',
    }),
  ),
  format: Type.Optional(
    Type.Enum(['x1y1x2y2', 'y1x1y2x2', 'xywh', 'cxcywh'], {
      type: 'string',
      default: 'x1y1x2y2',
      description: 'detection, boxes: what the four numbers of a box are',
    }),
  ),
  unit: Type.Optional(
    Type.Enum(['pixels', 'shares'], {
      type: 'string',
      default: 'pixels',
      description: 'detection, boxes: pixels of the fed picture, or shares of it',
    }),
  ),
  firstLabel: Type.Optional(
    Type.Integer({ minimum: 0, default: 0, description: 'detection, boxes: the number of the first class' }),
  ),
  input: Type.Optional(
    Type.Object(
      {
        width: Type.Integer({ minimum: 1, description: 'pixels' }),
        height: Type.Integer({ minimum: 1, description: 'pixels' }),
      },
      { ...closed, description: 'detection: the size of what is fed, for data that are no pictures' },
    ),
  ),
};

const Text = {
  tags: words("token-classification: names of the classes in the model's order, such as O, B-PER, I-PER"),
  spans: Type.Optional(
    Type.Enum(['lenient', 'IOB2', 'IOBES', 'none'], {
      type: 'string',
      default: 'lenient',
      description: 'token-classification: how tags mark spans; none: each token has a class of its own',
    }),
  ),
  outside: words('token-classification: the tags that say "nothing is here"; O by default'),
  startOutput: text('span-answer: the output with the scores of the first token; start_logits by default'),
  endOutput: text('span-answer: the output with the scores of the last token; end_logits by default'),
  maxAnswerLength: count('span-answer: tokens', { default: 30 }),
  vocabulary: Type.Optional(
    Type.Union(
      [
        Type.String({ minLength: 1, description: 'a file' }),
        Type.Array(Type.String(), { minItems: 2, description: 'the texts themselves' }),
      ],
      {
        description:
          "transcription: the text of each token in the model's order, or a file of them: a line each, or JSON",
      },
    ),
  ),
  decoding: Type.Optional(
    Type.Enum(['ctc', 'tokens'], {
      type: 'string',
      description:
        'transcription: ctc merges repetitions and drops the blank; ctc for scores, tokens for ids',
    }),
  ),
  blank: Type.Optional(
    Type.Integer({
      minimum: 0,
      default: 0,
      description: "transcription: position of CTC's blank in the vocabulary",
    }),
  ),
  special: words('transcription: tokens that are no text, such as </s>'),
  wordDelimiter: Type.Optional(
    Type.String({ default: '|', description: 'transcription: what stands for a space in the vocabulary' }),
  ),
  normalize: Type.Optional(
    Type.Enum(['none', 'whitespace', 'lowercase', 'plain'], {
      type: 'string',
      default: 'whitespace',
      description:
        'transcription: what of the texts is not compared: nothing, spaces, case as well, punctuation as well',
    }),
  ),
};

const TaskSettingsSchema = Type.Object(
  {
    name: Type.Optional(TaskNameSchema),
    module: text('a module of your own that says what answers are and measures them, such as ./mine.mjs'),
    output: text('the output that is read; the first by default'),
    classes: words("classification, detection: names of the classes in the model's order, to show them"),
    threshold: number('multi-label, binary-over-time, segmentation: the least score that counts as yes'),
    activation: Type.Optional(
      Type.Enum(['none', 'sigmoid', 'softmax'], {
        type: 'string',
        description:
          'multi-label, binary-over-time: what turns scores into probabilities; detection, detr: of the classes',
      }),
    ),
    tolerance: number('regression: how far off the fp32 value a value counts as the same, relative', {
      minimum: 0,
      default: 0.001,
    }),
    mape: flag('regression: whether the mean absolute percentage error is measured as well'),
    k: count('embedding: neighbours that are looked for', { default: 10 }),
    maxItems: count('embedding: how many items are looked up at most', { default: 5000 }),
    minCosine: number('embedding: from which cosine on two vectors count as the same', {
      minimum: -1,
      maximum: 1,
      default: 0.99,
    }),
    ignore: Type.Optional(
      Type.Integer({ default: 255, description: 'segmentation: the class of pixels that do not count' }),
    ),
    minAgreement: share(
      'segmentation: from which share of equal pixels on two masks count as the same',
      0.99,
    ),
    layout: Type.Optional(
      Type.Enum(['nchw', 'nhwc'], {
        type: 'string',
        default: 'nchw',
        description: 'segmentation: where the axis of the classes is',
      }),
    ),
    ...Detection,
    ...Text,
  },
  { ...closed, description: 'a task with its settings' },
);

export const TaskSchema = Type.Union([TaskNameSchema, TaskSettingsSchema], {
  default: 'fidelity',
  description:
    'what the model is for, and so what its accuracy is: the name of a task, or an object with its settings',
});

export type TaskSource = Type.Static<typeof TaskSchema>;
export type TaskSettingsSource = Type.Static<typeof TaskSettingsSchema>;
export type TaskName = Type.Static<typeof TaskNameSchema>;
