import { basename } from 'node:path';
import { Command, Option } from 'commander';
import { DEVICES, type Device } from '../../core/device.ts';
import { attemptAsync } from '../../core/problem.ts';
import { coldStartModels } from '../../jobs/cold-start-models.ts';
import { fedWith, measuringDeps, namedModels } from '../bench-request.ts';
import { renderColdStarts } from '../cold-start-report.ts';
import { DATA_HELP, resolveData } from '../data-option.ts';
import { EXIT } from '../exit-code.ts';
import { abortOnInterrupt } from '../interrupt.ts';
import { durationSeconds, positiveInteger, threadCount, wholeNumber } from '../option-parsers.ts';
import { createProgressView } from '../progress.ts';
import { requireOptions } from '../required-options.ts';
import { addStateOption, type StateOptions } from '../state-option.ts';
import { printProblems, printResult, type Terminal } from '../terminal.ts';

interface ColdStartOptions extends StateOptions {
  readonly data: string;
  readonly split?: string;
  readonly repetitions: number;
  readonly threads: number;
  readonly device: Device;
  readonly maxRun: number;
  readonly seed: number;
  readonly json: boolean;
  readonly quiet: boolean;
}

export function coldStartCommand(terminal: Terminal, exit: (code: number) => void): Command {
  const command = new Command('cold-start')
    .description('measure how long models take until they answer, and until they are at their speed')
    .argument('<models...>', 'ONNX models; the first is the base of the ratios')
    .option('--data <path>', `required: ${DATA_HELP}; random makes some up`)
    .option('--split <name>', "the split that feeds the models (default: the profile's, or eval)")
    .option('--repetitions <n>', 'starts of each model, in a process of its own each', positiveInteger, 10)
    .option('--threads <n>', 'threads inside an operator; 0 is every core', threadCount, 1)
    .addOption(new Option('--device <name>', 'where the models run').choices(DEVICES).default('cpu'))
    .option('--max-run <time>', 'how long a start may run until its speed is steady', durationSeconds, 10)
    .option('--seed <n>', 'decides whose turn it is', wholeNumber, 1)
    .option('--json', 'print the result as JSON', false)
    .option('-q, --quiet', 'no progress', false)
    .action(async (models: string[], options: ColdStartOptions) =>
      exit(await coldStart(models, options, terminal)),
    );
  return requireOptions(addStateOption(command), ['--data']);
}

async function coldStart(
  models: readonly string[],
  options: ColdStartOptions,
  terminal: Terminal,
): Promise<number> {
  const data = await resolveData(options.data, options.split, 'evaluation');
  if (!data.ok) return printProblems(terminal, data.error);
  const progress = await createProgressView(terminal, options);
  const request = {
    ...namedModels(models),
    ...fedWith(data.value, options),
    threads: options.threads,
    device: options.device,
    repetitions: options.repetitions,
    maxRunSeconds: options.maxRun,
    seed: options.seed,
  };
  const results = await attemptAsync(() =>
    coldStartModels(request, {
      ...measuringDeps(terminal, abortOnInterrupt()),
      onProgress: (variant, done, total) =>
        progress.update({
          phase: 'bench',
          subject: `cold-start ${basename(variant)}`,
          done,
          total,
          unit: 'starts',
        }),
    }),
  );
  progress.stop();
  if (!results.ok) return printProblems(terminal, [results.error]);
  const isMadeUp = data.value.spec.format === 'random';
  if (results.value.some(({ repetitions }) => repetitions.length > 0)) {
    const told = results.value.map((result) => ({
      ...result,
      model: result.variant,
      ...(isMadeUp ? { madeUpInputs: true } : {}),
    }));
    printResult(terminal, told, options.json, () => renderColdStarts(results.value, isMadeUp));
  }
  const failures = results.value.flatMap(({ failure }) => failure ?? []);
  // A cancellation ends all of them, and is said once.
  const isRepeated = ({ kind }: { readonly kind: string }, index: number) =>
    kind === 'cancelled' && failures.findIndex((other) => other.kind === kind) < index;
  const said = failures.filter((failure, index) => !isRepeated(failure, index));
  return said.length > 0 ? printProblems(terminal, said) : EXIT.done;
}
