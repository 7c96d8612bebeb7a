import Type from 'typebox';
import { integer, numberOrNull, oneOf, text, textOrNull, time } from './schema-words.ts';

const STATES = ['learning', 'steady', 'suspected', 'regressed', 'improved', 'acknowledged'] as const;
const KINDS = ['latency', 'accuracy'] as const;

const key = {
  kind: oneOf(KINDS, 'what is watched'),
  variant: text('the variant; fp32 is the model itself'),
  suite: text('the suite; empty of accuracy, as the next two'),
  measurement: text('of the suite'),
  device: text('where it ran'),
  host: text('the processor, and GPUs where there are some: each has states of its own'),
};

const state = oneOf(
  STATES,
  'learning: too little is known; suspected: not sure yet; acknowledged: a regression that somebody knows of',
);

const SeriesSchema = Type.Object(
  {
    ...key,
    state,
    since: time('when the state began'),
    updatedAt: time('when the last run was looked at'),
    latency: Type.Optional(
      Type.Object(
        {
          baselineRuns: integer('runs that the expectation is made of'),
          expectedSeconds: numberOrNull('the usual median latency; null before there are enough runs'),
          limitSeconds: numberOrNull('from here on a run is suspected'),
          lastSeconds: numberOrNull('the median latency of the last valid run'),
          changeRatio: numberOrNull('the last run by the expectation'),
          acknowledgedSeconds: numberOrNull('what somebody knows of'),
        },
        { description: 'where latency is watched' },
      ),
    ),
    accuracy: Type.Optional(
      Type.Object(
        {
          baselineRun: textOrNull('the id of the run that later ones are held to'),
          baseline: numberOrNull('what it was judged by'),
          last: numberOrNull('of the last evaluation'),
          lossToBaseline: numberOrNull('on the same samples; null where it was not compared'),
          lossToFp32: numberOrNull('on the same samples; null for fp32 itself'),
        },
        { description: 'where accuracy is watched, in units of its metric' },
      ),
    ),
  },
  { title: 'WatchedSeries', description: 'a figure that is watched from run to run' },
);

const EventSchema = Type.Object(
  {
    at: time('when'),
    kind: oneOf(
      ['state', 'baseline', 'acknowledged', 'confirmation', 'layers'],
      'what happened; layers: what moved in a variant that regressed was found',
    ),
    of: Type.Object(key, { description: 'to which series' }),
    from: text('the state before; empty where there was none'),
    to: state,
    run: Type.Optional(text('the id of the run behind it')),
    reason: text('why, with the figures or in the words of whoever did it'),
    causes: Type.Array(Type.Object({ kind: text('in a word'), words: text('as a sentence') }), {
      description: 'what is known to differ from the last run that was as expected',
    }),
  },
  { title: 'WatchEvent' },
);

export const WatchSchema = Type.Object(
  { series: Type.Array(SeriesSchema), events: Type.Array(EventSchema, { description: 'the newest first' }) },
  { title: 'Watch', description: 'what the runs of a model say from one to the next' },
);

const choice = {
  kind: Type.Optional(oneOf(KINDS, 'both unless given')),
  variant: Type.Optional(Type.String({ maxLength: 63, description: 'all unless given' })),
  suite: Type.Optional(Type.String({ maxLength: 63, description: 'all unless given' })),
  measurement: Type.Optional(Type.String({ maxLength: 63, description: 'all unless given' })),
  reason: Type.String({
    minLength: 1,
    maxLength: 500,
    description: 'why, for whoever reads the history later',
  }),
};

/** The body of `POST /models/{name}/acknowledge`. */
export const AcknowledgeRequestSchema = Type.Object(choice, {
  additionalProperties: false,
  title: 'AcknowledgeRequest',
});

export type AcknowledgeRequest = Type.Static<typeof AcknowledgeRequestSchema>;

/** The body of `POST /models/{name}/baseline`. */
export const BaselineRequestSchema = Type.Object(
  {
    ...choice,
    from: Type.Optional(
      Type.String({
        pattern: '^[0-9A-HJKMNP-TV-Z]{26}$',
        description:
          'the id of the first run of the baseline, of latency; unless given the one at which the level changed, or the last one',
      }),
    ),
  },
  { additionalProperties: false, title: 'BaselineRequest' },
);

export type BaselineRequest = Type.Static<typeof BaselineRequestSchema>;
