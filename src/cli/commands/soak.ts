import { basename } from 'node:path';
import { Command, Option } from 'commander';
import { type BenchSettings, benchSettings } from '../../benchmark/settings.ts';
import type { SoakResult } from '../../benchmark/soak/soak.ts';
import { DEVICES, type Device } from '../../core/device.ts';
import { attemptAsync, type Problem, problem } from '../../core/problem.ts';
import { err, type Result } from '../../core/result.ts';
import { formatSeconds } from '../../core/units.ts';
import { soakModels } from '../../jobs/soak-models.ts';
import { fedWith, measuringDeps, namedModels } from '../bench-request.ts';
import { DATA_HELP, resolveData } from '../data-option.ts';
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
import { renderSoaks } from '../soak-report.ts';
import { addStateOption, type StateOptions } from '../state-option.ts';
import { printProblems, printResult, type Terminal } from '../terminal.ts';

const SOAK_SCENARIOS = ['single-stream', 'closed-loop', 'constant-rate', 'server'] as const;

/** Enough for a trend without the first window, with a few to spare. */
const FEWEST_WINDOWS = 12;

interface SoakOptions extends StateOptions {
  readonly data: string;
  readonly split?: string;
  readonly duration: number;
  readonly window: number;
  readonly scenario: (typeof SOAK_SCENARIOS)[number];
  readonly rate?: number;
  readonly concurrency?: number;
  readonly batch: number;
  readonly threads: number;
  readonly device: Device;
  readonly grace?: number;
  readonly seed?: number;
  readonly json: boolean;
  readonly quiet: boolean;
}

export function soakCommand(terminal: Terminal, exit: (code: number) => void): Command {
  const command = new Command('soak')
    .description('run models for long and say whether latency or memory creeps')
    .argument('<models...>', 'ONNX models, which run one after another')
    .option('--data <path>', `required: ${DATA_HELP}; random makes some up`)
    .option('--duration <time>', 'required: how long each model runs, such as 10m or 1h', durationSeconds)
    .option(
      '--window <time>',
      `one point of the trend; there have to be ${FEWEST_WINDOWS}`,
      durationSeconds,
      30,
    )
    .option('--split <name>', "the split that feeds the models (default: the profile's, or eval)")
    .addOption(
      new Option('--scenario <name>', 'how queries are issued')
        .choices(SOAK_SCENARIOS)
        .default('closed-loop'),
    )
    .option(
      '--rate <n>',
      'queries per second of server and constant-rate (default: 70 % of what the warm-up reached)',
      positiveNumber,
    )
    .option(
      '--concurrency <n>',
      'sessions side by side, each in a thread of its own (default: 1)',
      positiveInteger,
    )
    .option('--batch <n>', 'samples that one run works through', positiveInteger, 1)
    .option('--threads <n>', 'threads inside an operator; 0 is every core', threadCount, 1)
    .addOption(new Option('--device <name>', 'where the models run').choices(DEVICES).default('cpu'))
    .option('--grace <time>', 'how long a model may complete nothing (default: 60s)', durationSeconds)
    .option('--seed <n>', 'decides the order of samples and arrivals', wholeNumber)
    .option('--json', 'print the result as JSON', false)
    .option('-q, --quiet', 'no progress', false)
    .action(async (models: string[], options: SoakOptions) => exit(await soak(models, options, terminal)));
  return requireOptions(addStateOption(command), ['--data', '--duration']);
}

async function soak(models: readonly string[], options: SoakOptions, terminal: Terminal): Promise<number> {
  const settings = soakSettings(options);
  if (!settings.ok) return printProblems(terminal, [settings.error]);
  const data = await resolveData(options.data, options.split, 'evaluation');
  if (!data.ok) return printProblems(terminal, data.error);
  const progress = await createProgressView(terminal, options);
  const request = {
    ...namedModels(models),
    ...fedWith(data.value, options),
    threads: options.threads,
    batch: options.batch,
    device: options.device,
    settings: settings.value,
  };
  const results = await attemptAsync(() =>
    soakModels(request, {
      ...measuringDeps(terminal, abortOnInterrupt()),
      onProgress: (variant, done, total) =>
        progress.update({
          phase: 'bench',
          subject: `soak ${basename(variant)}`,
          done,
          total,
          unit: unitOf((total - done) * options.window, terminal),
        }),
    }),
  );
  progress.stop();
  if (!results.ok) return printProblems(terminal, [results.error]);
  return report(results.value, data.value.spec.format === 'random', options, terminal);
}

/** A bar tells itself how long it will take; a line does not. */
function unitOf(secondsLeft: number, { stderr }: Terminal): string {
  return stderr.isTTY === true || secondsLeft === 0
    ? 'windows'
    : `windows, ${formatSeconds(secondsLeft)} left`;
}

function report(
  results: readonly SoakResult[],
  isMadeUp: boolean,
  { json }: SoakOptions,
  terminal: Terminal,
): number {
  const failures = results.flatMap(({ failure }) => failure ?? []);
  if (results.some(({ windows }) => windows.length > 0)) {
    const told = results.map((result) => ({
      ...result,
      model: result.variant,
      ...(isMadeUp ? { madeUpInputs: true } : {}),
    }));
    printResult(terminal, told, json, () => renderSoaks(results, isMadeUp));
  }
  if (failures.length > 0) return printProblems(terminal, failures);
  const isSound = ({ creep, otherOutputs }: SoakResult) =>
    otherOutputs === 0 && creep.every(({ outcome }) => outcome !== 'creeps');
  return results.every(isSound) ? EXIT.done : EXIT.verdictFailed;
}

/** The rounds of the settings are the soak's windows. */
function soakSettings(
  options: SoakOptions,
): Result<BenchSettings, Problem<'soak-too-short' | 'invalid-bench-settings'>> {
  const { duration, window, scenario, rate, concurrency, grace, seed } = options;
  const rounds = Math.round(duration / window);
  if (rounds < FEWEST_WINDOWS) return err(tooShort(duration, window));
  const isScheduled = scenario === 'server' || scenario === 'constant-rate';
  return benchSettings({
    scenario,
    rounds,
    minDurationSeconds: duration,
    // What waits in a queue when a window ends is still worked off, for as long again.
    maxDurationSeconds: isScheduled ? duration * 2 : duration,
    minQueries: 1,
    maxWarmUpSeconds: 10,
    ...(rate === undefined ? {} : { ratePerSecond: rate }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(grace === undefined ? {} : { graceSeconds: grace }),
    ...(seed === undefined ? {} : { seed }),
  });
}

function tooShort(duration: number, window: number) {
  return problem(
    'soak-too-short',
    `${duration} s are ${Math.round(duration / window)} windows of ${window} s, and a trend takes ${FEWEST_WINDOWS}`,
    {
      hint: `let it run for at least ${Math.ceil(window * FEWEST_WINDOWS)}s with --duration, or take a shorter --window`,
    },
  );
}
