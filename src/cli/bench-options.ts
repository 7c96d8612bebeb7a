import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { given, isWholePermille, type Measurement, settingsOf } from '../config/measurement.ts';
import type { Suite } from '../config/suite.ts';
import {
  PRESETS,
  type Preset,
  SCENARIOS,
  type Scenario,
  TRACE_FORMATS,
  type TraceFormat,
} from '../core/bench-terms.ts';
import { DEVICES, type Device } from '../core/device.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
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

/** The suite that options make up has no name. */
const NO_NAME = '';

/** Options of a measurement, and the setting of a suite that each stands for. */
const SETTINGS = {
  preset: 'preset',
  duration: 'duration',
  maxDuration: 'maxDuration',
  minQueries: 'queries',
  rounds: 'rounds',
  processes: 'processes',
  seed: 'seed',
  rate: 'rate',
  rateShare: 'rateShare',
  rampFrom: 'rampFrom',
  concurrency: 'concurrency',
  batch: 'batch',
  device: 'device',
  samplesPerQuery: 'samplesPerQuery',
  latencyBound: 'latencyBound',
  percentile: 'percentile',
  grace: 'grace',
  maxOtherCpu: 'maxOtherCpuCores',
  sampling: 'sampling',
} as const;

type SettingOption = keyof typeof SETTINGS;

const OF_REPLAY = ['traceFormat', 'from', 'to', 'speed', 'rateScale', 'loop'] as const;

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
      'sample the host meanwhile: off, slow (once a second), or 1hz to 100hz (default: off)',
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

/** The one measurement that options describe, as a suite without a name. Error: `options-conflict`. */
export function suiteOfOptions(options: BenchOptions): Result<Suite, readonly Problem[]> {
  const scenario = options.scenario ?? (options.replay === undefined ? 'single-stream' : 'replay');
  const problems = [...misplaced(options, scenario), ...exclusive(options)];
  if (problems.length > 0) return err(problems);
  return ok({ name: NO_NAME, measurements: [measurementOf(options, scenario)], limits: {} });
}

/** Options that a suite leaves no room for. Error: `options-conflict`. */
export function besideSuites(options: BenchOptions): readonly Problem[] {
  const names = ['scenario', 'replay', ...OF_REPLAY, ...Object.keys(SETTINGS)] as (keyof BenchOptions)[];
  return names
    .filter((name) => options[name] !== undefined)
    .map((name) =>
      contradiction(
        `${flagOf(name)} says what --suite says already`,
        'leave one of them out, or change a copy of the suite',
      ),
    );
}

/** An option that the scenario has no use for is a mistake, not ignored. */
function misplaced(options: BenchOptions, scenario: Scenario): Problem[] {
  const settings: readonly string[] = settingsOf(scenario);
  const found = (Object.keys(SETTINGS) as SettingOption[])
    .filter((name) => options[name] !== undefined && !settings.includes(SETTINGS[name]))
    .map((name) =>
      contradiction(`${flagOf(name)} has no meaning in the scenario ${scenario}`, adviceOn(name, scenario)),
    );
  if (options.replay === undefined) {
    if (scenario === 'replay') found.push(contradiction('a replay needs a trace', 'name it with --replay'));
    for (const name of OF_REPLAY.filter((of) => options[of] !== undefined))
      found.push(
        contradiction(`${flagOf(name)} is about a trace, and there is none`, 'name one with --replay'),
      );
  } else if (scenario !== 'replay') {
    found.push(contradiction(`--replay is a scenario of its own, not ${scenario}`, 'leave out --scenario'));
  }
  return found;
}

function adviceOn(name: SettingOption, scenario: Scenario): string {
  if (name === 'concurrency')
    return 'closed-loop keeps several queries under way, server and others queue for several';
  if (scenario === 'replay' && name === 'rate') return 'scale the trace with --rate-scale';
  if (scenario === 'replay') return 'its trace decides: cut it with --from and --to, repeat it with --loop';
  const takers = SCENARIOS.filter((other) =>
    (settingsOf(other) as readonly string[]).includes(SETTINGS[name]),
  );
  return `leave it out, or choose --scenario ${takers.join(', ')}`;
}

function exclusive({
  rate,
  rateShare,
  speed,
  rateScale,
  percentile,
  latencyBound,
  from,
  to,
}: BenchOptions): Problem[] {
  const found: Problem[] = [];
  if (rate !== undefined && rateShare !== undefined)
    found.push(
      contradiction('--rate and --rate-share both say how many queries come', 'keep one of the two'),
    );
  if (speed !== undefined && rateScale !== undefined)
    found.push(
      contradiction('--speed and --rate-scale both say how fast the trace is', 'keep one of the two'),
    );
  if (percentile !== undefined && latencyBound === undefined)
    found.push(
      contradiction('--percentile says what a bound judges, and there is none', 'add --latency-bound'),
    );
  if (to !== undefined && to <= (from ?? 0))
    found.push(
      contradiction('--to is not after --from', 'give two times of the trace, the earlier one first'),
    );
  return found;
}

function measurementOf(options: BenchOptions, scenario: Scenario): Measurement {
  const { replay, preset } = options;
  return {
    name: scenario,
    scenario,
    preset: preset ?? 'quick',
    ...given({
      durationSeconds: options.duration,
      maxDurationSeconds: options.maxDuration,
      minQueries: options.minQueries,
      rounds: options.rounds,
      processes: options.processes,
      seed: options.seed,
      ratePerSecond: options.rate,
      rateShare: options.rateShare,
      rampFromPerSecond: options.rampFrom,
      concurrency: options.concurrency,
      batch: options.batch,
      device: options.device,
      samplesPerQuery: options.samplesPerQuery,
      latencyBoundSeconds: options.latencyBound,
      percentile: options.percentile,
      graceSeconds: options.grace,
      maxOtherCpuCores: options.maxOtherCpu,
      sampling: options.sampling,
      trace:
        replay === undefined
          ? undefined
          : {
              file: resolve(replay),
              ...given({
                format: options.traceFormat,
                fromSeconds: options.from,
                toSeconds: options.to,
                speed: options.speed,
                ratePerSecond: options.rateScale,
                loop: options.loop,
              }),
            },
    }),
  };
}

function contradiction(message: string, hint: string): Problem {
  return problem('options-conflict', message, { hint });
}

/** `minQueries` → `--min-queries`. */
function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
