import Type from 'typebox';
import { MOST_TRACED_QUERIES, SCENARIOS } from '../core/bench-terms.ts';
import { SAMPLING_FORM, SAMPLING_PATTERN, type Sampling } from '../core/sampling.ts';

/** A replay needs a trace, which a request cannot name: it is ordered by its suite. */
const ORDERED_SCENARIOS = SCENARIOS.filter((scenario) => scenario !== 'replay');

/** Body of `POST /bench`. What is left out is taken from the model's profile. */
export const BenchRequestSchema = Type.Object(
  {
    model: Type.String({ description: 'the name of a registered model', minLength: 1, maxLength: 63 }),
    variants: Type.Optional(
      Type.Array(Type.String({ maxLength: 63 }), {
        description: 'names of its variants; fp32 is always measured too',
        maxItems: 32,
        uniqueItems: true,
      }),
    ),
    suite: Type.Optional(
      Type.String({
        description: "one of the profile's suites; profile for its own scenarios",
        maxLength: 63,
      }),
    ),
    scenario: Type.Optional(Type.Enum([...ORDERED_SCENARIOS])),
    durationSeconds: Type.Optional(Type.Number({ minimum: 0.1, maximum: 3600 })),
    threads: Type.Optional(Type.Integer({ minimum: 0, maximum: 1024 })),
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
        Type.Object(
          { queries: Type.Integer({ minimum: 1, maximum: MOST_TRACED_QUERIES }) },
          { additionalProperties: false },
        ),
      ]),
    ),
  },
  { additionalProperties: false },
);

export type BenchRequestBody = Type.Static<typeof BenchRequestSchema>;

/** Headers of `POST /bench`. Source: draft-ietf-httpapi-idempotency-key-header. */
export const OrderHeadersSchema = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({ pattern: '^[!-~]{1,255}$', description: 'at most 255 characters of ASCII without spaces' }),
  ),
});

/** The query string of `GET /bench`. */
export const RunQuerySchema = Type.Object(
  {
    model: Type.Optional(Type.String({ maxLength: 63 })),
    state: Type.Optional(Type.Enum(['queued', 'running', 'succeeded', 'failed', 'cancelled', 'interrupted'])),
    limit: Type.Optional(
      Type.String({ pattern: '^([1-9][0-9]?|1[0-9]{2}|200)$', description: 'a whole number from 1 to 200' }),
    ),
    before: Type.Optional(
      Type.String({
        pattern: '^[0-9A-HJKMNP-TV-Z]{26}$',
        description: 'the id of a run, the last of a page',
      }),
    ),
  },
  { additionalProperties: false },
);

export type RunQueryString = Type.Static<typeof RunQuerySchema>;

/** The query string of `GET /bench/arrivals`. */
export const ArrivalsQuerySchema = Type.Object(
  {
    model: Type.Optional(Type.String({ maxLength: 63 })),
    limit: Type.Optional(
      Type.String({ pattern: '^([1-9][0-9]{0,3}|10000)$', description: 'a whole number from 1 to 10000' }),
    ),
  },
  { additionalProperties: false },
);

export type ArrivalsQueryString = Type.Static<typeof ArrivalsQuerySchema>;
