import Type from 'typebox';
import { SCENARIOS } from '../core/bench-terms.ts';
import { SpeedUpSchema } from './run-result-schema.ts';
import { boolean, oneOf, text } from './schema-words.ts';

const id = (description: string) => Type.String({ pattern: '^[0-9A-HJKMNP-TV-Z]{26}$', description });

/** The query string of `GET /bench/compare`. */
export const CompareQuerySchema = Type.Object(
  {
    base: id('the id of a run, with which is compared'),
    head: id('the id of a run, which is judged; of the same run its variants are compared'),
    baseVariant: Type.Optional(
      Type.String({ maxLength: 63, description: 'all, with their like; within one run fp32, unless given' }),
    ),
    headVariant: Type.Optional(Type.String({ maxLength: 63, description: 'all unless given' })),
  },
  { additionalProperties: false },
);

export type CompareQueryString = Type.Static<typeof CompareQuerySchema>;

const ComparisonSchema = Type.Object(
  {
    suite: text('the suite'),
    measurement: text('the measurement of the suite'),
    scenario: oneOf(SCENARIOS, 'how queries were issued'),
    baseVariant: text('the variant compared with'),
    headVariant: text('the variant judged'),
    paired: boolean(
      'their rounds were measured side by side; otherwise a difference has to be larger to be claimed',
    ),
    speedUp: SpeedUpSchema,
    differences: Type.Array(Type.String(), { description: 'settings that differ, as sentences' }),
  },
  { title: 'Comparison', description: 'one measurement of two variants' },
);

export const RunsComparisonSchema = Type.Object(
  {
    verdict: oneOf(
      ['faster', 'slower', 'not-distinguished', 'invalid'],
      'slower as soon as one valid comparison is; invalid where none is valid and has rounds enough; not-distinguished never means equal',
    ),
    base: text('the id of the run compared with'),
    head: text('the id of the run judged'),
    comparisons: Type.Array(ComparisonSchema),
    differences: Type.Array(Type.String(), { description: 'hosts, versions and models, where they differ' }),
  },
  { title: 'RunsComparison', description: 'what two runs measured, against each other' },
);

/** The query string of `GET /bench/{id}/samples`. */
export const SamplesQuerySchema = Type.Object(
  { format: Type.Optional(Type.Enum(['jsonl', 'csv'])) },
  { additionalProperties: false },
);

export type SamplesQueryString = Type.Static<typeof SamplesQuerySchema>;
