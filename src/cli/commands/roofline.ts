import { access, constants, writeFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { DEVICES, type Device } from '../../core/device.ts';
import { attemptAsync, type Problem, problem } from '../../core/problem.ts';
import { type RooflineReport, rooflineModels } from '../../jobs/roofline-models.ts';
import { unwrap } from '../../jobs/unwrap.ts';
import { fedWith, measuringDeps, namedModels } from '../bench-request.ts';
import { DATA_HELP, resolveData } from '../data-option.ts';
import { EXIT } from '../exit-code.ts';
import { abortOnInterrupt } from '../interrupt.ts';
import { positiveInteger, threadCount } from '../option-parsers.ts';
import { createProgressView } from '../progress.ts';
import { renderRooflinePage } from '../roofline-page.ts';
import { renderRoofline } from '../roofline-report.ts';
import { addStateOption, type StateOptions } from '../state-option.ts';
import { printProblems, printResult, type Terminal } from '../terminal.ts';

interface RooflineOptions extends StateOptions {
  readonly data: string;
  readonly split?: string;
  readonly threads: number;
  readonly device: Device;
  readonly runs: number;
  readonly probe: boolean;
  readonly dataDir: string;
  readonly output?: string;
  readonly json: boolean;
  readonly quiet: boolean;
}

export function rooflineCommand(terminal: Terminal, exit: (code: number) => void): Command {
  const command = new Command('roofline')
    .description('hold the operators of models against what this host can compute and move in the same time')
    .argument('[models...]', 'ONNX models; without any the peaks of the host alone')
    .option('--data <path>', `${DATA_HELP}; random makes some up`, 'random')
    .option('--split <name>', "the split that feeds the models (default: the profile's, or eval)")
    .option('--threads <n>', 'threads inside an operator; 0 is every core', threadCount, 1)
    .addOption(new Option('--device <name>', 'where the models run').choices(DEVICES).default('cpu'))
    .option('--runs <n>', 'runs of each model that count', positiveInteger, 50)
    .option('--probe', 'measure the peaks anew even where some are kept', false)
    .option('--data-dir <folder>', 'where peaks are kept', '.ptq-agent')
    .option('-o, --output <file>', 'write a page (HTML) with a picture')
    .option('--json', 'print the result as JSON', false)
    .option('-q, --quiet', 'no progress', false)
    .action(async (models: string[], options: RooflineOptions) =>
      exit(await roofline(models, options, terminal)),
    );
  return addStateOption(command);
}

async function roofline(
  models: readonly string[],
  options: RooflineOptions,
  terminal: Terminal,
): Promise<number> {
  const { output, json, device, threads, runs, probe, dataDir } = options;
  const data = await resolveData(options.data, options.split, 'evaluation');
  if (!data.ok) return printProblems(terminal, data.error);
  const unwritable = output === undefined ? null : await folderProblem(output);
  if (unwritable !== null) return printProblems(terminal, [unwritable]);
  const isMadeUp = models.length > 0 && data.value.spec.format === 'random';
  const progress = await createProgressView(terminal, options);
  const measured = await attemptAsync(async () =>
    unwrap(
      await rooflineModels(
        {
          variants: namedModels(models).variants,
          ...fedWith(data.value, options),
          device,
          threads,
          runs,
          anew: probe,
          folder: resolve(dataDir, 'peaks'),
        },
        {
          ...measuringDeps(terminal, abortOnInterrupt()),
          onProgress: (subject, done, total) =>
            progress.update({ phase: 'bench', subject: basename(subject), done, total, unit: 'steps' }),
        },
      ),
    ),
  );
  progress.stop();
  if (!measured.ok) return printProblems(terminal, [measured.error]);
  const report = { ...measured.value, ...(isMadeUp ? { madeUpInputs: true } : {}) };
  const failures = report.variants.flatMap(({ failure }) => failure ?? []);
  if (report.peaks.length === 0) return printProblems(terminal, failures);
  printResult(terminal, report, json, () => renderRoofline(report, isMadeUp));
  const written = output === undefined ? null : await writePage(output, report);
  const problems = [...failures, ...(written === null ? [] : [written])];
  return problems.length > 0 ? printProblems(terminal, problems) : EXIT.done;
}

/** Told before anything is measured, and not after. */
async function folderProblem(file: string): Promise<Problem | null> {
  try {
    await access(dirname(resolve(file)), constants.W_OK);
    return null;
  } catch (error) {
    return notWritable(file, error);
  }
}

async function writePage(file: string, report: RooflineReport): Promise<Problem | null> {
  try {
    await writeFile(file, renderRooflinePage(report));
    return null;
  } catch (error) {
    return notWritable(file, error);
  }
}

function notWritable(file: string, error: unknown): Problem {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  return problem('output-not-writable', `the page cannot be written (${code})`, {
    place: { file: resolve(file) },
    hint: 'name a file in a folder that exists and that you may write to',
  });
}
