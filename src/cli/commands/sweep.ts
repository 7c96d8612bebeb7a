import { access, constants, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, dirname, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { minimumQueries } from '../../benchmark/early-stopping.ts';
import { isScheduled } from '../../benchmark/scenario.ts';
import { type BenchSettings, benchSettings } from '../../benchmark/settings.ts';
import { describeConfiguration, sweepConfigurations } from '../../benchmark/sweep/configurations.ts';
import type { SweepProgress } from '../../benchmark/sweep/run-sweep.ts';
import { sweepFindings } from '../../benchmark/sweep/sweep-findings.ts';
import { DEVICES, type Device } from '../../core/device.ts';
import { attemptAsync, type Problem, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { sweepModels } from '../../jobs/sweep-models.ts';
import type { JobProgress } from '../../jobs/worker-protocol.ts';
import { fedWith, measuringDeps, namedModels } from '../bench-request.ts';
import { DATA_HELP, resolveData } from '../data-option.ts';
import { EXIT } from '../exit-code.ts';
import { abortOnInterrupt } from '../interrupt.ts';
import {
  durationSeconds,
  positiveInteger,
  positiveIntegers,
  positiveNumber,
  threadCounts,
  wholeNumber,
} from '../option-parsers.ts';
import { createProgressView } from '../progress.ts';
import { requireOptions } from '../required-options.ts';
import { addStateOption, type StateOptions } from '../state-option.ts';
import { renderSweepChart } from '../sweep-chart.ts';
import { renderSweep, type SweepReport } from '../sweep-report.ts';
import { printProblems, printResult, type Terminal } from '../terminal.ts';

const SWEPT_SCENARIOS = ['closed-loop', 'offline', 'single-stream', 'server'] as const;

interface SweepOptions extends StateOptions {
  readonly data: string;
  readonly split?: string;
  readonly scenario: (typeof SWEPT_SCENARIOS)[number];
  readonly batch?: readonly number[];
  readonly threads?: readonly number[];
  readonly concurrency?: readonly number[];
  readonly rate?: number;
  readonly duration: number;
  readonly rounds: number;
  readonly device: Device;
  readonly withMemory: boolean;
  readonly seed?: number;
  readonly svg?: string;
  readonly json: boolean;
  readonly quiet: boolean;
}

export function sweepCommand(terminal: Terminal, exit: (code: number) => void): Command {
  const command = new Command('sweep')
    .description(
      'measure batch sizes, threads and sessions side by side, and say which of them are worth choosing among',
    )
    .argument('<models...>', 'ONNX models')
    .option('--data <path>', `required: ${DATA_HELP}; random makes some up`)
    .option('--split <name>', "the split that feeds the models (default: the profile's, or eval)")
    .option(
      '--batch <list>',
      'samples that one run works through (default: 1,4,16; 1 with --scenario server)',
      positiveIntegers,
    )
    .option(
      '--threads <list>',
      'threads inside an operator; 0 is every core (default: powers of two up to the cores)',
      threadCounts,
    )
    .option(
      '--concurrency <list>',
      'sessions side by side, each in a thread of its own (default: as --threads)',
      positiveIntegers,
    )
    .addOption(
      new Option('--scenario <name>', 'how queries are issued')
        .choices(SWEPT_SCENARIOS)
        .default('closed-loop'),
    )
    .option('--rate <n>', 'queries per second of --scenario server', positiveNumber)
    .addOption(
      new Option(
        '--duration <time>',
        'measuring time of a configuration, up to six times as long until there are 100 queries',
      )
        .argParser(durationSeconds)
        .default(2, '2s'),
    )
    .option(
      '--rounds <n>',
      'repetitions that share the time, each in a process of its own',
      positiveInteger,
      4,
    )
    .addOption(new Option('--device <name>', 'where the models compute').choices(DEVICES).default('cpu'))
    .option('--with-memory', 'peak memory counts for the front too', false)
    .option('--seed <n>', 'decides the order of configurations and samples', wholeNumber)
    .option('--svg <file>', 'write a picture of throughput against latency')
    .option('--json', 'print the result as JSON', false)
    .option('-q, --quiet', 'no progress', false)
    .action(async (models: string[], options: SweepOptions) => exit(await sweep(models, options, terminal)));
  return requireOptions(addStateOption(command), ['--data']);
}

async function sweep(models: readonly string[], options: SweepOptions, terminal: Terminal): Promise<number> {
  const data = await resolveData(options.data, options.split, 'evaluation');
  if (!data.ok) return printProblems(terminal, data.error);
  const unwritable = await svgProblem(options.svg);
  if (unwritable !== null) return printProblems(terminal, [unwritable]);
  const settings = settingsOf(options);
  if (!settings.ok) return printProblems(terminal, [settings.error]);
  const { scenario } = options;
  const cores = availableParallelism();
  const configurations = sweepConfigurations(
    {
      models: [...new Set(models)],
      batches: options.batch ?? (scenario === 'server' ? [1] : [1, 4, 16]),
      threads: options.threads,
      concurrencies: options.concurrency ?? (scenario === 'single-stream' ? [1] : undefined),
    },
    cores,
  );
  const progress = await createProgressView(terminal, options);
  const run = await attemptAsync(() =>
    sweepModels(
      {
        model: namedModels(models).model,
        configurations,
        ...fedWith(data.value, options),
        device: options.device,
        settings: settings.value,
      },
      {
        ...measuringDeps(terminal, abortOnInterrupt()),
        onProgress: (now) => progress.update(toJobProgress(now)),
      },
    ),
  );
  progress.stop();
  if (!run.ok) return printProblems(terminal, [run.error]);
  const report: SweepReport = {
    scenario,
    cores,
    ...run.value,
    findings: sweepFindings(run.value.rows, {
      withMemory: options.withMemory,
      isScheduled: isScheduled(scenario),
    }),
    ...(data.value.spec.format === 'random' ? { madeUpInputs: true } : {}),
  };
  return conclude(report, options, terminal);
}

/** Prints what there is, and tells the exit code. */
async function conclude(report: SweepReport, options: SweepOptions, terminal: Terminal): Promise<number> {
  const { rows, skipped, cancelled } = report;
  const isMeasured = rows.some(({ throughput }) => throughput !== null);
  if (isMeasured) {
    printResult(terminal, report, options.json, renderSweep);
    const written = options.svg === undefined ? ok(null) : await writeChart(options.svg, report);
    if (!written.ok) return printProblems(terminal, [written.error]);
  }
  if (cancelled) return printProblems(terminal, [problem('bench-cancelled', 'The sweep was cancelled')]);
  const whole = skipped.filter(({ model }) => !rows.some((row) => row.model === model));
  const problems = isMeasured
    ? whole.filter(({ model }) => model !== null).map((of) => of.problem)
    : [...skipped.map((of) => of.problem), ...rows.flatMap(({ failure }) => failure ?? [])];
  if (problems.length > 0) return printProblems(terminal, problems);
  return rows.some(({ valid }) => valid) ? EXIT.done : EXIT.verdictFailed;
}

/** Their concurrency is checked for each that was asked for, and is that of none in particular. */
function settingsOf({
  scenario,
  rate,
  duration,
  rounds,
  seed,
  concurrency,
}: SweepOptions): Result<BenchSettings, Problem> {
  if (isScheduled(scenario) && rate === undefined) {
    return err(
      problem('options-conflict', '--scenario server needs --rate, the same for all configurations', {
        hint: '`ptq-agent peak` finds the highest rate that a model takes',
      }),
    );
  }
  return benchSettings({
    scenario,
    minDurationSeconds: duration,
    rounds,
    concurrency: Math.max(1, ...(concurrency ?? [])),
    ...(rate === undefined ? {} : { ratePerSecond: rate }),
    // Of a schedule the 99th percentile is judged, for which MLPerf has a minimum; there must be time for all of them.
    ...(rate === undefined || !isScheduled(scenario)
      ? {}
      : {
          minQueries: minimumQueries(990),
          maxDurationSeconds: Math.max(6 * duration, (1.5 * minimumQueries(990)) / rate),
        }),
    ...(seed === undefined ? {} : { seed }),
  });
}

/** Told before anything is measured, and not after. */
async function svgProblem(file: string | undefined): Promise<Problem | null> {
  if (file === undefined) return null;
  try {
    await access(dirname(resolve(file)), constants.W_OK);
    return null;
  } catch (error) {
    return notWritable(file, error);
  }
}

async function writeChart(file: string, report: SweepReport): Promise<Result<null, Problem>> {
  try {
    await writeFile(file, renderSweepChart(report));
    return ok(null);
  } catch (error) {
    return err(notWritable(file, error));
  }
}

function notWritable(file: string, error: unknown): Problem {
  const { code = 'unknown' } = error as NodeJS.ErrnoException;
  return problem('output-not-writable', `the picture cannot be written (${code})`, {
    place: { file: resolve(file) },
    hint: 'name a file in a folder that exists and that you may write to',
  });
}

function toJobProgress({ configuration, done, total }: SweepProgress): JobProgress {
  const subject = `sweep ${basename(configuration.model)} ${describeConfiguration(configuration)}`;
  return { phase: 'bench', subject, done, total, unit: 'measurements' };
}
