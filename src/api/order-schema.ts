import Type from 'typebox';
import { MOST_TRACED_QUERIES, SCENARIOS } from '../core/bench-terms.ts';
import { PRIORITIES } from '../core/run-terms.ts';
import { SAMPLING_FORM, SAMPLING_PATTERN, type Sampling } from '../core/sampling.ts';
import { oneOf } from './schema-words.ts';

/** A replay needs a trace, which a request cannot name: it is ordered by its suite. */
const ORDERED_SCENARIOS = SCENARIOS.filter((scenario) => scenario !== 'replay');
const WEEK_SECONDS = 7 * 24 * 3600;
const CLOSED = { additionalProperties: false };

const threads = Type.Optional(
  Type.Integer({ minimum: 0, maximum: 1024, description: 'of the runtime; 0 is every core' }),
);

const variantsOf = (description: string) =>
  Type.Optional(Type.Array(Type.String({ maxLength: 63 }), { description, maxItems: 32, uniqueItems: true }));

/** What every order has. What is left out is taken from the model's profile. */
const common = {
  model: Type.String({ description: 'the name of a registered model', minLength: 1, maxLength: 63 }),
  sampling: Type.Optional(
    Type.Unsafe<Sampling>({
      type: 'string',
      pattern: SAMPLING_PATTERN,
      description: `how often the host is sampled meanwhile: ${SAMPLING_FORM}`,
    }),
  ),
  trace: Type.Optional(
    Type.Union([
      Type.Boolean(),
      Type.Object({ queries: Type.Integer({ minimum: 1, maximum: MOST_TRACED_QUERIES }) }, CLOSED),
    ]),
  ),
  priority: Type.Optional(
    oneOf(
      PRIORITIES,
      'normal unless given; what is scheduled is low. A level goes before what came up to twelve hours earlier in the next lower one',
    ),
  ),
  deadlineSeconds: Type.Optional(
    Type.Number({
      minimum: 1,
      maximum: WEEK_SECONDS,
      description: 'the order is given up (expired) when it is not over so long after it came',
    }),
  ),
};

/** Body of `POST /bench`. */
export const BenchRequestSchema = Type.Object(
  {
    ...common,
    variants: variantsOf('names of its variants; fp32 is always measured too'),
    suite: Type.Optional(
      Type.String({
        description: "one of the profile's suites; profile for its own scenarios",
        maxLength: 63,
      }),
    ),
    scenario: Type.Optional(Type.Enum([...ORDERED_SCENARIOS])),
    durationSeconds: Type.Optional(Type.Number({ minimum: 0.1, maximum: 3600 })),
    threads,
  },
  CLOSED,
);

/** Body of `POST /quantize`. */
export const QuantizeRequestSchema = Type.Object(
  { ...common, variants: variantsOf('names of its variants; all of them unless given') },
  CLOSED,
);

/** Body of `POST /evaluate`. */
export const EvaluateRequestSchema = Type.Object(
  {
    ...common,
    variants: variantsOf('names of its variants; all of them unless given'),
    samples: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1e9, description: 'evaluate on at most so many' }),
    ),
    threads,
  },
  CLOSED,
);

/** Body of `POST /explain`. */
export const ExplainRequestSchema = Type.Object(
  {
    ...common,
    variants: variantsOf('names of its quantized variants; all of them unless given'),
    samples: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1e9,
        description: 'at most so many, spread evenly over the evaluation split',
      }),
    ),
    timeLimitSeconds: Type.Optional(
      Type.Number({
        minimum: 1,
        maximum: WEEK_SECONDS,
        description: 'after so long no further node is measured at the outputs, for each variant',
      }),
    ),
    top: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1e9,
        description: 'measure only so many nodes at the outputs: those whose own results are furthest off',
      }),
    ),
  },
  CLOSED,
);

/** Body of `POST /run`. */
export const RunRequestSchema = Type.Object(common, CLOSED);

export type BenchRequest = Type.Static<typeof BenchRequestSchema>;
export type QuantizeRequest = Type.Static<typeof QuantizeRequestSchema>;
export type EvaluateRequest = Type.Static<typeof EvaluateRequestSchema>;
export type ExplainRequest = Type.Static<typeof ExplainRequestSchema>;
export type RunRequest = Type.Static<typeof RunRequestSchema>;
