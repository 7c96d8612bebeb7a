import { basename } from 'node:path';
import { Command, Option } from 'commander';
import type { PeakProgress } from '../../benchmark/find-peaks.ts';
import { comparePeaks } from '../../benchmark/peak-result.ts';
import { peakSettings } from '../../benchmark/peak-settings.ts';
import { DEVICES, type Device } from '../../core/device.ts';
import { attemptAsync, problem } from '../../core/problem.ts';
import { formatRate } from '../../core/units.ts';
import { findPeakRates } from '../../jobs/find-peak-rates.ts';
import type { JobProgress } from '../../jobs/worker-protocol.ts';
import { fedWith, measuringDeps, namedModels } from '../bench-request.ts';
import { DATA_HELP, resolveData } from '../data-option.ts';
import { EXIT } from '../exit-code.ts';
import { abortOnInterrupt } from '../interrupt.ts';
import {
  durationSeconds,
  positiveInteger,
  positiveNumber,
  ratioOrPercent,
  tailPermille,
  threadCount,
  wholeNumber,
} from '../option-parsers.ts';
import { renderPeaks } from '../peak-report.ts';
import { createProgressView } from '../progress.ts';
import { requireOptions } from '../required-options.ts';
import { addStateOption, type StateOptions } from '../state-option.ts';
import { printProblems, printResult, type Terminal } from '../terminal.ts';

interface PeakOptions extends StateOptions {
  readonly data: string;
  readonly split?: string;
  readonly latencyBound: number;
  readonly percentile: number;
  readonly concurrency: number;
  readonly threads: number;
  readonly device: Device;
  readonly duration: number;
  readonly resolution: number;
  readonly maxTrials: number;
  readonly maxRate?: number;
  readonly seed?: number;
  readonly json: boolean;
  readonly quiet: boolean;
}

export function peakCommand(terminal: Terminal, exit: (code: number) => void): Command {
  const command = new Command('peak')
    .description('find the highest rate of queries at which a percentile of the latency stays within a bound')
    .argument('<models...>', 'ONNX models; the first is the base of the ratios')
    .option('--data <path>', `required: ${DATA_HELP}; random makes some up`)
    .option('--split <name>', "the split that feeds the models (default: the profile's, or eval)")
    .option('--latency-bound <time>', 'required: what the percentile may take, such as 20ms', durationSeconds)
    .addOption(
      new Option('--percentile <n>', 'the percentile that has to stay within the bound')
        .argParser(tailPermille)
        .default(990, '99'),
    )
    .option('--concurrency <n>', 'sessions side by side, each in a thread of its own', positiveInteger, 1)
    .option('--threads <n>', 'threads inside an operator; 0 is every core', threadCount, 1)
    .addOption(new Option('--device <name>', 'where the models compute').choices(DEVICES).default('cpu'))
    .addOption(
      new Option('--duration <time>', 'of a trial, longer where too few queries come')
        .argParser(durationSeconds)
        .default(10, '10s'),
    )
    .addOption(
      new Option('--resolution <share>', 'how close to search, such as 5%')
        .argParser(ratioOrPercent)
        .default(0.05, '5%'),
    )
    .option('--max-trials <n>', 'when to give up, for each model', positiveInteger, 30)
    .option('--max-rate <n>', 'queries per second that are enough', positiveNumber)
    .option('--seed <n>', 'decides the arrivals and the order of samples', wholeNumber)
    .option('--json', 'print the result as JSON', false)
    .option('-q, --quiet', 'no progress', false)
    .action(async (models: string[], options: PeakOptions) => exit(await peak(models, options, terminal)));
  return requireOptions(addStateOption(command), ['--data', '--latency-bound']);
}

async function peak(models: readonly string[], options: PeakOptions, terminal: Terminal): Promise<number> {
  const data = await resolveData(options.data, options.split, 'evaluation');
  if (!data.ok) return printProblems(terminal, data.error);
  const settings = peakSettings({
    latencyBoundSeconds: options.latencyBound,
    latencyBoundPermille: options.percentile,
    concurrency: options.concurrency,
    trialSeconds: options.duration,
    resolution: options.resolution,
    maxTrials: options.maxTrials,
    ...(options.maxRate === undefined ? {} : { enoughPerSecond: options.maxRate }),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
  });
  if (!settings.ok) return printProblems(terminal, [settings.error]);
  const progress = await createProgressView(terminal, options);
  const run = await attemptAsync(() =>
    findPeakRates(
      {
        ...namedModels(models),
        ...fedWith(data.value, options),
        threads: options.threads,
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
  const report = {
    results: run.value,
    ratios: comparePeaks(run.value),
    ...(data.value.spec.format === 'random' ? { madeUpInputs: true } : {}),
  };
  const failures = run.value.flatMap(({ failure }) => failure ?? []);
  const isMeasured = run.value.some(({ trials }) => trials.length > 0);
  if (isMeasured || failures.length === 0) printResult(terminal, report, options.json, renderPeaks);
  if (run.value.some(({ peak: { limitedBy } }) => limitedBy === 'cancelled')) {
    return printProblems(terminal, [problem('bench-cancelled', 'The search was cancelled')]);
  }
  if (failures.length > 0) return printProblems(terminal, failures);
  const isFound = run.value.every(({ valid, peak: { ratePerSecond } }) => valid && ratePerSecond !== null);
  return isFound ? EXIT.done : EXIT.verdictFailed;
}

function toJobProgress({ variant, trials, rate }: PeakProgress): JobProgress {
  const doing = rate === null ? 'warm-up' : `at ${formatRate(rate)}/s`;
  return { phase: 'bench', subject: `peak ${basename(variant)} ${doing}`, done: trials, unit: 'trials' };
}
