import { geometricMeanInterval } from '../../src/benchmark/confidence-interval.ts';
import { interleaveRounds } from '../../src/benchmark/interleave.ts';
import type { NamedTensors } from '../../src/core/tensor.ts';
import { formatSeconds } from '../../src/core/units.ts';
import { openSamples } from '../../src/data/open-samples.ts';
import { openSession } from '../../src/runtime/session.ts';
import { unwrap } from '../support/unwrap.ts';
import type { PerfRow } from './perf-row.ts';
import { median } from './statistics.ts';

/** Median seconds of each round, in the order of the rounds. */
export type Rounds = readonly number[];

interface ReadyVariant {
  readonly runs: readonly (() => Promise<void>)[];
  readonly close: () => Promise<void>;
}

const ROUNDS = 24;
const ROUND_SECONDS = 0.25;
const FEWEST_RUNS = 5;
const FEEDS = 8;
const SEED = 1;
/** An interval that reaches further does not show that a model is no slower. */
const WIDEST = 1.05;

/**
 * Latency of one inference of each model at one thread. All run in this process and take turns in rounds of a quarter of a second,
 * so that a ratio can be taken round by round.
 * @param paths where the models are, by any names
 */
export async function measureRounds<Name extends string>(
  paths: Readonly<Partial<Record<Name, string>>>,
  dataPath: string,
): Promise<Readonly<Partial<Record<Name, Rounds>>>> {
  const names = Object.keys(paths) as Name[];
  const ready = await Promise.all(names.map((name) => openVariant(paths[name] as string, dataPath)));
  const rounds: number[][] = names.map(() => []);
  try {
    for (const { runs } of ready) for (const run of runs) await run();
    for (const { variant } of interleaveRounds(names.length, ROUNDS, SEED)) {
      rounds[variant]?.push(await roundOf(ready[variant] as ReadyVariant));
    }
  } finally {
    for (const { close } of ready) await close();
  }
  return Object.fromEntries(names.map((name, index) => [name, rounds[index]])) as Partial<
    Record<Name, Rounds>
  >;
}

async function roundOf({ runs }: ReadyVariant): Promise<number> {
  const seconds: number[] = [];
  const start = performance.now();
  // The first run after another model finds the caches cold; it is not what a server sees.
  await (runs[0] as () => Promise<void>)();
  for (let index = 0; index < FEWEST_RUNS || performance.now() - start < ROUND_SECONDS * 1e3; index++) {
    const run = runs[index % runs.length] as () => Promise<void>;
    const before = performance.now();
    await run();
    seconds.push((performance.now() - before) / 1e3);
  }
  return median(seconds);
}

async function openVariant(path: string, dataPath: string): Promise<ReadyVariant> {
  const session = unwrap(await openSession(path, { intraOpThreads: 1 }));
  const options = { split: 'eval', modelInputs: session.inputs, limit: FEEDS };
  const source = unwrap(await openSamples({ path: dataPath }, options));
  const feeds: NamedTensors[] = [];
  for await (const sample of source.samples()) feeds.push(sample.feeds);
  await source.close();
  return { runs: feeds.map((feed) => session.prepare(feed)), close: () => session.close() };
}

/**
 * How long `candidate` takes against `base`. The target is missed where the interval lies above 1; where it holds 1 but is
 * wide, the host was too busy to tell.
 */
export function intervalRow(subject: string, figure: string, candidate: Rounds, base: Rounds): PerfRow {
  const ratios = candidate.map((seconds, round) => seconds / (base[round] as number));
  const interval = geometricMeanInterval(ratios, 0.95);
  if (interval === null) throw new Error('an interval needs two rounds');
  const { estimate, lower, upper } = interval;
  const row = { subject, figure, value: `${estimate.toFixed(2)} [${lower.toFixed(2)}, ${upper.toFixed(2)}]` };
  if (lower <= 1 && upper > WIDEST) return { ...row, target: '≤ 1, not told by so wide an interval' };
  return { ...row, target: '≤ 1', reached: lower <= 1 };
}

export function inMilliseconds(rounds: Rounds): string {
  return formatSeconds(median(rounds));
}
