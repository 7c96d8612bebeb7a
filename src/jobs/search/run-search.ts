import type { SearchGoals } from '../../core/goal.ts';
import type { Problem } from '../../core/problem.ts';
import type {
  CandidateEffort,
  CandidateList,
  LeftOut,
  SearchCandidate,
} from '../../quantization/search/candidates.ts';
import { type Choice, chooseCandidate } from './choose-candidate.ts';
import { createEstimates } from './effort-estimates.ts';
import type { AccuracyFigures, BuiltFigures, LatencyFigures, Standing } from './measured-candidate.ts';
import { byLoss, rankByAccuracy } from './rank-by-accuracy.ts';
import type { SampleCount, SearchPorts } from './search-ports.ts';

/** What became of a candidate. */
export interface SearchEntry {
  readonly candidate: SearchCandidate;
  built?: BuiltFigures;
  accuracy?: AccuracyFigures;
  latency?: LatencyFigures;
  /** Why nothing more was measured of it: others of its family are more accurate, or it failed. */
  eliminated?: string;
  failure?: Problem;
}

/** A step of a search: looks at what was measured and says what is to be tried next. */
export interface SearchStage {
  /** As people read it. */
  readonly name: string;
  /** How many candidates of which effort come at most, for an estimate of the time. */
  readonly expected: readonly CandidateEffort[];
  readonly next: (entries: readonly Readonly<SearchEntry>[]) => CandidateList;
  /** How many of each family go on after it. */
  readonly survivors: 'half' | number;
  /** Of the time that is left for making candidates when it begins, so that later stages have some, too; all unless given. */
  readonly timeShare?: number;
}

export interface SearchProgress {
  readonly stage: string;
  /** What is worked on. */
  readonly subject: string;
  readonly done: number;
  /** Candidates that are known or expected. */
  readonly total: number;
  /** Absent where nothing is known to go by. */
  readonly secondsLeft?: number;
  readonly best?: string;
}

export interface SearchOutcome {
  readonly ended: 'finished' | 'time-limit' | 'cancelled';
  readonly entries: readonly Readonly<SearchEntry>[];
  readonly leftOut: readonly LeftOut[];
  /** Undefined where no candidate could be made. */
  readonly choice: Choice | undefined;
  /** Why latency was not measured, where it was to be. */
  readonly latencyProblem?: Problem;
  /** Why the model of the one that was chosen could not be saved. */
  readonly deliveryProblem?: Problem;
}

export interface SearchSettings {
  readonly stages: readonly SearchStage[];
  readonly goals: SearchGoals;
  readonly float32: { readonly sizeBytes: number };
  readonly onProgress?: (progress: SearchProgress) => void;
}

/** So many models are timed at most: each takes its turns. */
const MOST_TIMED = 8;
/** What each of them and float32 takes about, for an estimate of the time. */
const TIMED_SECONDS = 8;
/** The share of the time limit that is left for timing what was made. */
const TIMING_SHARE = 0.3;

/**
 * Searches by successive halving: candidates of one family, which have the same speed, are judged on few samples, the better
 * half on all, and what promises most is tuned; then the best of every family are timed. The best so far is kept from the first
 * on. A candidate that fails is noted and the search goes on; one that would not be done in time is not begun. What it does follows
 * from what is measured alone, so that one that goes on from a journal ends as one that was never interrupted.
 * Source: Jamieson and Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization" (2016).
 */
export async function runSearch(settings: SearchSettings, ports: SearchPorts): Promise<SearchOutcome> {
  const { stages, goals, float32 } = settings;
  const search = createSearch(settings, ports);
  for (const [position, stage] of stages.entries()) {
    if (search.isOver()) break;
    const list = stage.next(search.entries);
    search.leaveOut(list.leftOut);
    await search.tryAll(list.candidates, stage, stages.slice(position + 1));
    await search.halve(stage.survivors);
  }
  const latencyProblem = await search.timeFinalists();
  const choice = chooseCandidate(search.measured(), goals, float32);
  const delivered = choice === undefined ? undefined : await ports.deliver(choice.chosen);
  return {
    ended: ports.isCancelled() ? 'cancelled' : search.hasRunOut() ? 'time-limit' : 'finished',
    entries: search.entries,
    leftOut: search.leftOut,
    choice,
    ...(latencyProblem === undefined ? {} : { latencyProblem }),
    ...(delivered?.ok === false ? { deliveryProblem: delivered.error } : {}),
  };
}

