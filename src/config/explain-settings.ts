import Type from 'typebox';
import { DURATION_PATTERN, parseDurationSeconds } from './duration.ts';

const DEFAULT_SAMPLES = 32;
const DEFAULT_TIME_LIMIT = '2m';

/** The `explain` of a profile as it is written. */
export const ExplainSchema = Type.Union(
  [
    Type.Boolean(),
    Type.Object(
      {
        samples: Type.Optional(
          Type.Integer({
            minimum: 1,
            default: DEFAULT_SAMPLES,
            description: 'of the evaluation split, spread evenly over it',
          }),
        ),
        timeLimit: Type.Optional(
          Type.String({
            pattern: DURATION_PATTERN,
            default: DEFAULT_TIME_LIMIT,
            description: 'after so long no further node is measured at the outputs, for each variant',
          }),
        ),
        top: Type.Optional(
          Type.Integer({
            minimum: 1,
            description: 'measure only so many nodes at the outputs; all where absent',
          }),
        ),
      },
      { additionalProperties: false },
    ),
  ],
  {
    description:
      'full runs tell what each quantized node of a new artifact costs, and why: true, or an object; nothing where absent',
  },
);

/** What full runs explain of new artifacts. */
export interface ExplainSettings {
  readonly samples: number;
  readonly timeLimitSeconds: number;
  readonly top?: number;
}

/** What is explained of a model whose profile says no more. */
export const DEFAULT_EXPLAIN: ExplainSettings = {
  samples: DEFAULT_SAMPLES,
  timeLimitSeconds: parseDurationSeconds(DEFAULT_TIME_LIMIT) ?? 0,
};

export function resolveExplain(
  source: Type.Static<typeof ExplainSchema> | undefined,
): ExplainSettings | undefined {
  if (source === undefined || source === false) return undefined;
  const { samples = DEFAULT_SAMPLES, timeLimit = DEFAULT_TIME_LIMIT, top } = source === true ? {} : source;
  return {
    samples,
    // The schema lets no other text through.
    timeLimitSeconds: parseDurationSeconds(timeLimit) ?? 0,
    ...(top === undefined ? {} : { top }),
  };
}
