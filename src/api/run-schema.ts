import Type from 'typebox';
import { PHASES } from '../core/phase.ts';
import { PRIORITIES, RUN_KINDS, RUN_STATES } from '../core/run-terms.ts';
import { NextPageSchema } from './page-schema.ts';
import { RunProblemSchema } from './problem-schema.ts';
import { RunResultSchema } from './run-result-schema.ts';
import { boolean, integer, oneOf, text, time } from './schema-words.ts';

const ProgressSchema = Type.Object(
  {
    phase: oneOf(PHASES, 'the part of the run that is under way'),
    subject: Type.Optional(text('what is worked on, such as a variant')),
    done: Type.Number({ minimum: 0 }),
    total: Type.Optional(Type.Number({ minimum: 0 })),
    unit: text('what is counted, in the plural'),
  },
  { title: 'Progress', description: 'how far a run is' },
);

const summary = {
  id: Type.String({
    pattern: '^[0-9A-HJKMNP-TV-Z]{26}$',
    description: 'a ULID: ids sort by the time of creation',
  }),
  kind: oneOf(RUN_KINDS, 'what kind of work'),
  model: text('the registered model'),
  state: oneOf(RUN_STATES, 'where the run is; queued and running are not final'),
  href: Type.String({ format: 'uri-reference', description: 'of the run itself' }),
  request: Type.Union([Type.Object({}), Type.Null()], { description: 'what was ordered' }),
  priority: oneOf(
    PRIORITIES,
    'a level goes before what came up to twelve hours earlier in the next lower one',
  ),
  attempt: Type.Integer({ minimum: 1, description: 'one more each time that it is begun anew' }),
  earlierProblem: Type.Optional(RunProblemSchema),
  createdAt: time('when it was ordered'),
  startedAt: Type.Optional(time('when its last attempt began')),
  finishedAt: Type.Optional(time('when it ended')),
  deadlineAt: Type.Optional(time('when it is given up unless it is over')),
  notBeforeAt: Type.Optional(time('when it is begun anew at the earliest')),
  etaSeconds: Type.Optional(
    integer('until it is over, as far as can be told; in answers that have one run alone'),
  ),
  etaBasis: Type.Optional(
    oneOf(
      ['history', 'plan'],
      'history: how long the last runs of the same orders took; plan: measuring times that were asked for',
    ),
  ),
  queuePosition: Type.Optional(integer('how many runs come before it; only while it waits')),
  cancelling: Type.Optional(boolean('it was asked to end and is about to')),
  progress: Type.Optional(ProgressSchema),
  waitingFor: Type.Optional(
    text('what it waits for before it can go on, such as a benchmark of another process'),
  ),
  problem: Type.Optional(RunProblemSchema),
};

/** A run without its result, as lists have it. */
export const RunSummarySchema = Type.Object(summary, {
  title: 'RunSummary',
  description: 'a run without its result',
});

export const RunSchema = Type.Object(
  { ...summary, result: Type.Optional(RunResultSchema) },
  { title: 'Run', description: 'one execution of a job' },
);

export const RunListSchema = Type.Object(
  { runs: Type.Array(RunSummarySchema, { description: 'the newest first' }), next: NextPageSchema },
  { title: 'RunList' },
);
