import Type from 'typebox';
import { PRESETS, SCENARIOS, TRACE_FORMATS } from '../core/bench-terms.ts';
import { DEVICES } from '../core/device.ts';
import { SAMPLING_FORM, SAMPLING_PATTERN, type Sampling } from '../core/sampling.ts';
import { DURATION_PATTERN } from './duration.ts';

/** The form of names that become labels of metrics. */
export const NAME_PATTERN = '^[a-z0-9][a-z0-9_-]{0,62}$';
export const NAME_FORM =
  'lower-case letters, digits, "_" and "-", at most 63, starting with a letter or digit';

const closed = { additionalProperties: false } as const;

const duration = (description: string) =>
  Type.Optional(
    Type.String({ pattern: DURATION_PATTERN, description: `${description}, such as 500ms, 4s, 2m or 1h` }),
  );
const count = (description: string) => Type.Optional(Type.Integer({ minimum: 1, description }));
const positive = (description: string) => Type.Optional(Type.Number({ exclusiveMinimum: 0, description }));

const Trace = Type.Object(
  {
    file: Type.String({ minLength: 1, description: 'the trace, absolute or relative to this file' }),
    format: Type.Optional(
      Type.Enum([...TRACE_FORMATS], {
        type: 'string',
        description: 'what the trace is written as, where its first line and name do not tell',
      }),
    ),
    from: duration('leaves out the arrivals before this time of the trace'),
    to: duration('leaves out the arrivals at and after this time of the trace'),
    speed: positive('2 replays twice as fast'),
    rate: positive('queries per second that the trace is stretched or compressed to, keeping its shape'),
    loop: count('how many times the trace is replayed in a row'),
  },
  { ...closed, description: 'the recorded arrivals that a replay replays' },
);

/** One measurement as it is written, in a profile or a suite. */
export const MeasurementSchema = Type.Object(
  {
    name: Type.Optional(
      Type.String({
        pattern: NAME_PATTERN,
        description: `tells measurements of one scenario apart in results and metrics; the scenario unless given: ${NAME_FORM}`,
      }),
    ),
    scenario: Type.Enum([...SCENARIOS], {
      type: 'string',
      description:
        'single-stream: one query at a time; multi-stream: queries of several samples; server: arrivals of a Poisson ' +
        'process; offline: all samples at once; closed-loop: several queries under way; constant-rate, ramp, replay: ' +
        'arrivals by a schedule',
    }),
    preset: Type.Optional(
      Type.Enum([...PRESETS], {
        type: 'string',
        default: 'quick',
        description:
          'how long to measure: quick is 10 s, standard 60 s, mlperf 600 s, each with the queries that it takes',
      }),
    ),
    duration: duration('measuring time of one model, instead of that of the preset'),
    maxDuration: duration('measuring time after which a model stops, whatever is missing'),
    queries: count(
      'queries of one model at least, instead of those of the preset; offline: runs of the model',
    ),
    rounds: count('turns that each model gets; an even number keeps the mirrored order complete'),
    processes: count(
      'fresh processes of each model that share the rounds; 6 unless given where models are compared, otherwise 1',
    ),
    seed: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'decides the order of samples and turns, and when queries arrive',
      }),
    ),
    rate: positive('queries per second; of a ramp, where it ends'),
    rateShare: positive("the rate as a share of the float32 model's own throughput; 0.7 unless given"),
    rampFrom: Type.Optional(
      Type.Number({ minimum: 0, description: 'queries per second where a ramp begins; 0 unless given' }),
    ),
    concurrency: count('sessions side by side, each in a thread of its own'),
    batch: count('samples that one run of the model works through'),
    device: Type.Optional(
      Type.Enum([...DEVICES], {
        type: 'string',
        default: 'cpu',
        description: 'where the models compute; an absent device is an error, never replaced',
      }),
    ),
    threads: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 1024, description: 'threads inside an operator; 0 is every core' }),
    ),
    samplesPerQuery: count('samples of a multi-stream query; 8 unless given'),
    latencyBound: duration('what the judged percentile of a schedule may take'),
    percentile: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 99.9,
        description: 'the percentile that the bound judges, in steps of 0.1; 99 unless given',
      }),
    ),
    grace: duration('how long a model may complete nothing before it is given up'),
    maxOtherCpuCores: Type.Optional(
      Type.Number({
        minimum: 0,
        description: 'CPU cores that other work may take on average before the result is invalid',
      }),
    ),
    sampling: Type.Optional(
      Type.Unsafe<Sampling>({
        type: 'string',
        pattern: SAMPLING_PATTERN,
        description: `how often the host is sampled while it is measured: ${SAMPLING_FORM}; 10hz unless given`,
      }),
    ),
    trace: Type.Optional(Trace),
  },
  closed,
);

/** A measurement as it is written, before defaults. */
export type MeasurementSource = Type.Static<typeof MeasurementSchema>;
