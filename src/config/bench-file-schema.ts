import Type from 'typebox';
import { SCENARIOS } from '../core/bench-terms.ts';

/** Fields may be added without a new version, so readers take those that they do not know. */
const open = { additionalProperties: true } as const;

const nullable = <T extends Type.TSchema>(schema: T, description: string) =>
  Type.Union([schema, Type.Null()], { description });
const text = (description: string) => Type.String({ description });
const number = (description: string) => Type.Number({ description });

const Host = Type.Object(
  {
    cpuModel: text('the name of the processor'),
    logicalCpus: number('logical CPUs'),
    architecture: text('as Node.js names it'),
    cpuFeatures: Type.Array(Type.String(), { description: 'instruction sets that decide the speed of int8' }),
    memoryTotalBytes: number('memory of the host'),
    kernel: text('name and release'),
    nodeVersion: text('of Node.js'),
    onnxRuntimeVersion: text('of ONNX Runtime'),
    agentVersion: text('of ptq-agent'),
  },
  { ...open, description: 'what the figures depend on besides the models' },
);

const Model = Type.Object(
  {
    variant: text('the name under which results have it'),
    path: text('the file'),
    sizeBytes: number('of the file and its external data'),
    digest: text('SHA-256 of the file and its external data'),
  },
  { ...open, description: 'a model that was measured' },
);

const Data = Type.Object(
  {
    path: text('the data set; empty where it was made up'),
    split: text('the split that fed the models'),
    digest: text('SHA-256 of all that decides what the samples are'),
    madeUp: Type.Boolean({ description: 'the inputs were made up: real ones may take another time' }),
  },
  { ...open, description: 'what the models were fed' },
);

const Point = Type.Object(
  { percentile: number('0 to below 100'), seconds: number('the latency there') },
  open,
);

const Latency = nullable(
  Type.Object(
    {
      mean: number('seconds'),
      min: number('seconds'),
      max: number('seconds'),
      p50: nullable(Type.Number(), 'seconds'),
      p90: nullable(Type.Number(), 'seconds'),
      p95: nullable(Type.Number(), 'seconds'),
      p99: nullable(Type.Number(), 'seconds'),
      p999: nullable(Type.Number(), 'seconds'),
    },
    open,
  ),
  'seconds; null where nothing was measured, or too little for a percentile',
);

const Round = Type.Object(
  {
    round: number('its place in the plan; rounds of one number were measured side by side'),
    process: number("which of the model's processes measured it, from 0"),
    durationSeconds: number('seconds'),
    queries: number('measured'),
    medianSeconds: number('of the latencies'),
    throughput: number('samples per second'),
    otherCpuCores: nullable(Type.Number(), 'cores that other work took on average; null where unknown'),
  },
  open,
);

const BenchResultInFile = Type.Object(
  {
    model: text('what the models are variants of'),
    variant: text('the variant'),
    device: text('where it ran'),
    provider: text('the execution provider'),
    scenario: Type.Enum([...SCENARIOS], { type: 'string', description: 'how queries were issued' }),
    valid: Type.Boolean({ description: 'whether the measurement kept its rules' }),
    invalidReasons: Type.Array(Type.String(), { description: 'why not, as sentences' }),
    queries: number('measured; offline: runs of the model'),
    samples: number('measured'),
    durationSeconds: number('measuring time'),
    latencySeconds: Latency,
    serviceTimeSeconds: Latency,
    throughput: nullable(Type.Number(), 'samples per second'),
    rounds: Type.Array(Round, { description: 'one a turn' }),
    peakRssBytes: nullable(Type.Number(), 'the largest resident set of the process that ran the model'),
    peakGpuMemoryBytes: Type.Optional(
      nullable(
        Type.Number(),
        'the most memory of GPUs that a process of the model was seen to hold at once; null where nobody read that',
      ),
    ),
    arenaBytes: Type.Optional(
      nullable(
        Type.Number(),
        "what the runtime's arena had from the system at most, of one session that was profiled after all was measured; null where the runtime does not tell",
      ),
    ),
    latencyCurve: Type.Array(Point, { description: 'the distribution of all latencies' }),
    roundPercentiles: Type.Array(
      Type.Object(
        {
          round: number('as in rounds'),
          percentiles: Type.Array(Point, { description: 'of its latencies' }),
        },
        open,
      ),
      { description: 'what comparisons pair' },
    ),
  },
  open,
);

const SpeedUpInFile = Type.Object(
  {
    base: text('the variant compared with'),
    candidate: text('the variant compared'),
    metric: text('of which the ratio is'),
    outcome: text('faster, slower, not-distinguished or too-few-rounds'),
    ratio: nullable(Type.Number(), 'above 1 the candidate is faster'),
    lower: nullable(Type.Number(), 'of its interval'),
    upper: nullable(Type.Number(), 'of its interval'),
  },
  open,
);

const MeasurementInFile = Type.Object(
  {
    suite: nullable(Type.String(), 'the suite; null where options said what to measure'),
    name: text('of the measurement in its suite'),
    data: Data,
    batch: number('samples that one run of the model worked through'),
    threads: number('threads inside an operator; 0 is every core'),
    settings: Type.Object(
      {
        scenario: Type.Enum([...SCENARIOS], { type: 'string', description: 'how queries were issued' }),
        rounds: number('turns of each model'),
        processes: number('fresh processes of each model that shared the rounds'),
        minDurationSeconds: number('measuring time of a model at least'),
        maxDurationSeconds: number('and at most'),
        minQueries: number('queries of a model at least'),
        concurrency: number('sessions side by side'),
        seed: number('of orders and arrivals'),
      },
      { ...open, description: 'all settings, defaults filled in; the trace as a summary' },
    ),
    results: Type.Array(BenchResultInFile, { description: 'one a model, the base first' }),
    speedUps: Type.Array(SpeedUpInFile, { description: 'of every other model against the base' }),
  },
  open,
);

/** What `bench --output` writes. */
export const BenchFileSchema = Type.Object(
  {
    format: Type.Literal('ptq-agent-bench', { description: 'tells this file from other JSON' }),
    version: Type.Literal(1, { description: 'of the format' }),
    created: text('when the run began, ISO 8601'),
    command: Type.Array(Type.String(), { description: 'the command line' }),
    host: Host,
    models: Type.Array(Model, { description: 'in the order in which they were given' }),
    measurements: Type.Array(MeasurementInFile, { description: 'in the order in which they were made' }),
  },
  {
    ...open,
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'ptq-agent benchmark result',
    description:
      'What was measured, on what, with which settings. Times are seconds unless a name says otherwise.',
  },
);

/** A result file as it is read. */
export type BenchFile = Type.Static<typeof BenchFileSchema>;
export type BenchFileMeasurement = BenchFile['measurements'][number];
export type BenchFileResult = BenchFileMeasurement['results'][number];

/** The JSON Schema (draft 7) of result files: the text of `profiles/bench-result.schema.json`. */
export const benchFileJsonSchema: string = `${JSON.stringify(BenchFileSchema, null, 2)}\n`;
