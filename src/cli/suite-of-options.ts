import { resolve } from 'node:path';
import { given, type Measurement, settingsOf } from '../config/measurement.ts';
import type { Suite } from '../config/suite.ts';
import { SCENARIOS, type Scenario } from '../core/bench-terms.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { BenchOptions } from './bench-options.ts';

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
