import { access, constants, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Profile } from '../../config/profile.ts';
import { type ProfileTask, resolveTask } from '../../config/task.ts';
import { ALL_ITEMS } from '../../core/data-spec.ts';
import { type Problem, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { formatSeconds } from '../../core/units.ts';
import type { EvaluationBudget } from '../../jobs/evaluate-task.ts';
import type { SearchProgress } from '../../jobs/search/run-search.ts';
import { forgetSearch, isUnfinished, searchRecipes } from '../../jobs/search/search-recipes.ts';
import type { SearchRequest } from '../../jobs/search/search-request.ts';
import { isMissed, type SearchResult } from '../../jobs/search/search-result.ts';
import { searchWorkers } from '../../jobs/search/search-workers.ts';
import type { TaskData } from '../../jobs/task-data.ts';
import { measuringDeps } from '../bench-request.ts';
import { type DataChoice, resolveData } from '../data-option.ts';
import { evaluationBudget } from '../evaluation-budget.ts';
import { EXIT } from '../exit-code.ts';
import { abortOnInterrupt } from '../interrupt.ts';
import type { QuantizeOptions } from '../quantize-command-options.ts';
import { selectedNodes } from '../quantize-options.ts';
import { printProblems, printResult, type Terminal } from '../terminal.ts';
import { withoutAbsent } from '../without-absent.ts';
import { parseBudget } from './budget-option.ts';
import { renderSearchPage } from './search-page.ts';
import { renderSearch } from './search-report.ts';

/** Options of `quantize` that mean nothing for many candidates at once. */
const IDLE: readonly string[] = [
  'state',
  'ranges',
  'saveRanges',
  'rangesAnyModel',
  'trace',
  'logdir',
  'traceQueries',
];

/** Ends the command with an error where an option was given that a search has no use for. */
export function refuseIdleSearchOptions(command: Command): void {
  const idle = command.options.find((option) => {
    const name = option.attributeName();
    return IDLE.includes(name) && command.getOptionValueSource(name) === 'cli';
  });
  if (idle !== undefined) command.error(`error: ${idle.long} is of no use with --recipe auto`);
}

/** Searches the best recipe, and prints what was found. */
export async function searchCommand(
  model: string,
  options: QuantizeOptions,
  terminal: Terminal,
): Promise<number> {
  const request = await searchRequest(model, options);
  if (!request.ok) return printProblems(terminal, request.error);
  const { stateFolder } = request.value;
  if (options.resume !== true) {
    if (await isUnfinished(stateFolder)) return printProblems(terminal, [unfinished(stateFolder)]);
    await forgetSearch(stateFolder);
  }
  const { host, ...measuring } = measuringDeps(terminal, abortOnInterrupt());
  const found = await searchRecipes(request.value, {
    workers: searchWorkers(host),
    ...measuring,
    ...(options.quiet ? {} : { onProgress: progressLines(terminal) }),
  });
  if (!found.ok) return printProblems(terminal, [found.error]);
  printResult(terminal, found.value, options.json, renderSearch);
  const written = await writeReport(options.report, found.value);
  if (!written.ok) return printProblems(terminal, [written.error]);
  if (found.value.ended === 'cancelled') return EXIT.interrupted;
  return isMissed(found.value) ? EXIT.verdictFailed : EXIT.done;
}

async function searchRequest(
  model: string,
  options: QuantizeOptions,
): Promise<Result<SearchRequest, readonly Problem[]>> {
  const { output, calibration, split, threads } = options;
  if (calibration === undefined)
    return err([
      problem('no-calibration-data', 'a search needs data to make candidates from and to choose them by', {
        hint: 'name it with --calibration',
      }),
    ]);
  const data = await resolveData(calibration, split, 'calibration');
  if (!data.ok) return data;
  const { profile } = data.value;
  const evaluation = await evaluationData(options, profile, data.value);
  if (!evaluation.ok) return evaluation;
  const task = chooseTask(options.task, profile?.task);
  const budget = chooseBudget(options.budget, task, profile);
  if (!budget.ok) return err([budget.error]);
  const mistake = stateMistake(profile) ?? (await reportMistake(options.report));
  if (mistake !== undefined) return err([mistake]);
  const samples = options.samples ?? profile?.data.calibration.samples;
  const { maxLatency, maxSize } = options;
  return ok({
    modelPath: model,
    outputPath: output,
    stateFolder: `${output}.search`,
    data: taskData(data.value),
    scope: { target: options.target ?? 'cpu', ...selectedNodes(options) },
    task,
    budget: budget.value,
    goals: withoutAbsent({ maxLatency, maxSize }),
    threads,
    latencyThreads: options.latencyThreads ?? profile?.bench.threads ?? 1,
    ...withoutAbsent({ samples, timeLimitSeconds: options.timeLimit, evaluation: evaluation.value }),
  });
}

function taskData({ spec, split }: DataChoice): TaskData {
  return { spec, split };
}

/** What the one that was chosen is measured on. Problem: `splits-overlap` where candidates would have been made from it. */
async function evaluationData(
  { data, evalSplit }: QuantizeOptions,
  profile: Profile | undefined,
  calibration: DataChoice,
): Promise<Result<SearchRequest['evaluation'], readonly Problem[]>> {
  if (data === undefined && profile === undefined) {
    if (evalSplit === undefined) return ok(undefined);
    return err([
      problem('bad-usage', '--eval-split is about --data, which is not given', { hint: 'add --data' }),
    ]);
  }
  const found =
    data === undefined
      ? ok({ spec: calibration.spec, split: evalSplit ?? profile?.data.evaluation.split ?? 'eval', profile })
      : await resolveData(data, evalSplit, 'evaluation');
  if (!found.ok) return found;
  const { spec, split } = found.value;
  const isSame = spec.path === calibration.spec.path;
  if (isSame && (split === calibration.split || [split, calibration.split].includes(ALL_ITEMS))) {
    return err([
      problem(
        'splits-overlap',
        `candidates would be made from the split '${calibration.split}' and evaluated on '${split}' of the same data`,
        {
          place: { file: spec.path },
          hint: 'name another split with --split or --eval-split, or leave out --data',
        },
      ),
    ]);
  }
  const samples = found.value.profile?.data.evaluation.samples;
  return ok({ data: { spec, split }, ...(samples === undefined ? {} : { samples }) });
}

/** A task that the profile has settings for keeps them when it is named. */
function chooseTask(named: QuantizeOptions['task'], ofProfile: ProfileTask | undefined): ProfileTask {
  if (ofProfile !== undefined && (named ?? ofProfile.name) === ofProfile.name) return ofProfile;
  return resolveTask(named ?? 'classification', '.');
}

function chooseBudget(
  rule: string | undefined,
  task: ProfileTask,
  profile: Profile | undefined,
): Result<EvaluationBudget, Problem> {
  if (rule !== undefined) return parseBudget(rule, task);
  return evaluationBudget({ relative: false }, task, profile);
}

function stateMistake(profile: Profile | undefined): Problem | undefined {
  if (profile?.data.states === undefined) return undefined;
  return problem('search-not-possible', 'samples of a model that carries states cannot be divided', {
    place: { file: profile.file },
    hint: 'name a recipe: static-int8 and dynamic-int8 work with states',
  });
}

/** Told before anything is measured, and not after. */
async function reportMistake(file: string | undefined): Promise<Problem | undefined> {
  if (file === undefined) return undefined;
  try {
    await access(dirname(resolve(file)), constants.W_OK);
    return undefined;
  } catch (error) {
    return notWritable(file, error);
  }
}

async function writeReport(file: string | undefined, result: SearchResult): Promise<Result<null, Problem>> {
  if (file === undefined) return ok(null);
  try {
    await writeFile(file, renderSearchPage(result));
    return ok(null);
  } catch (error) {
    return err(notWritable(file, error));
  }
}

function notWritable(file: string, error: unknown): Problem {
  const { code = 'unknown' } = error as NodeJS.ErrnoException;
  return problem('output-not-writable', `the page cannot be written (${code})`, {
    place: { file: resolve(file) },
    hint: 'name a file in a folder that exists and that you may write to',
  });
}

function unfinished(folder: string): Problem {
  return problem('search-unfinished', 'a search for this output did not come to its end', {
    place: { file: folder },
    hint: 'go on with --resume, or remove that folder to begin anew',
  });
}

/** A line for each candidate. */
function progressLines({ stderr }: Terminal): (progress: SearchProgress) => void {
  return ({ stage, subject, done, total, secondsLeft, best }) => {
    const time = secondsLeft === undefined ? '' : `, about ${formatSeconds(secondsLeft)} left`;
    const kept = best === undefined ? '' : `; best so far: ${best}`;
    stderr.write(`${stage}: ${subject} (${done + 1} of about ${Math.max(total, done + 1)}${time}${kept})\n`);
  };
}
