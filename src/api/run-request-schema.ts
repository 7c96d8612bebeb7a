import Type from 'typebox';
import { RUN_KINDS, RUN_STATES } from '../core/run-terms.ts';

const PreferSchema = Type.Optional(
  Type.String({
    maxLength: 255,
    description: 'wait=N: to be answered when the run is over, or after N seconds, at most 30 (RFC 7240)',
  }),
);

/** Headers of whatever orders a run. Source: draft-ietf-httpapi-idempotency-key-header. */
export const OrderHeadersSchema = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({ pattern: '^[!-~]{1,255}$', description: 'at most 255 characters of ASCII without spaces' }),
  ),
  prefer: PreferSchema,
});

/** Headers of what shows a run. */
export const WaitHeadersSchema = Type.Object({ prefer: PreferSchema });

/** The query string of `GET /bench`. */
export const RunQuerySchema = Type.Object(
  {
    model: Type.Optional(Type.String({ maxLength: 63 })),
    kind: Type.Optional(Type.Enum([...RUN_KINDS])),
    state: Type.Optional(Type.Enum([...RUN_STATES])),
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
