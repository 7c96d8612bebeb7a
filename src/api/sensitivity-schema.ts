import Type from 'typebox';
import { integer, number, numberOrNull, oneOf, text } from './schema-words.ts';

const decibels = (description: string) => Type.Union([Type.Number(), Type.Null()], { description });

const OutputCostSchema = Type.Object(
  {
    sqnrDb: decibels('of the outputs against float32; null where nothing was lost'),
    notFinite: Type.Optional(Type.Boolean({ description: 'outputs hold NaN or infinity' })),
    changedAnswers: Type.Optional(integer('samples whose answer is another')),
    figure: Type.Optional(number('the metric of the task')),
  },
  { title: 'OutputCost', description: 'what roundings do to the outputs' },
);

const GainSchema = Type.Intersect([
  OutputCostSchema,
  Type.Object({ gainDb: decibels('against all roundings; null where nothing is lost any more') }),
]);

const NodeSchema = Type.Object(
  {
    node: text('its name in the float32 model'),
    op: text('its operator'),
    depth: integer('its place among the nodes'),
    output: text('the tensor that it gives'),
    inputs: Type.Array(Type.String(), { description: 'tensors that it reads and that are rounded' }),
    alone: Type.Optional(OutputCostSchema),
    without: Type.Optional(GainSchema),
    leftFloat: Type.Optional(GainSchema),
    own: Type.Object({ sqnrDb: decibels('of its own result, from float32 inputs') }),
    accumulatedSqnrDb: Type.Optional(numberOrNull('of its result in the quantized model')),
    workRatio: Type.Optional(number('its share of the multiplications with weights')),
    cause: oneOf(
      ['none', 'weights', 'input-rounding', 'input-clipping', 'output-rounding', 'output-clipping'],
      'what is behind most of its own error',
    ),
    reason: text('why, in words with figures'),
    advice: Type.Array(Type.String(), { description: 'what can be done about it' }),
  },
  { title: 'NodeSensitivity', description: 'what a quantized node costs' },
);

/** `GET /models/{model}/variants/{variant}/sensitivity`; what `ptq-agent explain --json` prints has the same form. */
export const SensitivitySchema = Type.Object(
  {
    kind: oneOf(['quantized'], 'a model that was made of the float32 one'),
    reference: text('the file of the float32 model'),
    candidate: text('the file of the artifact'),
    split: text('of the data'),
    samples: integer('that were run'),
    task: text('by which answers were compared'),
    whole: OutputCostSchema,
    simulated: OutputCostSchema,
    nodes: Type.Array(NodeSchema, { description: 'the costliest first' }),
    tensors: Type.Array(Type.Object({ tensor: text('its name in the float32 model') }), {
      description:
        'what is rounded, with its range, what lies beyond it, codes that are used and a histogram',
    }),
    depth: Type.Array(
      Type.Object({
        tensor: text('its name'),
        node: text('that gives it'),
        accumulatedSqnrDb: decibels('of its values'),
      }),
      { description: 'how errors add up, in the order of the model' },
    ),
    unpaired: Type.Array(
      Type.Object({ node: text('of the artifact'), op: text('its operator'), reason: text('why') }),
      { description: 'quantized nodes that were not found in the float32 model' },
    ),
    measured: Type.Object({
      alone: integer('nodes measured at the outputs'),
      of: integer('quantized nodes'),
    }),
    notes: Type.Array(Type.String()),
    seconds: number('it took'),
    peakRssBytes: integer('of the process that explained'),
  },
  { title: 'Sensitivity', description: 'what each quantized node of a variant costs, and why' },
);
