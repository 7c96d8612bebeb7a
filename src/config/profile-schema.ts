import Type from 'typebox';
import { DURATION_PATTERN } from './duration.ts';

const NAME_PATTERN = '^[a-z0-9][a-z0-9_-]{0,62}$';
const NAME_FORM = 'lower-case letters, digits, "_" and "-", at most 63, starting with a letter or digit';

const closed = { additionalProperties: false } as const;

const Split = (description: string, defaultSplit: string) =>
  Type.Object(
    {
      split: Type.Optional(
        Type.String({ minLength: 1, default: defaultSplit, description: 'the split of the data set to use' }),
      ),
      samples: Type.Optional(
        Type.Integer({ minimum: 1, description: 'how many samples to use, from the start of the split' }),
      ),
    },
    { ...closed, description },
  );

const RecipeFormat = Type.Enum(['static-int8', 'dynamic-int8', 'weight-int8', 'weight-int4', 'float16'], {
  type: 'string',
  description:
    'static-int8: 8-bit weights and activations, ranges from calibration; dynamic-int8: 8-bit weights, activations ' +
    'rounded at every run; weight-int8, weight-int4: weights of matrix products alone, in blocks; float16: half precision',
});

const Recipe = Type.Object(
  {
    format: RecipeFormat,
    calibration: Type.Optional(
      Type.Object(
        {
          method: Type.Optional(
            Type.Enum(['minmax', 'moving-average', 'percentile', 'entropy', 'mse'], {
              type: 'string',
              default: 'mse',
              description: 'how observed activations become a range',
            }),
          ),
          percentile: Type.Optional(
            Type.Number({
              exclusiveMinimum: 50,
              maximum: 100,
              default: 99.99,
              description: 'for the method percentile: the per cent of values that are kept',
            }),
          ),
          samples: Type.Optional(
            Type.Integer({
              minimum: 1,
              description: 'calibration samples, in place of data.calibration.samples',
            }),
          ),
        },
        closed,
      ),
    ),
    perTensor: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'one weight scale per tensor in place of one per output channel',
      }),
    ),
    reduceRange: Type.Optional(
      Type.Union([Type.Boolean(), Type.Enum(['auto'], { type: 'string' })], {
        default: 'auto',
        description: '7-bit weights, against saturation on x86 without VNNI; auto decides by the processor',
      }),
    ),
    form: Type.Optional(
      Type.Enum(['matmul-nbits', 'dequantize'], {
        type: 'string',
        default: 'matmul-nbits',
        description: 'weights alone: the operator of ONNX Runtime, or portable DequantizeLinear of opset 21',
      }),
    ),
    blockSize: Type.Optional(
      Type.Enum([16, 32, 64, 128, 256], {
        type: 'integer',
        default: 32,
        description: 'weights alone: how many weights of a column share a scale',
      }),
    ),
    symmetric: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'weights alone: no zero points, a little smaller and coarser',
      }),
    ),
    algorithm: Type.Optional(
      Type.Enum(['rtn', 'hqq'], {
        type: 'string',
        default: 'rtn',
        description: 'weights alone: round to nearest, or half-quadratic search for a better grid',
      }),
    ),
    accuracyLevel: Type.Optional(
      Type.Enum([0, 1, 4], {
        type: 'integer',
        default: 4,
        description:
          'weights alone, matmul-nbits: 0 computes in float32, 4 lets the kernel round activations to int8',
      }),
    ),
    keepIo: Type.Optional(
      Type.Boolean({ default: true, description: 'float16: inputs and outputs of the model stay float32' }),
    ),
    exclude: Type.Optional(
      Type.Object(
        {
          opTypes: Type.Optional(
            Type.Array(Type.String({ minLength: 1 }), {
              description: 'ONNX op types that stay float, such as Softmax',
            }),
          ),
          nodes: Type.Optional(
            Type.Array(Type.String({ minLength: 1 }), {
              description: 'names of nodes that stay float; * stands for any characters',
            }),
          ),
        },
        closed,
      ),
    ),
  },
  { ...closed, description: 'how to quantize, in full' },
);

const Variant = Type.Object(
  {
    name: Type.String({ pattern: NAME_PATTERN, description: `the variant's name, not "fp32": ${NAME_FORM}` }),
    recipe: Type.Union([RecipeFormat, Recipe], {
      description: 'how to quantize: the name of a format, or an object with its settings',
    }),
  },
  closed,
);

const Budget = Type.Object(
  {
    metric: Type.Enum(['top1', 'agreement'], {
      type: 'string',
      description:
        'top1: share of right answers; agreement: share of samples on which fp32 and the variant answer alike',
    }),
    absolute: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        description: 'largest allowed drop: 0.01 lets 0.95 become 0.94',
      }),
    ),
    relative: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        description: 'largest allowed drop as a share of the fp32 value',
      }),
    ),
  },
  {
    ...closed,
    oneOf: [{ required: ['absolute'] }, { required: ['relative'] }],
    description: 'how much accuracy a variant may lose against fp32: a metric, and absolute or relative',
  },
);

const Bench = Type.Object(
  {
    threads: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1024, default: 1, description: 'threads of one session' }),
    ),
    scenarios: Type.Optional(
      Type.Array(
        Type.Object(
          {
            scenario: Type.Enum(['single-stream', 'offline'], {
              type: 'string',
              description:
                'single-stream: one query at a time, latency; offline: all samples at once, throughput',
            }),
            duration: Type.Optional(
              Type.String({
                pattern: DURATION_PATTERN,
                default: '10s',
                description: 'such as 500ms, 4s, 2m or 1h',
              }),
            ),
          },
          closed,
        ),
        { minItems: 1, description: 'what to measure, in this order' },
      ),
    ),
  },
  { ...closed, description: 'how speed is measured' },
);

/** A profile as it is written: the YAML file that registers a model. */
export const ProfileSchema = Type.Object(
  {
    name: Type.String({
      pattern: NAME_PATTERN,
      description: `the model's name in results and metrics: ${NAME_FORM}`,
    }),
    model: Type.String({ minLength: 1, description: 'the ONNX file, absolute or relative to this file' }),
    data: Type.Object(
      {
        path: Type.String({
          minLength: 1,
          description:
            'the data set, absolute or relative to this file: an .npz with arrays <split>/<input name>',
        }),
        calibration: Type.Optional(Split('the samples that calibration sees', 'calib')),
        evaluation: Type.Optional(
          Split('the samples that accuracy is measured on; all of the split by default', 'eval'),
        ),
      },
      { ...closed, description: 'the samples to calibrate and evaluate with' },
    ),
    task: Type.Optional(
      Type.Enum(['fidelity', 'classification'], {
        type: 'string',
        default: 'fidelity',
        description:
          'classification: top-1 against labels; fidelity: the outputs against those of fp32, no labels needed',
      }),
    ),
    variants: Type.Array(Variant, {
      minItems: 1,
      description: 'what to make of the model; fp32 is always there',
    }),
    budget: Type.Optional(Budget),
    bench: Type.Optional(Bench),
  },
  {
    ...closed,
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'ptq-agent profile',
    description:
      'Registers a model: where it is, its data, the variants to make of it and what they may cost.',
  },
);

/** A profile as it is written, before defaults. */
export type ProfileSource = Type.Static<typeof ProfileSchema>;
export type RecipeSource = Type.Static<typeof Recipe>;

/** The JSON Schema (draft 7) of profiles, for editors: the text of `profiles/profile.schema.json`. */
export const profileJsonSchema: string = `${JSON.stringify(ProfileSchema, null, 2)}\n`;
