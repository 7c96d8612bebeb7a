import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { secondsBetween } from '../../core/clock.ts';
import type { DataSpec } from '../../core/data-spec.ts';
import { digestText } from '../../core/digest.ts';
import { toJson } from '../../core/json.ts';
import { attemptAsync, type Problem, ProblemError, problem } from '../../core/problem.ts';
import { ok, type Result } from '../../core/result.ts';
import { onnxRuntimeVersion } from '../../runtime/versions.ts';
import { agentVersion } from '../agent-version.ts';
import { acquireBenchLock } from '../bench-lock.ts';
import type { InputDigests } from '../digest-inputs.ts';
import type { ModelEvaluation } from '../evaluate-task.ts';
import { refuseToOverwrite } from '../run-quantization.ts';
import { unwrap } from '../unwrap.ts';
import { candidateFiles } from './candidate-files.ts';
import { candidatePorts, type SearchGround } from './candidate-ports.ts';
import type { DividedSamples } from './divide-samples.ts';
import type { AccuracyFigures } from './measured-candidate.ts';
import { rememberIn } from './remember.ts';
import { runSearch, type SearchOutcome } from './run-search.ts';
import { openJournal } from './search-journal.ts';
import type { SearchDeps, SearchRequest } from './search-request.ts';
import { type SearchResult, searchResult } from './search-result.ts';
import { searchStages } from './search-stages.ts';
import { signalWithin } from './signal-within.ts';
import { accuracyOf } from './standing.ts';

/** What lies in the folder of a search. */
const FILES = {
  journal: 'journal.jsonl',
  /** There when the search is over, and what it found. */
  result: 'result.json',
  models: 'models',
  ranges: 'ranges',
  outputs: 'outputs',
} as const;

/**
 * Searches the recipe that suits a model, this host and a budget; see `runSearch`. All that is measured is kept in the state
 * folder, and what is there already is not measured again. The best so far lies at the output from the first candidate on.
 * Problems: `search-running` where another process searches in the same folder, `budget-needed` where outputs are plain numbers
 * and no SQNR is asked for, `search-found-nothing` where no candidate could be made, and those of reading model and data.
 */
export function searchRecipes(
  request: SearchRequest,
  deps: SearchDeps,
): Promise<Result<SearchResult, Problem>> {
  return attemptAsync(async () => {
    const startNs = deps.clock.nowNs();
    requireBudget(request);
    await refuseToOverwrite(request, request.outputPath);
    await makeFolder(request.stateFolder);
    const lock = await lockState(request.stateFolder);
    const journal = await openJournal(join(request.stateFolder, FILES.journal));
    try {
      await rm(join(request.stateFolder, FILES.result), { force: true });
      const ground = await prepareGround(request, deps, { journal, startNs });
      const result = await search(ground, startNs);
      if (result.ended === 'finished') await tidy(request.stateFolder);
      await writeFile(join(request.stateFolder, FILES.result), `${toJson(result, 2)}\n`);
      return result;
    } finally {
      await journal.close();
      lock.release();
    }
  });
}

/** Whether a folder holds a search that was begun and did not come to its end. */
export async function isUnfinished(stateFolder: string): Promise<boolean> {
  const found: readonly string[] = await readdir(stateFolder).catch(() => []);
  return found.includes(FILES.journal) && (!found.includes(FILES.result) || found.includes(FILES.models));
}

/** Forgets an earlier search, so that the next one measures everything. Removes nothing that is not a search's own. */
export async function forgetSearch(stateFolder: string): Promise<void> {
  for (const name of Object.values(FILES))
    await rm(join(stateFolder, name), { recursive: true, force: true });
}

/** Models can be made again from their recipes; what was measured stays. */
async function tidy(stateFolder: string): Promise<void> {
  for (const name of [FILES.models, FILES.ranges, FILES.outputs]) {
    await rm(join(stateFolder, name), { recursive: true, force: true });
  }
}

function requireBudget({ task, budget }: SearchRequest): void {
  if (task.name !== 'fidelity' || budget.atLeast !== undefined) return;
  throw new ProblemError(
    problem('budget-needed', 'outputs that are plain numbers have no answers that could be kept or lost', {
      hint: 'name a task with --task, or say how close outputs must be: --budget "sqnr_db>=25"',
    }),
  );
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new ProblemError(
      problem('output-not-writable', `the folder of the search cannot be made (${code})`, {
        place: { file: folder },
        hint: 'choose another output, or correct the rights of the folder',
      }),
    );
  }
}

/** Of two processes in one folder each would take the other's models away. */
async function lockState(folder: string) {
  const lock = await acquireBenchLock('cpu', { waitMs: 0, folder });
  if (lock.ok) return lock.value;
  if (lock.error.kind !== 'bench-locked') throw new ProblemError(lock.error);
  throw new ProblemError(
    problem('search-running', 'another process searches recipes for this output', {
      place: { file: folder },
      hint: 'wait until it is done, or choose another output',
    }),
  );
}