const OUT_OF_TIME: Problem = { kind: 'time-limit', message: 'the time limit came before it was done' };

function createSearch({ goals, float32, onProgress }: SearchSettings, ports: SearchPorts) {
  const entries: SearchEntry[] = [];
  const leftOut: LeftOut[] = [];
  const estimates = createEstimates();
  const wholeSeconds = ports.secondsLeft();
  const timingSeconds = Number.isFinite(wholeSeconds) ? wholeSeconds * TIMING_SHARE : 0;
  let ranOut = false;
  let kept: string | undefined;

  const buildSecondsLeft = () => ports.secondsLeft() - timingSeconds;
  const isOver = () => {
    if (ports.isCancelled()) return true;
    ranOut ||= buildSecondsLeft() <= 0;
    return buildSecondsLeft() <= 0;
  };

  const report = (stage: string, subject: string, waiting: readonly CandidateEffort[]) => {
    const making = estimates.total(waiting);
    const secondsLeft = making === undefined ? undefined : making + TIMED_SECONDS * (MOST_TIMED + 1);
    onProgress?.({
      stage,
      subject,
      done: entries.length,
      total: entries.length + waiting.length,
      ...(secondsLeft === undefined ? {} : { secondsLeft }),
      ...(kept === undefined ? {} : { best: kept }),
    });
  };

  const alive = () =>
    entries.filter(({ eliminated, failure }) => eliminated === undefined && failure === undefined);
  const measured = () => alive().filter(isBuilt);

  /** Whether the search ends, which says nothing about the candidate that was worked on. */
  const isInterruption = ({ kind }: Problem): boolean => {
    if (kind !== 'cancelled') return false;
    ranOut ||= !ports.isCancelled();
    return true;
  };

  const judge = async (entry: SearchEntry, samples: SampleCount): Promise<void> => {
    const judged = await ports.judge(entry.candidate, samples, buildSecondsLeft());
    if (judged.ok) entry.accuracy = judged.value;
    else if (!isInterruption(judged.error)) entry.failure = judged.error;
  };

  const keepBest = async (): Promise<void> => {
    const best = chooseCandidate(measured(), goals, float32)?.chosen;
    if (best === undefined || best.candidate.label === kept) return;
    await ports.keep(best);
    kept = best.candidate.label;
  };

  const tryOne = async (candidate: SearchCandidate, samples: SampleCount): Promise<void> => {
    const entry: SearchEntry = { candidate };
    entries.push(entry);
    const needed = ports.isKnown(candidate) ? 0 : estimates.of(candidate.effort);
    if (needed !== undefined && needed > buildSecondsLeft()) {
      ranOut = true;
      entry.failure = {
        kind: 'time-limit',
        message: `it would take about ${Math.ceil(needed)} s, and ${Math.max(0, Math.floor(buildSecondsLeft()))} s are left`,
      };
      return;
    }
    const built = await ports.build(candidate, buildSecondsLeft());
    if (!built.ok) {
      entry.failure = isInterruption(built.error) && ranOut ? OUT_OF_TIME : built.error;
      return;
    }
    entry.built = built.value;
    estimates.note(candidate.effort, built.value.seconds);
    await judge(entry, samples);
    await keepBest();
  };

  return {
    entries,
    leftOut,
    measured,
    isOver,
    hasRunOut: () => ranOut,
    leaveOut: (more: readonly LeftOut[]) => leftOut.push(...more),
    tryAll: async (
      candidates: readonly SearchCandidate[],
      { name, survivors, timeShare = 1 }: SearchStage,
      later: readonly SearchStage[],
    ): Promise<void> => {
      const expected = later.flatMap((stage) => stage.expected);
      const reservedSeconds = Number.isFinite(wholeSeconds) ? (1 - timeShare) * buildSecondsLeft() : 0;
      for (const [position, candidate] of candidates.entries()) {
        if (isOver()) break;
        if (buildSecondsLeft() <= reservedSeconds && !ports.isKnown(candidate)) {
          ranOut = true;
          leftOut.push({
            label: candidate.label,
            reason: 'the time limit: what is left is for tuning the best ones',
          });
          continue;
        }
        const waiting = candidates.slice(position).map(({ effort }) => effort);
        report(name, candidate.label, [...waiting, ...expected]);
        await tryOne(candidate, survivors === 'half' ? 'few' : 'all');
      }
    },
    /** The better half of each family is judged on all samples, or only so many of it go on. */
    halve: async (survivors: SearchStage['survivors']): Promise<void> => {
      for (const [entry, reason] of eliminationsAmong(measured(), survivors)) {
        entry.eliminated = reason;
        await ports.discard(entry.candidate);
      }
      if (survivors !== 'half') return;
      for (const entry of alive()) {
        if (isOver()) return;
        if (entry.accuracy !== undefined) await judge(entry, 'all');
      }
      await keepBest();
    },
    timeFinalists: async (): Promise<Problem | undefined> => {
      const chosen = finalistsAmong(measured());
      ranOut ||= ports.secondsLeft() <= 0;
      if (chosen.length === 0 || ports.isCancelled() || ports.secondsLeft() <= 0) return undefined;
      report('latency', `${chosen.length} candidates by turns`, []);
      const timed = await ports.time(chosen.map(({ candidate }) => candidate));
      if (!timed.ok) return timed.error;
      for (const entry of chosen) {
        const latency = timed.value.get(entry.candidate.label);
        if (latency !== undefined) entry.latency = latency;
      }
      return undefined;
    },
  };
}

