import Type from 'typebox';
import { SCENARIOS } from '../core/bench-terms.ts';
import { NextPageSchema } from './page-schema.ts';
import { SpeedUpSchema, VERDICTS } from './run-result-schema.ts';
import { boolean, integer, number, numberOrNull, oneOf, text, time } from './schema-words.ts';

const AccuracySchema = Type.Object(
  {
    verdict: oneOf(VERDICTS, 'whether accuracy stays within the budget'),
    verdictReason: text('why, as a sentence'),
    n: integer('items that were compared'),
    agreement: Type.Optional(number('share of equal answers')),
    sqnrDb: numberOrNull('of the first output'),
    figure: Type.Optional(
      Type.Object(
        {
          metric: text('of the task'),
          value: numberOrNull('of the variant'),
          reference: numberOrNull('of fp32'),
        },
        { description: 'what was judged by' },
      ),
    ),
  },
  { title: 'Accuracy', description: 'the last evaluation in short' },
);

const SpeedSchema = Type.Object(
  {
    suite: text('the suite'),
    measurement: text('of the suite'),
    scenario: oneOf(SCENARIOS, 'how queries were issued'),
    device: text('where it ran'),
    valid: boolean('whether the measurement kept its rules'),
    throughput: numberOrNull('samples per second'),
    p50Seconds: numberOrNull('latency'),
    p99Seconds: numberOrNull('latency'),
    peakRssBytes: numberOrNull('the largest resident set'),
  },
  { title: 'Speed', description: 'a measurement in short' },
);

const VariantSchema = Type.Object(
  {
    variant: text('its name; fp32 is the model itself'),
    sizeBytes: Type.Optional(integer('of its files; absent where it was not made yet')),
    artifact: Type.Optional(text('names the file of a quantized variant by what made it')),
    file: Type.Optional(Type.String({ format: 'uri-reference', description: 'where the file can be had' })),
    data: Type.Optional(
      Type.String({
        format: 'uri-reference',
        description: 'where its external data can be had; absent where its file has all of it',
      }),
    ),
    sensitivity: Type.Optional(
      Type.String({
        format: 'uri-reference',
        description: 'where it is told what its nodes cost; absent where no run explained it',
      }),
    ),
    search: Type.Optional(
      Type.String({
        format: 'uri-reference',
        description:
          'where it is told what the search for its recipe tried; absent where it was not searched',
      }),
    ),
    accuracy: Type.Optional(AccuracySchema),
    bench: Type.Array(SpeedSchema, { description: 'one a measurement' }),
    speedUps: Type.Array(SpeedUpSchema, { description: 'against fp32' }),
    onFront: Type.Optional(
      boolean('no other variant is as accurate, as fast and as small, and better in one of these'),
    ),
  },
  { title: 'Variant' },
);

export const ModelSchema = Type.Object(
  {
    name: text('of its profile'),
    task: text('what the model does, as it is evaluated'),
    href: Type.String({ format: 'uri-reference' }),
    variants: Type.Array(VariantSchema, { description: 'fp32 first' }),
    recommended: Type.Optional(
      Type.Object({ variant: text('the one to use'), reason: text('what speaks for it, as a sentence') }),
    ),
    run: Type.Optional(
      Type.Object(
        { href: Type.String({ format: 'uri-reference' }), finishedAt: time('when it ended') },
        { description: 'the last full run, which found all of this out' },
      ),
    ),
  },
  { title: 'Model', description: 'a registered model, with what its last full run found out' },
);

export const ModelListSchema = Type.Object(
  { models: Type.Array(ModelSchema), next: NextPageSchema },
  { title: 'ModelList' },
);

const HistoryPointSchema = Type.Object(
  {
    run: text('the id of the run'),
    finishedAt: time('when it ended'),
    variant: text('the variant'),
    suite: text('the suite'),
    measurement: text('the first one of the run'),
    host: text('the processor, and GPUs where there are some: figures of others are not comparable'),
    valid: boolean('whether the measurement kept its rules'),
    throughput: numberOrNull('samples per second'),
    p50Seconds: numberOrNull('latency'),
    accuracy: Type.Optional(number('by what the variant was judged')),
  },
  { title: 'HistoryPoint', description: 'how a variant fared in a run' },
);

const LatencyHistorySchema = Type.Object(
  {
    variant: text('the variant'),
    suite: text('the suite'),
    measurement: text('the measurement'),
    host: text('of the last run; runs on others are left out'),
    state: oneOf(
      ['learning', 'steady', 'suspected', 'regressed', 'improved'],
      'learning: too few runs; suspected: a run that others have to confirm',
    ),
    baselineRuns: integer('runs that the expectation is made of'),
    expectedSeconds: numberOrNull('the usual median latency'),
    limitSeconds: numberOrNull('from here on a run is suspected'),
    changeRatio: numberOrNull('the last run by the expectation'),
    since: Type.Optional(text('the id of the run at which the state began')),
    changes: Type.Array(
      Type.Object({
        run: text('the first run of a new level'),
        ratio: number('the new level by the old one'),
      }),
      { description: 'where the level changed, looking back' },
    ),
  },
  { title: 'LatencyHistory', description: 'what the runs of the page say of a measurement' },
);

export const HistorySchema = Type.Object(
  {
    points: Type.Array(HistoryPointSchema, { description: 'the oldest first' }),
    latency: Type.Array(LatencyHistorySchema),
    next: NextPageSchema,
  },
  { title: 'History' },
);

const limit = Type.Optional(
  Type.String({ pattern: '^([1-9][0-9]?|1[0-9]{2}|200)$', description: 'a whole number from 1 to 200' }),
);

/** The query string of `GET /models`. */
export const ModelQuerySchema = Type.Object(
  { limit, after: Type.Optional(Type.String({ maxLength: 63, description: 'a name, the last of a page' })) },
  { additionalProperties: false },
);

export type ModelQueryString = Type.Static<typeof ModelQuerySchema>;

/** The query string of `GET /models/{name}/history`. */
export const HistoryQuerySchema = Type.Object(
  {
    limit,
    before: Type.Optional(
      Type.String({
        pattern: '^[0-9A-HJKMNP-TV-Z]{26}$',
        description: 'the id of a run, the oldest of a page',
      }),
    ),
  },
  { additionalProperties: false },
);

export type HistoryQueryString = Type.Static<typeof HistoryQuerySchema>;
