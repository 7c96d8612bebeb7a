import { basename } from 'node:path';
import { Command, Option } from 'commander';
import type { BenchResult } from '../../benchmark/bench-result.ts';
import { formatSpeedUp } from '../../benchmark/compare.ts';
import type { BenchRun } from '../../benchmark/controller.ts';
import { SCENARIOS, type Scenario } from '../../benchmark/scenario.ts';
import { type BenchSettings, benchSettings } from '../../benchmark/settings.ts';
import { systemClock } from '../../core/clock.ts';
import type { Problem } from '../../core/problem.ts';
import { formatBytes, formatSeconds } from '../../core/units.ts';
import { benchVariants } from '../../jobs/bench-variants.ts';
import { DATA_HELP, resolveData } from '../data-option.ts';
import { WORKER_ENTRY } from '../entries.ts';
import { EXIT } from '../exit-code.ts';
import { abortOnInterrupt } from '../interrupt.ts';
import {
  durationSeconds,
  positiveInteger,
  positiveNumber,
  threadCount,
  wholeNumber,
} from '../option-parsers.ts';
import { createProgressView } from '../progress.ts';
import { requireOptions } from '../required-options.ts';
import { addStateOption, type StateOptions, statesOf } from '../state-option.ts';
import { decimal, renderTable } from '../table.ts';
import { printProblems, printResult, type Terminal } from '../terminal.ts';

interface BenchOptions extends StateOptions {
  readonly data: string;
  readonly split?: string;
  readonly scenario: Scenario;
  readonly concurrency?: number;
  readonly batch: number;
  readonly rate?: number;
  readonly rampFrom?: number;
  readonly samplesPerQuery?: number;
  readonly latencyBound?: number;
  readonly grace?: number;
  readonly threads: number;
  readonly duration?: number;
  readonly minQueries?: number;
  readonly rounds?: number;
  readonly seed?: number;
  readonly json: boolean;
  readonly quiet: boolean;
}

export function benchCommand(terminal: Terminal, exit: (code: number) => void): Command {
  const command = new Command('bench')
    .description('measure latency, throughput and memory of models in interleaved rounds')
    .argument('<models...>', 'ONNX models; the first is the base of the speed-ups')
    .option('--data <path>', `required: ${DATA_HELP}; random makes some up`)
    .option('--split <name>', "the split that feeds the models (default: the profile's, or eval)")
    .addOption(
      new Option('--scenario <name>', 'how queries are issued').choices(SCENARIOS).default('single-stream'),
    )
    .option(
      '--concurrency <n>',
      'sessions side by side, each in a thread of its own (default: 1)',
      positiveInteger,
    )
    .option('--batch <n>', 'samples that one run works through', positiveInteger, 1)
    .option(
      '--rate <n>',
      'queries per second of server and constant-rate, and where a ramp ends',
      positiveNumber,
    )
    .option('--ramp-from <n>', 'queries per second where a ramp begins (default: 0)', positiveNumber)
    .option('--samples-per-query <n>', 'of a multi-stream query (default: 8)', positiveInteger)
    .option('--latency-bound <time>', 'what the 99th percentile of a schedule may take', durationSeconds)
    .option('--grace <time>', 'how long a model may complete nothing (default: 60s)', durationSeconds)
    .option('--threads <n>', 'threads inside an operator; 0 is every core', threadCount, 1)
    .option(
      '--duration <time>',
      'measuring time a model, such as 500ms or 2m (default: 10s)',
      durationSeconds,
    )
    .option('--min-queries <n>', 'queries to reach a model, even if it takes longer', positiveInteger)
    .option('--rounds <n>', 'turns that each model gets', positiveInteger)
    .option('--seed <n>', 'decides the order of samples and turns', wholeNumber)
    .option('--json', 'print the result as JSON', false)
    .option('-q, --quiet', 'no progress', false)
    .action(async (models: string[], options: BenchOptions) => exit(await bench(models, options, terminal)));
  return requireOptions(addStateOption(command), ['--data']);
}

