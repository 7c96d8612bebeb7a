import Type from 'typebox';
import { DEFAULT_TRACED_QUERIES, MOST_TRACED_QUERIES } from '../core/bench-terms.ts';
import { dataFields } from './data-schema.ts';
import { DURATION_PATTERN } from './duration.ts';
import { ExplainSchema } from './explain-settings.ts';
import { MeasurementSchema, NAME_FORM, NAME_PATTERN } from './measurement-schema.ts';
import { VariantFormatSchema, VariantRecipeSchema } from './recipe-schema.ts';
import { TaskSchema } from './task-schema.ts';

const closed = { additionalProperties: false } as const;

const Split = (description: string, defaultSplit: string) =>
  Type.Object(
    {
      split: Type.Optional(
        Type.String({ minLength: 1, default: defaultSplit, description: 'the split of the data set to use' }),
      ),
      samples: Type.Optional(
        Type.Integer({
          minimum: 1,
          description:
            'how many samples to use, spread over the split; its first ones where states are carried',
        }),
      ),
    },
    { ...closed, description },
  );

const Variant = Type.Object(
  {
    name: Type.String({ pattern: NAME_PATTERN, description: `the variant's name, not "fp32": ${NAME_FORM}` }),
    recipe: Type.Union([VariantFormatSchema, VariantRecipeSchema], {
      description: 'how to quantize: the name of a format, auto, or an object with its settings',
    }),
  },
  closed,
);

const Budget = Type.Object(
  {
    metric: Type.String({
      pattern: '^[a-z][a-z0-9_]{0,62}$',
      description:
        'a metric of the task, such as top1, map or wer; or agreement: the share of samples on which fp32 and the ' +
        'variant answer alike; or sqnr_db',
    }),
    absolute: Type.Optional(
      Type.Number({
        minimum: 0,
        description: 'largest allowed loss in units of the metric: 0.01 lets 0.95 become 0.94',
      }),
    ),
    relative: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        description: 'largest allowed loss as a share of the fp32 value',
      }),
    ),
    atLeast: Type.Optional(
      Type.Number({ description: 'for sqnr_db alone: the ratio in dB that the first output must keep' }),
    ),
    alpha: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 0.2,
        default: 0.01,
        description: 'a loss counts as shown when its p-value is below this',
      }),
    ),
    confidence: Type.Optional(
      Type.Number({
        minimum: 0.5,
        exclusiveMaximum: 1,
        default: 0.95,
        description: 'of intervals, and of the bound that must lie within the budget',
      }),
    ),
  },
  {
    ...closed,
    oneOf: [{ required: ['absolute'] }, { required: ['relative'] }, { required: ['atLeast'] }],
    description: 'how much accuracy a variant may lose against fp32: a metric, and absolute or relative',
  },
);

const Bench = Type.Object(
  {
    threads: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1024, default: 1, description: 'threads of one session' }),
    ),
    scenarios: Type.Optional(
      Type.Array(MeasurementSchema, {
        minItems: 1,
        description:
          'what to measure, in this order; single-stream and offline where no suite is named either',
      }),
    ),
    suites: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        minItems: 1,
        description:
          'suites to run after the scenarios: a name such as standard, or the path of a YAML file with one',
      }),
    ),
    capture: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'what Capture profile replays while nothing runs: a scenario of the profile, SUITE/MEASUREMENT, or a suite; ' +
          'a single stream unless given',
      }),
    ),
  },
  { ...closed, description: 'how speed is measured' },
);

const Schedule = Type.Object(
  {
    cron: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: 'when to work through the model again, as cron writes it: minute hour day month weekday',
      }),
    ),
    timezone: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        description:
          'the time zone that cron is meant in, such as Europe/Berlin; that of the host by default',
      }),
    ),
    jitter: Type.Optional(
      Type.String({
        pattern: DURATION_PATTERN,
        description: 'by how much a time is put off at most, at random, such as 10m',
      }),
    ),
    onChange: Type.Optional(
      Type.Boolean({
        default: true,
        description: 'whether a changed model, data, profile, runtime or driver is a reason to run',
      }),
    ),
  },
  { ...closed, description: 'when the daemon works through the model again' },
);

const Trace = Type.Union(
  [
    Type.Boolean(),
    Type.Object(
      {
        queries: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: MOST_TRACED_QUERIES,
            default: DEFAULT_TRACED_QUERIES,
            description: 'queries of each variant in each measurement, and samples of each model',
          }),
        ),
        calibration: Type.Optional(
          Type.Boolean({ default: true, description: 'trace the first samples of calibrations' }),
        ),
        evaluation: Type.Optional(
          Type.Boolean({ default: true, description: 'trace the first samples of evaluations' }),
        ),
        measurements: Type.Optional(
          Type.Array(Type.String({ minLength: 1 }), {
            description:
              'the suites and measurements to trace, such as profile or standard/server; all of them where absent',
          }),
        ),
      },
      closed,
    ),
  ],
  {
    description:
      "what every run traces for TensorFlow's profiler and Perfetto: true for all, or an object; nothing where absent",
  },
);

const CarriedState = Type.Object(
  {
    output: Type.String({ minLength: 1, description: 'the output that holds the next state' }),
    input: Type.String({ minLength: 1, description: 'the input that takes the state' }),
    dims: Type.Optional(
      Type.Array(Type.Integer({ minimum: 0 }), {
        description: "dimensions of the zeros that a sequence starts with, where the model's own do not tell",
      }),
    ),
  },
  closed,
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
        ...dataFields,
        calibration: Type.Optional(Split('the samples that calibration sees', 'calib')),
        evaluation: Type.Optional(
          Split('the samples that accuracy is measured on; all of the split by default', 'eval'),
        ),
        states: Type.Optional(
          Type.Array(CarriedState, {
            description:
              'outputs of a recurrent model that it is fed in its next run; samples are then one sequence, or one ' +
              'for each value of the array <split>/sequence',
          }),
        ),
      },
      { ...closed, description: 'the samples to calibrate and evaluate with' },
    ),
    task: Type.Optional(TaskSchema),
    variants: Type.Array(Variant, {
      minItems: 1,
      description: 'what to make of the model; fp32 is always there',
    }),
    budget: Type.Optional(Budget),
    bench: Type.Optional(Bench),
    schedule: Type.Optional(Schedule),
    trace: Type.Optional(Trace),
    explain: Type.Optional(ExplainSchema),
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

/** The JSON Schema (draft 7) of profiles, for editors: the text of `profiles/profile.schema.json`. */
export const profileJsonSchema: string = `${JSON.stringify(ProfileSchema, null, 2)}\n`;
