import Type from 'typebox';
import { dataFields } from './data-schema.ts';
import { DURATION_PATTERN } from './duration.ts';
import { MeasurementSchema, NAME_FORM, NAME_PATTERN } from './measurement-schema.ts';

const closed = { additionalProperties: false } as const;

const Inputs = Type.Object(
  {
    ...dataFields,
    split: Type.Optional(
      Type.String({
        minLength: 1,
        description: "the split that feeds the models; the profile's for its own data",
      }),
    ),
    digest: Type.Optional(
      Type.String({
        pattern: '^sha256:[0-9a-f]{64}$',
        description:
          'SHA-256 of the data, as sha256: and 64 hexadecimal digits; the suite refuses any other data. A wrong one is told with the right one',
      }),
    ),
  },
  {
    ...closed,
    description: "a data set of the suite's own; the profile's where it names none",
  },
);

const Limits = Type.Object(
  {
    maxDuration: Type.Optional(
      Type.String({
        pattern: DURATION_PATTERN,
        description: 'the longest measuring time of a model in a measurement that gives none, such as 2m',
      }),
    ),
    maxOtherCpuCores: Type.Optional(
      Type.Number({
        minimum: 0,
        description: 'CPU cores that other work may take on average before a result is invalid',
      }),
    ),
  },
  { ...closed, description: 'for all measurements that do not say otherwise' },
);

/** A suite as it is written: the YAML file that says what to measure. */
export const SuiteSchema = Type.Object(
  {
    name: Type.String({
      pattern: NAME_PATTERN,
      description: `the suite's name in results and metrics: ${NAME_FORM}`,
    }),
    description: Type.Optional(Type.String({ description: 'what the suite is for' })),
    inputs: Type.Optional(Inputs),
    measurements: Type.Array(MeasurementSchema, {
      minItems: 1,
      description: 'what to measure, in this order',
    }),
    limits: Type.Optional(Limits),
  },
  {
    ...closed,
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'ptq-agent benchmark suite',
    description: 'What to measure of models: scenarios with their settings, on data that can be pinned.',
  },
);

/** A suite as it is written, before defaults. */
export type SuiteSource = Type.Static<typeof SuiteSchema>;

/** The JSON Schema (draft 7) of suites, for editors: the text of `profiles/suite.schema.json`. */
export const suiteJsonSchema: string = `${JSON.stringify(SuiteSchema, null, 2)}\n`;