async function bench(models: readonly string[], options: BenchOptions, terminal: Terminal): Promise<number> {
  const data = await resolveData(options.data, options.split, 'evaluation');
  if (!data.ok) return printProblems(terminal, data.error);
  const { scenario } = options;
  const settings = benchSettings(givenSettings(options));
  if (!settings.ok) return printProblems(terminal, [settings.error]);
  const progress = await createProgressView(terminal, options);
  const run = await benchVariants(
    {
      model: basename(models[0] ?? '', '.onnx'),
      variants: models.map((path) => ({ variant: path, path })),
      data: { spec: data.value.spec, split: data.value.split },
      threads: options.threads,
      batch: options.batch,
      settings: settings.value,
      ...statesOf(options, data.value.profile?.data.states),
    },
    {
      host: { entry: WORKER_ENTRY },
      clock: systemClock,
      signal: abortOnInterrupt(),
      onProgress: ({ completedTurns, totalTurns, variant }) =>
        progress.update({
          phase: 'bench',
          subject: `${scenario} ${basename(variant)}`,
          done: completedTurns,
          total: totalTurns,
          unit: 'turns',
        }),
    },
  );
  progress.stop();
  const isMadeUp = data.value.spec.format === 'random';
  const failures = failuresOf(run);
  const measured = run.results.some(({ queries }) => queries > 0);
  if (measured || failures.length === 0)
    printResult(terminal, toReport(run, isMadeUp), options.json, () => renderBench(run, isMadeUp));
  if (failures.length > 0) return printProblems(terminal, failures);
  return run.results.every(({ valid }) => valid) ? EXIT.done : EXIT.verdictFailed;
}

/** What was given, under the names of the settings. */
function givenSettings(options: BenchOptions): Partial<BenchSettings> {
  const { scenario, duration, minQueries, rounds, seed, concurrency, rate, rampFrom, samplesPerQuery } =
    options;
  const { latencyBound, grace } = options;
  return {
    scenario,
    ...(duration === undefined ? {} : { minDurationSeconds: duration }),
    ...(minQueries === undefined ? {} : { minQueries }),
    ...(rounds === undefined ? {} : { rounds }),
    ...(seed === undefined ? {} : { seed }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(rate === undefined ? {} : { ratePerSecond: rate }),
    ...(rampFrom === undefined ? {} : { rampFromPerSecond: rampFrom }),
    ...(samplesPerQuery === undefined ? {} : { samplesPerQuery }),
    ...(latencyBound === undefined ? {} : { latencyBoundSeconds: latencyBound }),
    ...(grace === undefined ? {} : { graceSeconds: grace }),
  };
}

/** Why models were not measured to the end; a cancellation, which ends all of them, once. */
function failuresOf({ records }: BenchRun): readonly Problem[] {
  const failures = records.flatMap(({ failure }) => failure ?? []);
  return failures.filter(
    ({ kind }, index) =>
      kind !== 'bench-cancelled' || failures.findIndex((other) => other.kind === kind) === index,
  );
}

/** The results in the order of the models, the later ones with their speed-up over the first. */
function toReport({ results, speedUps }: BenchRun, isMadeUp: boolean) {
  return results.map((result, index) => ({
    ...result,
    model: result.variant,
    ...(isMadeUp ? { madeUpInputs: true } : {}),
    speedUp: speedUps[index - 1] ?? null,
  }));
}

function renderBench({ results, speedUps }: BenchRun, isMadeUp: boolean): string {
  const rows = results.map((result, index) => {
    const speedUp = speedUps[index - 1];
    return [...latencyColumns(result), speedUp === undefined ? '–' : formatSpeedUp(speedUp)];
  });
  const header = ['model', 'queries', 'mean', 'p50', 'p90', 'p99', 'samples/s', 'peak memory', 'speed-up'];
  const complaints = results.flatMap(({ variant, invalidReasons }) =>
    invalidReasons.map((reason) => `invalid: ${variant}: ${reason}`),
  );
  const notes = isMadeUp ? ['inputs are made up: real ones may take another time'] : [];
  const lines = [...notes, ...complaints];
  return [renderTable(header, rows), ...(lines.length === 0 ? [] : ['', ...lines])].join('\n');
}

function latencyColumns({
  variant,
  queries,
  latencySeconds,
  throughput,
  peakRssBytes,
}: BenchResult): string[] {
  const time = (seconds: number | null | undefined) => (seconds == null ? '–' : formatSeconds(seconds));
  return [
    variant,
    String(queries),
    time(latencySeconds?.mean),
    time(latencySeconds?.p50),
    time(latencySeconds?.p90),
    time(latencySeconds?.p99),
    decimal(throughput, 1),
    peakRssBytes === null ? '–' : formatBytes(peakRssBytes),
  ];
}