type BuiltEntry = SearchEntry & { built: BuiltFigures };

function isBuilt(entry: SearchEntry): entry is BuiltEntry {
  return entry.built !== undefined;
}

/** Who does not go on, and why. Who was not judged is not compared. */
function eliminationsAmong(
  entries: readonly BuiltEntry[],
  survivors: SearchStage['survivors'],
): readonly (readonly [SearchEntry, string])[] {
  return ranked(entries).flatMap((family) => {
    const count = survivors === 'half' ? Math.ceil(family.length / 2) : survivors;
    const reason = `${count === 1 ? 'one' : count} of its kind ${count === 1 ? 'is' : 'are'} more accurate`;
    // What lost least is not given up for outputs that lie closer together.
    const [safest] = family.toSorted(byLoss);
    return family.slice(count).flatMap((entry) => (entry === safest ? [] : [[entry, reason] as const]));
  });
}

const STANDINGS: readonly (Standing | undefined)[] = ['kept', 'undecided', 'doubtful', 'missed'];

/**
 * The best of every family first, then the second ones, as many as can be timed; of a family those first that seem to keep the budget, as
 * only they may be chosen.
 */
function finalistsAmong(entries: readonly BuiltEntry[]): readonly BuiltEntry[] {
  const rankOf = ({ accuracy }: BuiltEntry) => STANDINGS.indexOf(accuracy?.standing);
  const families = ranked(entries).map((family) => family.toSorted((a, b) => rankOf(a) - rankOf(b)));
  const most = Math.max(0, ...families.map(({ length }) => length));
  const inTurn = Array.from({ length: most }, (_, rank) => families.flatMap((of) => of[rank] ?? [])).flat();
  return inTurn.slice(0, MOST_TIMED);
}

/** Each family that was judged, the most accurate first. */
function ranked(entries: readonly BuiltEntry[]): readonly (readonly BuiltEntry[])[] {
  const families = new Map<string, BuiltEntry[]>();
  for (const entry of entries) {
    const { family } = entry.candidate;
    if (entry.accuracy !== undefined) families.set(family, [...(families.get(family) ?? []), entry]);
  }
  return [...families.values()].map(rankByAccuracy);
}
