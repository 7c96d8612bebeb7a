import { paretoFront } from '../../benchmark/statistics/pareto.ts';
import type { Problem } from '../../core/problem.ts';
import type { Recipe } from '../../quantization/recipe.ts';
import type { CandidateEffort, LeftOut } from '../../quantization/search/candidates.ts';
import type { QuantizeReport } from '../quantize-task.ts';
import type { SearchGround } from './candidate-ports.ts';
import type { Choice } from './choose-candidate.ts';
import { choosingBudget } from './choosing-budget.ts';
import type { AccuracyFigures, LatencyFigures } from './measured-candidate.ts';
import { rankByAccuracy } from './rank-by-accuracy.ts';
import type { SearchEntry, SearchOutcome } from './run-search.ts';
import type { SearchRequest } from './search-request.ts';

/** A candidate as a result shows it. */
export interface CandidateResult {
  readonly label: string;
  readonly family: string;
  readonly effort: CandidateEffort;
  readonly recipe: Recipe;
  /**
   * `timed`: all was measured; `judged`: its accuracy alone; `eliminated`: others of its family are more accurate; `failed`;
   * `not-done`: the search ended before.
   */
  readonly state: 'timed' | 'judged' | 'eliminated' | 'failed' | 'not-done';
  /** Why it went no further. */
  readonly reason?: string;
  readonly sizeBytes?: number;
  readonly quantized?: number;
  readonly fused?: number | null;
  readonly makingSeconds?: number;
  readonly accuracy?: AccuracyFigures;
  readonly latency?: LatencyFigures;
  /** No other is better in accuracy, latency or size without being worse in another. */
  readonly isOnFront: boolean;
  readonly isChosen: boolean;
}

/** What a search found: plain data, ready for JSON. */
export interface SearchResult {
  readonly model: string;
  readonly output: string;
  readonly ended: SearchOutcome['ended'];
  readonly seconds: number;
  readonly float32: { readonly sizeBytes: number };
  readonly target: string;
  readonly goals: SearchRequest['goals'];
  /** What candidates were chosen by, which is the budget unless that needs labels that there are not. */
  readonly chosenBy: ReturnType<typeof choosingBudget>;
  readonly budget: SearchRequest['budget'];
  readonly latencyThreads: number;
  readonly samples: { readonly make: number; readonly choose: number; readonly isLabelled: boolean };
  readonly candidates: readonly CandidateResult[];
  readonly leftOut: readonly LeftOut[];
  readonly choice: {
    readonly label: string;
    readonly standing: Choice['standing'];
    readonly reason: string;
    readonly missedGoals: readonly string[];
  };
  /** The chosen one on the evaluation split, which was read once, after the choice. */
  readonly evaluation?: AccuracyFigures;
  readonly evaluationProblem?: Problem;
  readonly latencyProblem?: Problem;
  /** What the quantization of the chosen one told. */
  readonly quantization?: QuantizeReport;
}

/** Whether the model that was chosen is less than what was asked for, as far as can be told. */
export function isMissed({ choice, evaluation }: Pick<SearchResult, 'choice' | 'evaluation'>): boolean {
  const standing = evaluation?.standing ?? choice.standing;
  return standing === 'missed' || standing === 'doubtful' || choice.missedGoals.length > 0;
}

interface Facts {
  readonly seconds: number;
  readonly evaluation?: AccuracyFigures;
  readonly evaluationProblem?: Problem;
}

/** @param outcome has a choice */
export function searchResult(
  { request, digests, divided }: Pick<SearchGround, 'request' | 'digests' | 'divided'>,
  { ended, entries, leftOut, choice, latencyProblem }: SearchOutcome,
  facts: Facts,
): SearchResult {
  if (choice === undefined) throw new Error('a search without a choice has no result');
  const chosen = choice.chosen.candidate.label;
  const front = frontOf(entries);
  return {
    model: request.modelPath,
    output: request.outputPath,
    ended,
    ...facts,
    float32: { sizeBytes: digests.modelSizeBytes },
    target: request.scope.target,
    goals: request.goals,
    chosenBy: choosingBudget(request, divided.isLabelled),
    budget: request.budget,
    latencyThreads: request.latencyThreads,
    samples: {
      make: divided.make.length,
      choose: divided.choose.length,
      isLabelled: divided.isLabelled,
    },
    candidates: entries.map((entry) => candidateResult(entry, front, chosen)),
    leftOut,
    choice: {
      label: chosen,
      standing: choice.standing,
      reason: choice.reason,
      missedGoals: choice.missedGoals,
    },
    ...(latencyProblem === undefined ? {} : { latencyProblem }),
    ...(choice.chosen.built.report === undefined
      ? {}
      : { quantization: { ...choice.chosen.built.report, output: request.outputPath } }),
  };
}

function candidateResult(
  entry: SearchEntry,
  front: ReadonlySet<SearchEntry>,
  chosen: string,
): CandidateResult {
  const { candidate, built, accuracy, latency } = entry;
  const reason = entry.failure?.message ?? entry.eliminated;
  return {
    ...candidate,
    state: stateOf(entry),
    ...(reason === undefined ? {} : { reason }),
    ...(built === undefined
      ? {}
      : {
          sizeBytes: built.sizeBytes,
          quantized: built.quantized,
          fused: built.fused,
          makingSeconds: built.seconds,
        }),
    ...(accuracy === undefined ? {} : { accuracy }),
    ...(latency === undefined ? {} : { latency }),
    isOnFront: front.has(entry),
    isChosen: candidate.label === chosen,
  };
}

function stateOf({ failure, eliminated, accuracy, latency }: SearchEntry): CandidateResult['state'] {
  if (failure !== undefined)
    return failure.kind === 'time-limit' || failure.kind === 'cancelled' ? 'not-done' : 'failed';
  if (eliminated !== undefined) return 'eliminated';
  if (latency !== undefined) return 'timed';
  return accuracy === undefined ? 'not-done' : 'judged';
}

/** Accuracy is a rank; see `rankByAccuracy`. */
function frontOf(entries: readonly SearchEntry[]): ReadonlySet<SearchEntry> {
  const timed = entries.filter(({ latency, failure }) => latency !== undefined && failure === undefined);
  const ranks = new Map(rankByAccuracy(timed).map((entry, rank) => [entry, rank]));
  const { front } = paretoFront(timed, [
    { name: 'accuracy', better: 'lower', figure: (entry) => ranks.get(entry) ?? null },
    { name: 'latency', better: 'lower', figure: ({ latency }) => latency?.medianSeconds ?? null },
    { name: 'size', better: 'lower', figure: ({ built }) => built?.sizeBytes ?? null },
  ]);
  return new Set(front);
}