async function prepareGround(
  request: SearchRequest,
  deps: SearchDeps,
  { journal, startNs }: Pick<SearchGround, 'journal'> & { readonly startNs: bigint },
): Promise<SearchGround> {
  const { modelPath, data, samples, stateFolder, outputPath, timeLimitSeconds } = request;
  const controls = deps.signal === undefined ? {} : { signal: deps.signal };
  const digests = unwrap(
    await deps.workers.run({ kind: 'digest', modelPath, data: data.spec }, controls),
  ) as InputDigests;
  const groundKey = digestText(
    JSON.stringify([
      [digests.modelDigest, digests.dataDigest, data.split, samples ?? null],
      [agentVersion(), onnxRuntimeVersion(), cpus()[0]?.model ?? '', cpus().length],
    ]),
  );
  const limit = samples === undefined ? {} : { samples };
  const divided = await rememberIn(journal)<DividedSamples>(`${groundKey}-divided`, 'samples', async () => {
    const task = { kind: 'divide-samples', modelPath, data, ...limit } as const;
    return ok(unwrap(await deps.workers.run(task, controls)) as DividedSamples);
  });
  const folders = { ranges: join(stateFolder, FILES.ranges), outputs: join(stateFolder, FILES.outputs) };
  for (const folder of Object.values(folders)) await makeFolder(folder);
  return {
    request,
    deps,
    journal,
    files: candidateFiles(join(stateFolder, FILES.models), outputPath),
    digests,
    divided: unwrap(divided),
    groundKey,
    folders,
    deadlineNs:
      timeLimitSeconds === undefined ? undefined : startNs + BigInt(Math.round(timeLimitSeconds * 1e9)),
  };
}

async function search(ground: SearchGround, startNs: bigint): Promise<SearchResult> {
  const { request, deps, digests } = ground;
  const ports = candidatePorts(ground);
  const outcome = await runSearch(
    {
      stages: searchStages(request.scope),
      goals: request.goals,
      float32: { sizeBytes: digests.modelSizeBytes },
      ...(deps.onProgress === undefined ? {} : { onProgress: deps.onProgress }),
    },
    ports,
  );
  if (outcome.choice === undefined) throw foundNothing(outcome, deps);
  if (outcome.deliveryProblem !== undefined) throw new ProblemError(outcome.deliveryProblem);
  const evaluation = await evaluateChosen(
    ground,
    ports.keyOf(outcome.choice.chosen.candidate),
    ports.secondsLeft(),
  );
  return searchResult(ground, outcome, {
    seconds: secondsBetween(startNs, deps.clock.nowNs()),
    ...evaluation,
  });
}

/** The one time that the evaluation split is read: for the model that was chosen without it. */
async function evaluateChosen(
  { request, deps, journal, digests }: SearchGround,
  candidateKey: string,
  secondsLeft: number,
): Promise<{ readonly evaluation?: AccuracyFigures; readonly evaluationProblem?: Problem }> {
  const { evaluation, outputPath, modelPath, task, budget, threads } = request;
  if (evaluation === undefined) return {};
  if (isAborted(deps.signal))
    return {
      evaluationProblem: problem('cancelled', 'it was cancelled before the evaluation split was read'),
    };
  if (secondsLeft <= 0)
    return { evaluationProblem: problem('time-limit', 'no time was left for the evaluation split') };
  const judged = budget.atLeast === undefined ? budget : { ...budget, metric: 'sqnr_db' };
  const { spec } = evaluation.data;
  const dataDigest =
    spec.path === request.data.spec.path ? digests.dataDigest : await digestOf(spec, modelPath, deps);
  const key = digestText(JSON.stringify([candidateKey, 'evaluate', evaluation, dataDigest, task, judged]));
  const found = await rememberIn(journal)<AccuracyFigures>(
    key,
    'the chosen one on the evaluation split',
    async () => {
      const answer = await deps.workers.run(
        {
          kind: 'evaluate',
          reference: { variant: 'float32', path: modelPath },
          candidates: [{ variant: 'chosen', path: outputPath }],
          ...evaluation,
          task,
          budget: judged,
          threads,
        },
        { signal: signalWithin(deps.signal, secondsLeft) },
      );
      return answer.ok
        ? ok(accuracyOf((answer.value as readonly ModelEvaluation[])[0] as ModelEvaluation, budget.atLeast))
        : answer;
    },
  );
  if (found.ok) return { evaluation: found.value };
  const isLate = found.error.kind === 'cancelled' && !isAborted(deps.signal);
  return {
    evaluationProblem: isLate
      ? problem('time-limit', 'the time limit came before the evaluation split was done')
      : found.error,
  };
}

/** A signal changes while something is awaited. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

async function digestOf(data: DataSpec, modelPath: string, { workers, signal }: SearchDeps): Promise<string> {
  const controls = signal === undefined ? {} : { signal };
  const digests = unwrap(await workers.run({ kind: 'digest', modelPath, data }, controls)) as InputDigests;
  return digests.dataDigest;
}

function foundNothing({ entries, ended }: SearchOutcome, deps: SearchDeps): ProblemError {
  if (deps.signal?.aborted === true)
    return new ProblemError(problem('cancelled', 'the search was cancelled'));
  const reasons = entries
    .slice(0, 3)
    .map(({ candidate, failure }) => `${candidate.label}: ${failure?.message ?? 'not measured'}`);
  return new ProblemError(
    problem('search-found-nothing', `no candidate could be made. ${reasons.join('; ')}`, {
      hint:
        ended === 'time-limit'
          ? 'give it more time with --time-limit; with --resume nothing is done twice'
          : 'try one of them alone with quantize --recipe, which tells more',
    }),
  );
}
