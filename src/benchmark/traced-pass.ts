import type { Clock } from '../core/clock.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { concatenated } from './concatenated.ts';
import { sortedCopy } from './latency-statistics.ts';
import type { LoadPlan, Pacing } from './load/load-plan.ts';
import { toRecords } from './load/run-records.ts';
import type { LoadGenerator } from './load-generator.ts';
import { planRound, type RoundSpec } from './round.ts';

/** What is run with the runtime's profile on, and as often without it, once all is measured. */
export interface TracedPassSpec {
  /** The load of a round; of its queries as many are run as are asked for. */
  readonly round: RoundSpec;
  /** To trace; fewer where the load has no more, or they take longer than `maxDurationNs`. */
  readonly queries: number;
  /** No block begins later than this, and none lasts longer. */
  readonly maxDurationNs: number;
}

/** What tracing cost. */
export interface TraceCost {
  /** That were traced. */
  readonly queries: number;
  /** Calls of the model that these queries took. */
  readonly runs: number;
  /** The median time that a call took with the profile, and without it in between. */
  readonly p50Seconds: { readonly traced: number; readonly untraced: number };
  /** The one over the other. */
  readonly costRatio: number;
  /** The fastest, the middle and the slowest of the traced calls. */
  readonly examples: readonly TracedCall[];
}

export interface TracedCall {
  readonly seconds: number;
  /** When it returned, in milliseconds since the Unix epoch. */
  readonly wallMs: number;
}

/** Blocks of traced runs, and as many of others. */
const BLOCKS = 10;

/**
 * Runs the same load with and without tracing, in blocks that take turns (traced, untraced, untraced, traced …) so that a
 * drift of the host weighs on both alike. Both blocks of a pair have the same samples and arrivals. Problems:
 * `nothing-traced` where the load was stopped at once, and those of the system.
 * @param switchTracing sends runs to the traced session or to the other, from the next on
 * @param onAlive told as runs complete
 */
export async function runTracedPass(
  generator: LoadGenerator,
  spec: TracedPassSpec,
  {
    switchTracing,
    onAlive,
    clock,
  }: { readonly switchTracing: (traced: boolean) => void; onAlive(): void; readonly clock: Clock },
): Promise<Result<TraceCost, Problem>> {
  const { pacing, ...rest } = planRound(spec.round, generator);
  const runsPerQuery = pacing.kind === 'grouped' ? pacing.runsPerQuery : 1;
  const totalRuns = spec.queries * runsPerQuery;
  const blockRuns = Math.ceil(spec.queries / BLOCKS) * runsPerQuery;
  const service = { traced: [] as Float64Array[], untraced: [] as Float64Array[] };
  const calls: TracedCall[] = [];
  let spentNs = 0;
  const runBlock = async (half: keyof typeof service, block: LoadPlan): Promise<Result<void, Problem>> => {
    const chunks: Float64Array[] = [];
    switchTracing(half === 'traced');
    const done = await generator.run(block, (chunk) => {
      chunks.push(chunk);
      if (chunk.length > 0) onAlive();
    });
    switchTracing(false);
    if (!done.ok) return done;
    const { startNs, doneNs } = toRecords(chunks);
    spentNs += doneNs.reduce((latest, time) => Math.max(latest, time), 0);
    const serviceNs = doneNs.map((time, run) => time - (startNs[run] as number));
    service[half].push(serviceNs);
    if (half === 'traced') {
      const blockWallMs = clock.wallMs() - Number(clock.nowNs() - done.value.startNs) / 1e6;
      for (const [run, time] of doneNs.entries())
        calls.push({ seconds: (serviceNs[run] as number) / 1e9, wallMs: blockWallMs + time / 1e6 });
    }
    return ok(undefined);
  };
  for (let first = 0, pair = 0; first < totalRuns && spentNs < spec.maxDurationNs; pair += 1) {
    const block = cutPlan(
      { pacing, ...rest },
      first,
      Math.min(blockRuns, totalRuns - first),
      spec.maxDurationNs,
    );
    if (block === undefined) break;
    for (const half of pair % 2 === 0
      ? (['traced', 'untraced'] as const)
      : (['untraced', 'traced'] as const)) {
      const done = await runBlock(half, block);
      if (!done.ok) return done;
    }
    first += blockRuns;
  }
  const cost = costOf(concatenated(service.traced), concatenated(service.untraced), runsPerQuery);
  return cost.ok ? ok({ ...cost.value, examples: examplesOf(calls) }) : cost;
}

function examplesOf(calls: readonly TracedCall[]): readonly TracedCall[] {
  const sorted = [...calls].sort((a, b) => a.seconds - b.seconds);
  const places = [0, sorted.length >> 1, sorted.length - 1];
  return [...new Set(places)].flatMap((place) => sorted[place] ?? []);
}

function costOf(
  tracedNs: Float64Array,
  untracedNs: Float64Array,
  runsPerQuery: number,
): Result<Omit<TraceCost, 'examples'>, Problem> {
  const [traced, untraced] = [median(tracedNs), median(untracedNs)];
  if (traced === undefined || untraced === undefined)
    return err(problem('nothing-traced', 'no query was traced before the load ended'));
  return ok({
    queries: Math.floor(tracedNs.length / runsPerQuery),
    runs: tracedNs.length,
    p50Seconds: { traced: traced / 1e9, untraced: untraced / 1e9 },
    costRatio: traced / untraced,
  });
}

/** Of an even number the middle of the middle two: the blocks of a pair lie to either side of it. Undefined without any. */
function median(values: Float64Array): number | undefined {
  const sorted = sortedCopy(values);
  const [lower, upper] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return lower === undefined || upper === undefined ? undefined : (lower + upper) / 2;
}

/** Runs `first` and so many after it of a plan, the first of them due at once. Undefined where a schedule has no more. */
function cutPlan(
  { pacing, order, limits }: LoadPlan,
  first: number,
  count: number,
  maxDurationNs: number,
): LoadPlan | undefined {
  const cut = cutPacing(pacing, first, count);
  if (cut === undefined) return undefined;
  const runs = cut.kind === 'scheduled' ? cut.dueNs.length : count;
  return {
    pacing: cut,
    limits: { ...limits, minRuns: runs, maxRuns: runs, minDurationNs: 0, maxDurationNs },
    order: Uint32Array.from({ length: runs }, (_, run) => order[(first + run) % order.length] as number),
  };
}

function cutPacing(pacing: Pacing, first: number, count: number): Pacing | undefined {
  if (pacing.kind !== 'scheduled') return pacing;
  const dueNs = pacing.dueNs.subarray(first, first + count);
  const [startNs] = dueNs;
  return startNs === undefined ? undefined : { kind: 'scheduled', dueNs: dueNs.map((due) => due - startNs) };
}
