import Type from 'typebox';
import { DURATION_PATTERN } from './duration.ts';
import { LATENCY_GOAL_PATTERN, SIZE_GOAL_PATTERN } from './goal.ts';

const closed = { additionalProperties: false } as const;

const RecipeFormatSchema = Type.Enum(
  ['static-int8', 'static-int16', 'dynamic-int8', 'weight-int8', 'weight-int4', 'float16'],
  {
    type: 'string',
    description:
      'static-int8: 8-bit weights and activations, ranges from calibration; static-int16: the same with 16-bit ' +
      'activations, for accelerators; dynamic-int8: 8-bit weights, activations rounded at every run; weight-int8, ' +
      'weight-int4: weights of matrix products alone, in blocks; float16: half precision',
  },
);

const flag = (description: string, standard: boolean) =>
  Type.Optional(Type.Boolean({ default: standard, description }));

const patterns = (description: string) =>
  Type.Optional(Type.Array(Type.String({ minLength: 1 }), { description }));

const selection = (description: string) =>
  Type.Optional(
    Type.Object(
      {
        opTypes: patterns('ONNX op types, such as Softmax'),
        nodes: patterns('names of nodes; * stands for any characters'),
        tensors: patterns(
          'names of tensors that a node reads or makes, weights too; * stands for any characters',
        ),
      },
      { ...closed, description },
    ),
  );

const Calibration = Type.Object(
  {
    method: Type.Optional(
      Type.Enum(['minmax', 'moving-average', 'percentile', 'entropy', 'mse'], {
        type: 'string',
        description: 'how observed activations become a range: mse when left out, for static-int16 minmax',
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
      Type.Integer({ minimum: 1, description: 'calibration samples, in place of data.calibration.samples' }),
    ),
  },
  closed,
);

/** A recipe as it is written in a profile or in a file of its own. */
export const RecipeSchema = Type.Object(
  {
    format: RecipeFormatSchema,
    target: Type.Optional(
      Type.Enum(['cpu', 'cuda', 'tensorrt', 'webgpu', 'portable'], {
        type: 'string',
        description:
          'the provider that the model is made for (cpu when left out); portable: any runtime, any processor',
      }),
    ),
    representation: Type.Optional(
      Type.Enum(['qdq', 'qoperator'], {
        type: 'string',
        description:
          'static: float operators between QuantizeLinear and DequantizeLinear (the default), or operators on codes',
      }),
    ),
    activations: Type.Optional(
      Type.Enum(['uint8', 'int8', 'uint16', 'int16'], {
        type: 'string',
        description:
          'static: the type of activation codes; uint8 (int16 formats: uint16) unless the target asks for another',
      }),
    ),
    calibration: Type.Optional(Calibration),
    perTensor: flag('one weight scale per tensor in place of one per output channel', false),
    reduceRange: Type.Optional(
      Type.Union([Type.Boolean(), Type.Enum(['auto'], { type: 'string' })], {
        default: 'auto',
        description: '7-bit weights, against saturation on x86 without VNNI; auto decides by the processor',
      }),
    ),
    latencyGate: Type.Optional(
      Type.Enum(['measured', 'off'], {
        type: 'string',
        description:
          'static-int8 on cpu: measured (the default) leaves float what is slower in int8 on this host',
      }),
    ),
    tune: Type.Optional(
      Type.Enum(['none', 'fast', 'full'], {
        type: 'string',
        default: 'none',
        description:
          'static: what is done after calibration to keep accuracy; fast takes the passes that gain most for their time, full all of them',
      }),
    ),
    minSqnrDb: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 100,
        description:
          'static: leave layers float32, the most sensitive for their work first, until the outputs have this SQNR in dB',
      }),
    ),
    form: Type.Optional(
      Type.Enum(['matmul-nbits', 'dequantize'], {
        type: 'string',
        description: 'weights alone: the operator of ONNX Runtime, or portable DequantizeLinear of opset 21',
      }),
    ),
    blockSize: Type.Optional(
      Type.Enum([16, 32, 64, 128, 256], {
        type: 'integer',
        description: 'weights alone: how many weights of a column share a scale (32; for tensorrt 128)',
      }),
    ),
    symmetric: Type.Optional(
      Type.Boolean({ description: 'weights alone: no zero points, a little smaller and coarser' }),
    ),
    algorithm: Type.Optional(
      Type.Enum(['rtn', 'hqq', 'gptq'], {
        type: 'string',
        description:
          'weights alone: round to nearest (the default), half-quadratic search for a better grid, or rounding together by calibration data',
      }),
    ),
    accuracyLevel: Type.Optional(
      Type.Enum([0, 1, 4], {
        type: 'integer',
        description:
          'weights alone, matmul-nbits: 0 computes in float32, 4 (the default) lets the kernel round activations to int8',
      }),
    ),
    keepIo: flag('float16: inputs and outputs of the model stay float32', true),
    include: selection('what may be quantized; everything when left out'),
    exclude: selection('what stays float'),
  },
  { ...closed, description: 'how to quantize, in full' },
);

