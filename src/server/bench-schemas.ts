import Type from 'typebox';

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
    scenario: Type.Optional(Type.Union([Type.Literal('single-stream'), Type.Literal('offline')])),
    durationSeconds: Type.Optional(Type.Number({ minimum: 0.1, maximum: 3600 })),
    threads: Type.Optional(Type.Integer({ minimum: 0, maximum: 1024 })),
  },
  { additionalProperties: false },
);

export type BenchRequestBody = Type.Static<typeof BenchRequestSchema>;

export const RunQuerySchema = Type.Object(
  {
    model: Type.Optional(Type.String({ maxLength: 63 })),
    state: Type.Optional(
      Type.Union(
        (['queued', 'running', 'succeeded', 'failed', 'cancelled', 'interrupted'] as const).map((state) =>
          Type.Literal(state),
        ),
      ),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
    before: Type.Optional(Type.String({ pattern: '^[0-9A-HJKMNP-TV-Z]{26}$' })),
  },
  { additionalProperties: false },
);

export type RunQueryString = Type.Static<typeof RunQuerySchema>;
