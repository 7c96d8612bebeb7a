import type { GeometricMeanInterval } from '../benchmark/confidence-interval.ts';
import { trimmedMeanInterval } from '../benchmark/trimmed-interval.ts';

/** Two ways to compute the same, measured in turns. */
export interface LatencyComparison {
  /** Time of one run, the median over the rounds. */
  readonly baseNs: number;
  readonly candidateNs: number;
  /** How much faster the candidate is, above 1 where it is: by rounds, with its interval. */
  readonly speedUp: GeometricMeanInterval;
  /** `not-distinguished` never means equal. */
  readonly outcome: 'faster' | 'slower' | 'not-distinguished';
  readonly rounds: number;
}

export interface ComparisonSettings {
  /** Processor time of this process so far. */
  readonly cpuSeconds: () => number;
  /** Processor time after which to stop, judged between rounds: a busy host makes it take longer, not measure less. */
  readonly budgetSeconds: number;
  /** Of the interval that decides. */
  readonly confidence: number;
}

const FEWEST_ROUNDS = 8;
const MOST_ROUNDS = 400;
/** A shorter turn is all clock and caches. */
const TURN_SECONDS = 0.0005;
const MOST_RUNS_IN_A_TURN = 32;
/** An interval that reaches no further to either side tells all that is worth knowing. */
const NARROW_RATIO = 1.005;

/**
 * Lets two systems that compute on one thread run in turns (A B, B A) until the interval of their ratio leaves no doubt or
 * the budget is spent, at least eight rounds. It counts the time that a run keeps the processor: on an idle host that is its
 * latency, and other work lengthens it far less, since it does not count the waiting for a turn on the processor.
 */
export async function compareLatency(
  base: () => Promise<void>,
  candidate: () => Promise<void>,
  settings: ComparisonSettings,
): Promise<LatencyComparison> {
  const { cpuSeconds, budgetSeconds, confidence } = settings;
  const start = cpuSeconds();
  const runs = Math.max(await runsInATurn(base, cpuSeconds), await runsInATurn(candidate, cpuSeconds));
  const seconds: { readonly base: number[]; readonly candidate: number[] } = { base: [], candidate: [] };
  for (let rounds = 1; ; rounds++) {
    const turns = [
      async () => seconds.base.push(await turn(base, runs, cpuSeconds)),
      async () => seconds.candidate.push(await turn(candidate, runs, cpuSeconds)),
    ];
    for (const take of rounds % 2 === 0 ? turns.reverse() : turns) await take();
    if (rounds < FEWEST_ROUNDS || rounds % 2 === 1) continue;
    const ratios = seconds.base.map((of, round) => of / (seconds.candidate[round] as number));
    const speedUp = trimmedMeanInterval(ratios, confidence) as GeometricMeanInterval;
    const isOver = rounds >= MOST_ROUNDS || cpuSeconds() - start >= budgetSeconds;
    if (!isOver && !isDecided(speedUp)) continue;
    return {
      baseNs: median(seconds.base) * 1e9,
      candidateNs: median(seconds.candidate) * 1e9,
      speedUp,
      outcome: outcomeOf(speedUp),
      rounds,
    };
  }
}

/** Narrow, or so far from 1 that further rounds will hardly bring it back. */
function isDecided({ estimate, lower, upper }: GeometricMeanInterval): boolean {
  const margin = Math.log(upper / lower) / 2;
  return margin < Math.log(NARROW_RATIO) || Math.abs(Math.log(estimate)) > 2 * margin;
}

function outcomeOf({ lower, upper }: GeometricMeanInterval): LatencyComparison['outcome'] {
  if (lower > 1) return 'faster';
  return upper < 1 ? 'slower' : 'not-distinguished';
}

/** Warms up, too. */
async function runsInATurn(run: () => Promise<void>, cpuSeconds: () => number): Promise<number> {
  await run();
  const before = cpuSeconds();
  await run();
  const seconds = Math.max(1e-9, cpuSeconds() - before);
  return Math.min(MOST_RUNS_IN_A_TURN, Math.max(1, Math.ceil(TURN_SECONDS / seconds)));
}

/** Short runs come after one that finds the caches as the other system left them. */
async function turn(run: () => Promise<void>, runs: number, cpuSeconds: () => number): Promise<number> {
  if (runs > 1) await run();
  const before = cpuSeconds();
  for (let count = 0; count < runs; count++) await run();
  // A clock too coarse to see the turn must not make a ratio of nothing.
  return Math.max(1e-9, cpuSeconds() - before) / runs;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}