export type RecipeSource = Type.Static<typeof RecipeSchema>;

const FORMATS_AND_AUTO = [
  'static-int8',
  'static-int16',
  'dynamic-int8',
  'weight-int8',
  'weight-int4',
  'float16',
  'auto',
] as const;

/** The recipe of a variant by its name alone. */
export const VariantFormatSchema = Type.Enum([...FORMATS_AND_AUTO], {
  type: 'string',
  description:
    'as in a recipe; or auto: search the recipe that suits this host and the budget of the profile',
});

/** The recipe of a variant: one of those above, or what a search for the best one is told. */
export const VariantRecipeSchema = Type.Object(
  {
    ...RecipeSchema.properties,
    format: VariantFormatSchema,
    maxLatency: Type.Optional(
      Type.String({
        pattern: LATENCY_GOAL_PATTERN,
        description:
          'auto: a goal such as 5ms, or 0.5x of float32; the smallest model that reaches it is taken',
      }),
    ),
    maxSize: Type.Optional(
      Type.String({
        pattern: SIZE_GOAL_PATTERN,
        description:
          'auto: a goal such as 2MiB, or 0.3x of float32; the fastest model that reaches it is taken',
      }),
    ),
    timeLimit: Type.Optional(
      Type.String({ pattern: DURATION_PATTERN, description: 'auto: end the search after this, such as 30m' }),
    ),
  },
  { ...closed, description: 'how to quantize, in full' },
);

export type VariantRecipeSource = Type.Static<typeof VariantRecipeSchema>;

const SCOPE = ['target', 'include', 'exclude'] as const;
const STATIC = [
  'representation',
  'activations',
  'calibration',
  'perTensor',
  'reduceRange',
  'latencyGate',
  'tune',
  'minSqnrDb',
  ...SCOPE,
] as const;
const WEIGHTS_ONLY = ['form', 'blockSize', 'symmetric', 'algorithm', 'accuracyLevel', ...SCOPE] as const;

/** The settings that each format has besides `format`. */
const FORMAT_SETTINGS: Readonly<
  Record<VariantRecipeSource['format'], readonly (keyof VariantRecipeSource)[]>
> = {
  auto: ['maxLatency', 'maxSize', 'timeLimit', ...SCOPE],
  'static-int8': STATIC,
  'static-int16': STATIC,
  'dynamic-int8': ['perTensor', 'reduceRange', ...SCOPE],
  'weight-int8': WEIGHTS_ONLY,
  'weight-int4': WEIGHTS_ONLY,
  float16: ['keepIo', ...SCOPE],
};

/** A setting that a recipe has but its format does not know, so that it would do nothing, and what the format knows. */
export function foreignSetting(
  recipe: VariantRecipeSource,
): { readonly setting: string; readonly known: readonly string[] } | undefined {
  const known: readonly string[] = FORMAT_SETTINGS[recipe.format];
  const setting = Object.keys(recipe).find((name) => name !== 'format' && !known.includes(name));
  return setting === undefined ? undefined : { setting, known };
}
