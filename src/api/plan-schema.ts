import Type from 'typebox';
import { SCENARIOS } from '../core/bench-terms.ts';
import { boolean, integer, number, oneOf, text } from './schema-words.ts';

const EstimateSchema = Type.Object(
  {
    seconds: number('from the start of the run to its end'),
    basis: oneOf(
      ['history', 'plan'],
      'history: the median of the last runs of the same order; plan: the measuring times asked for, without variants that have to be made first',
    ),
  },
  { title: 'Estimate', description: 'how long a run will take' },
);

const PlannedMeasurementSchema = Type.Object(
  {
    suite: text('the suite'),
    measurement: text('of the suite'),
    scenario: oneOf(SCENARIOS, 'how queries are issued'),
    device: text('where it runs'),
    batch: integer('samples of one run of the model'),
    threads: integer('inside an operator; 0 for every core'),
    minDurationSeconds: Type.Optional(
      number('of measuring each variant; absent in a replay, which is as long as its trace'),
    ),
    maxDurationSeconds: Type.Optional(number('of measuring each variant')),
    rounds: Type.Optional(integer('turns of each variant')),
    processes: Type.Optional(integer('fresh processes of each variant that share the rounds')),
    concurrency: Type.Optional(integer('sessions side by side')),
  },
  { title: 'PlannedMeasurement' },
);

export const PlanSchema = Type.Object(
  {
    model: text('the registered model'),
    variants: Type.Array(Type.String(), { description: 'what is measured, fp32 first' }),
    measurements: Type.Array(PlannedMeasurementSchema, { description: 'in this order' }),
    traced: boolean('whether a trace is made'),
    estimate: Type.Optional(EstimateSchema),
    queueLength: integer('runs that wait or are under way'),
  },
  { title: 'Plan', description: 'what an order would lead to' },
);

/** The query string of what orders a benchmark. */
export const DryRunQuerySchema = Type.Object(
  {
    dryRun: Type.Optional(
      Type.Enum(['true', 'false'], {
        description: 'true: nothing is ordered, and the answer is what would be done',
      }),
    ),
  },
  { additionalProperties: false },
);

export type DryRunQueryString = Type.Static<typeof DryRunQuerySchema>;
