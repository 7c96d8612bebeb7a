import { type Command, InvalidArgumentError, Option } from 'commander';
import { isWholePermille } from '../config/measurement.ts';
import {
  PRESETS,
  type Preset,
  SCENARIOS,
  type Scenario,
  TRACE_FORMATS,
  type TraceFormat,
} from '../core/bench-terms.ts';
import { DEVICES, type Device } from '../core/device.ts';
import type { Sampling } from '../core/sampling.ts';
import {
  durationSeconds,
  nonNegative,
  positiveInteger,
  positiveNumber,
  samplingRate,
  sizeBytes,
  threadCount,
  wholeNumber,
} from './option-parsers.ts';

/** What to measure, as options say it. */
export interface BenchOptions {
  readonly suite?: readonly string[];
  readonly scenario?: Scenario;
  readonly preset?: Preset;
  readonly duration?: number;
  readonly maxDuration?: number;
  readonly minQueries?: number;
  readonly rounds?: number;
  readonly processes?: number;
  readonly seed?: number;
  readonly rate?: number;
  readonly rateShare?: number;
  readonly rampFrom?: number;
  readonly concurrency?: number;
  readonly batch?: number;
  readonly threads?: number;
  readonly device?: Device;
  /** The CPUs that models may run on, as a CPU list. */
  readonly cpus?: string;
  readonly maxMemory?: number;
  readonly samplesPerQuery?: number;
  readonly latencyBound?: number;
  readonly percentile?: number;
  readonly grace?: number;
  readonly maxOtherCpu?: number;
  readonly sampling?: Sampling;
  readonly replay?: string;
  readonly traceFormat?: TraceFormat;
  readonly from?: number;
  readonly to?: number;
  readonly speed?: number;
  readonly rateScale?: number;
  readonly loop?: number;
}

export function addBenchOptions(command: Command): Command {
  return command
    .option(
      '--suite <name>',
      'a suite: smoke, standard, mlperf-like, or a YAML file; may be given more than once',
      (name: string, before: readonly string[] = []) => [...before, name],
    )
    .addOption(
      new Option('--scenario <name>', 'how queries are issued (default: single-stream)').choices(SCENARIOS),
    )
    .addOption(
      new Option(
        '--preset <name>',
        'how long to measure: quick 10 s, standard 60 s, mlperf 600 s, each with the queries that it takes (default: quick)',
      ).choices(PRESETS),
    )
    .option('--duration <time>', 'measuring time a model, such as 500ms or 2m', durationSeconds)
    .option(
      '--max-duration <time>',
      'where measuring stops, whatever is missing (default: 6 durations)',
      durationSeconds,
    )
    .option('--min-queries <n>', 'queries to reach a model, even if it takes longer', positiveInteger)
    .option(
      '--rounds <n>',
      'turns that each model gets (default: 24, of schedules 4, of a replay 2)',
      positiveInteger,
    )
    .option(
      '--processes <n>',
      'fresh processes of each model that share the rounds (default: 6 where models are compared, otherwise 1)',
      positiveInteger,
    )
    .option('--seed <n>', 'decides the order of samples and turns, and when queries arrive', wholeNumber)
    .option(
      '--rate <n>',
      'queries per second of server and constant-rate, and where a ramp ends',
      positiveNumber,
    )
    .option(
      '--rate-share <n>',
      "the rate as a share of the first model's throughput (default: 0.7)",
      positiveNumber,
    )
    .option('--ramp-from <n>', 'queries per second where a ramp begins (default: 0)', nonNegative)
    .option(
      '--concurrency <n>',
      'sessions side by side, each in a thread of its own (default: 1)',
      positiveInteger,
    )
    .option('--batch <n>', 'samples that one run works through (default: 1)', positiveInteger)
    .addOption(
      new Option('--device <name>', 'where the models compute (default: cpu); see doctor').choices(DEVICES),
    )
    .option('--cpus <list>', 'keep the models to these CPUs, such as 0-3,8')
    .option(
      '--max-memory <size>',
      'what a model may take before it is ended (default: 80 % of what is free)',
      sizeBytes,
    )
    .option('--threads <n>', 'threads inside an operator; 0 is every core (default: 1)', threadCount)
    .option('--samples-per-query <n>', 'of a multi-stream query (default: 8)', positiveInteger)
    .option('--latency-bound <time>', 'what the judged percentile of a schedule may take', durationSeconds)
    .option('--percentile <p>', 'the percentile that the bound judges (default: 99)', boundPercentile)
    .option('--grace <time>', 'how long a model may complete nothing (default: 60s)', durationSeconds)
    .option(
      '--max-other-cpu <cores>',
      'what other work may take before a result is invalid (default: 0.25)',
      nonNegative,
    )
    .option(
      '--sampling <rate>',
      'sample the host meanwhile: off, slow (once a second), or 1hz to 100hz (default: off; of a GPU device its GPUs alone once a second)',
      samplingRate,
    )
    .option('--replay <trace>', 'replay recorded arrivals')
    .addOption(new Option('--trace-format <name>', 'where the file does not tell').choices(TRACE_FORMATS))
    .option('--from <time>', 'leave out what arrives before, such as 30s', durationSeconds)
    .option('--to <time>', 'leave out what arrives then and later', durationSeconds)
    .option('--speed <factor>', '2 replays twice as fast', positiveNumber)
    .option('--rate-scale <n>', 'queries per second to stretch or compress the trace to', positiveNumber)
    .option('--loop <n>', 'how many times to replay the trace in a row', positiveInteger);
}

/** A percentile above 0 and up to 99.9, in steps of 0.1. */
function boundPercentile(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && value <= 99.9) || !isWholePermille(value))
    throw new InvalidArgumentError(`expected a percentile such as 99 or 99.9 but found '${text}'`);
  return value;
}
