import Type from 'typebox';
import { SCENARIOS } from '../core/bench-terms.ts';
import { boolean, integer, number, numberOrNull, oneOf, text, textOrNull } from './schema-words.ts';

/**
 * What runs found out. Results are kept as they were written, also by older versions: only what all of them have is required, and
 * fields that are not described here may be added at any time.
 */
export const VERDICTS = [
  'non_inferior',
  'degraded_within_budget',
  'regressed',
  'inconclusive',
  'invalid',
] as const;

export const SpeedUpSchema = Type.Object(
  {
    base: text('the variant compared with'),
    candidate: text('the variant compared'),
    metric: oneOf(['median-latency', 'throughput'], 'of which the ratio is'),
    outcome: oneOf(
      ['faster', 'slower', 'not-distinguished', 'too-few-rounds'],
      'not-distinguished never means equal: the interval says how large a difference may have gone unseen',
    ),
    ratio: numberOrNull('above 1 the candidate is faster'),
    lower: numberOrNull('of the interval of the ratio'),
    upper: numberOrNull('of the interval of the ratio'),
    confidence: number('of the interval'),
    valid: boolean('whether both measurements kept their rules'),
  },
  { title: 'SpeedUp', description: 'how much faster a variant is than another' },
);

const LatencySchema = Type.Union(
  [
    Type.Object(
      {
        mean: number('seconds'),
        min: number('seconds'),
        max: number('seconds'),
        p50: numberOrNull('seconds'),
        p90: numberOrNull('seconds'),
        p95: numberOrNull('seconds'),
        p99: numberOrNull('seconds'),
        p999: numberOrNull('seconds'),
      },
      { title: 'Latency', description: 'seconds; null for a percentile that too few queries can tell' },
    ),
    Type.Null(),
  ],
  { description: 'null where nothing was measured' },
);

const BenchResultSchema = Type.Object(
  {
    suite: Type.Optional(text('the suite that was run')),
    measurement: Type.Optional(text('the measurement of the suite')),
    model: text('the model'),
    variant: text('the variant'),
    device: text('where it ran'),
    provider: text('the execution provider'),
    scenario: oneOf(SCENARIOS, 'how queries were issued'),
    valid: boolean('whether the measurement kept its rules'),
    invalidReasons: Type.Array(Type.String(), { description: 'why not, as sentences' }),
    queries: integer('measured'),
    samples: integer('measured'),
    durationSeconds: number('measuring time'),
    latencySeconds: LatencySchema,
    throughput: numberOrNull('samples per second'),
    peakRssBytes: numberOrNull('the largest resident set of the process that ran the model'),
  },
  { title: 'BenchResult', description: 'one variant in one measurement' },
);

const EvaluationSchema = Type.Object(
  {
    variant: text('the variant'),
    verdict: oneOf(VERDICTS, 'whether accuracy stays within the budget'),
    verdictReason: text('why, as a sentence'),
    n: integer('items that were compared'),
    agreement: Type.Optional(number('share of the items to which fp32 and the variant give the same answer')),
    sqnrDb: numberOrNull('signal to quantization noise of the first output, in dB'),
  },
  { title: 'Evaluation', description: 'a variant against fp32 on the data of its profile' },
);

const QuantizationSchema = Type.Object(
  {
    reused: boolean('the artifact was there already'),
    output: text('the file of the artifact'),
    sizeBytes: Type.Object({ before: integer('of fp32'), after: integer('of the variant') }),
    seconds: number('it took, when it was made'),
    warnings: Type.Array(Type.String()),
  },
  { title: 'Quantization', description: 'how a variant was made' },
);

const VariantResultSchema = Type.Object(
  {
    variant: text('the variant; fp32 is the model itself'),
    sizeBytes: integer('of its files'),
    quantization: Type.Optional(QuantizationSchema),
    evaluation: Type.Optional(EvaluationSchema),
    sensitivity: Type.Optional(
      Type.Object(
        { run: text('the run whose explanation it is: this one, or an earlier one of the same artifact') },
        { description: 'where its nodes were explained; GET …/sensitivity has the whole' },
      ),
    ),
    bench: Type.Array(BenchResultSchema, { description: 'one a measurement' }),
    speedUps: Type.Array(SpeedUpSchema, { description: 'against fp32, one a measurement' }),
  },
  { title: 'VariantResult', description: 'what a run found out about a variant' },
);

export const HostFingerprintSchema = Type.Object(
  {
    cpuModel: text('the name of the processor'),
    logicalCpus: integer('logical CPUs'),
    architecture: text('as Node.js names it'),
    cpuFeatures: Type.Array(Type.String(), { description: 'instruction sets that decide the speed of int8' }),
    memoryTotalBytes: integer('memory of the host'),
    kernel: text('name and release'),
    nodeVersion: text('of Node.js'),
    onnxRuntimeVersion: text('of ONNX Runtime'),
    agentVersion: text('of ptq-agent'),
    hardware: Type.Optional(
      Type.Object({}, { description: 'sockets, memory, disks, GPUs and their drivers' }),
    ),
  },
  { title: 'HostFingerprint', description: 'what figures depend on besides the models' },
);

export const RunResultSchema = Type.Object(
  {
    model: text('the registered model'),
    seconds: number('the run took'),
    host: HostFingerprintSchema,
    variants: Type.Array(VariantResultSchema, { description: 'fp32 first' }),
    timeline: Type.Optional(
      Type.Object(
        {
          snapshots: integer('in it'),
          droppedSnapshots: integer('for which there was no room'),
          phases: Type.Array(Type.Object({})),
        },
        { description: 'the timeline, by phase' },
      ),
    ),
    trace: Type.Optional(
      Type.Object(
        { run: textOrNull('its name in viewers'), warnings: Type.Array(Type.String()) },
        { description: 'where one was wanted' },
      ),
    ),
  },
  { title: 'RunResult', description: 'what a run found out' },
);
