import { Command, Option } from 'commander';
import { resolveTask } from '../../config/task.ts';
import { type Problem, problem } from '../../core/problem.ts';
import type { Explanation } from '../../jobs/explain/explanation.ts';
import type { Movement } from '../../jobs/explain/movement.ts';
import { runExplanation } from '../../jobs/explain/run-explanation.ts';
import { prepareFile } from '../../jobs/prepared-file.ts';
import { DATA_HELP, type DataChoice, resolveData } from '../data-option.ts';
import { WORKER_ENTRY } from '../entries.ts';
import { EXIT } from '../exit-code.ts';
import { renderExplanation } from '../explain/explain-report.ts';
import { renderMovement } from '../explain/movement-report.ts';
import { abortOnInterrupt } from '../interrupt.ts';
import { durationSeconds, positiveInteger, threadCount } from '../option-parsers.ts';
import { PLAIN_TASKS } from '../plain-tasks.ts';
import { createProgressView } from '../progress.ts';
import { hereOrThere } from '../remote/here-or-there.ts';
import { addOrderOptions, isOrder } from '../remote/order-options.ts';
import { requireOptions } from '../required-options.ts';
import { printProblems, printResult, type Terminal } from '../terminal.ts';

interface ExplainOptions {
  readonly data: string;
  readonly split?: string;
  readonly samples: number;
  readonly task?: (typeof PLAIN_TASKS)[number];
  readonly top?: number;
  readonly timeLimit?: number;
  readonly threads: number;
  readonly html?: string;
  readonly json: boolean;
  readonly quiet: boolean;
}

export function explainCommand(terminal: Terminal, exit: (code: number) => void): Command {
  const command = new Command('explain')
    .description(
      'tell what each quantized node of a model costs, why, and what to do about it; or what moved between two versions of a model',
    )
    .argument(
      '<fp32>',
      'the float32 model; or the older of two versions that are both quantized, or both float32',
    )
    .argument(
      '[quantized]',
      'a model made from it, by any tool: QDQ, QOperator, dynamic or weights alone; or the newer version',
    )
    .option('--data <path>', `required: ${DATA_HELP}`)
    .option('--split <name>', "the split to look at (default: the profile's, eval, or all of it)")
    .option('--samples <n>', 'use so many samples, spread evenly over the split', positiveInteger, 32)
    .addOption(
      new Option('--task <name>', 'what the outputs are, to count answers that change')
        .choices(PLAIN_TASKS)
        .default(undefined, "the profile's, or classification where the outputs look like it"),
    )
    .option(
      '--top <n>',
      'measure only so many nodes at the outputs: those whose own results are furthest off',
      positiveInteger,
    )
    .option('--time-limit <duration>', 'measure no further node after so long, such as 2m', durationSeconds)
    .option('--html <file>', 'write a page with pictures')
    .option('--threads <n>', 'threads inside an operator; 0 is every core', threadCount, 0)
    .option('--json', 'print the result as JSON', false)
    .option('-q, --quiet', 'no progress', false)
    .action(
      hereOrThere(
        'explain',
        { terminal, exit },
        (fp32: string, quantized: string | undefined, options: ExplainOptions) =>
          explain(fp32, quantized, options, terminal),
      ),
    );
  addOrderOptions(command, 'explain');
  return requireOptions(command, ['--data'], () => !isOrder(command));
}

async function explain(
  fp32: string,
  quantized: string | undefined,
  options: ExplainOptions,
  terminal: Terminal,
): Promise<number> {
  if (quantized === undefined) return printProblems(terminal, [oneModel()]);
  const data = await resolveData(options.data, options.split, 'evaluation');
  if (!data.ok) return printProblems(terminal, data.error);
  // Known now, and not only after minutes of work, if it cannot be written.
  const page = options.html === undefined ? undefined : await prepareFile(options.html);
  if (page !== undefined && !page.ok) return printProblems(terminal, [page.error]);
  const progress = await createProgressView(terminal, options);
  const explained = await runExplanation(
    { entry: WORKER_ENTRY },
    toTask(fp32, quantized, options, data.value),
    {
      signal: abortOnInterrupt(),
      onEvent: (event) => {
        if (event.kind === 'progress') progress.update(event.progress);
      },
    },
  );
  progress.stop();
  if (!explained.ok) {
    await page?.value.discard();
    return printProblems(terminal, [explained.error]);
  }
  const written = await page?.value.write([await pageOf(explained.value)]);
  if (written?.ok === false) return printProblems(terminal, [written.error]);
  printResult(terminal, explained.value, options.json, (result) =>
    result.kind === 'quantized'
      ? renderExplanation(result, options.html)
      : renderMovement(result, options.html),
  );
  return EXIT.done;
}

function oneModel(): Problem {
  return problem('bad-usage', 'two models are compared, and here is one', {
    hint: 'name the float32 model and then one made from it; or a registered model, and its daemon with --agent',
  });
}

async function pageOf(explained: Explanation | Movement): Promise<string> {
  return explained.kind === 'quantized'
    ? (await import('../explain/explain-page.ts')).renderExplainPage(explained)
    : (await import('../explain/movement-page.ts')).renderMovementPage(explained);
}

function toTask(
  fp32: string,
  quantized: string,
  options: ExplainOptions,
  { spec, split, profile }: DataChoice,
) {
  const { samples, task: named, threads, top, timeLimit } = options;
  const ofProfile = profile?.task;
  const isOfProfile = ofProfile !== undefined && (named ?? ofProfile.name) === ofProfile.name;
  return {
    referencePath: fp32,
    candidatePath: quantized,
    data: { spec, split },
    samples,
    task: isOfProfile ? ofProfile : resolveTask(named ?? 'classification', '.'),
    taskIsNamed: named !== undefined || isOfProfile,
    threads,
    ...(top === undefined ? {} : { top }),
    ...(timeLimit === undefined ? {} : { timeLimitSeconds: timeLimit }),
  };
}
