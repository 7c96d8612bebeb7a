import { type ComparableResult, comparedMetric, type SpeedUp } from '../benchmark/compare.ts';
import { compareSeparateRuns } from '../benchmark/compare-separate-runs.ts';
import type { Host } from '../client/client.ts';
import type { Scenario } from '../core/bench-terms.ts';
import { differencesWithin, hostClassOf } from './host-class.ts';
import type { Measured, MeasuredRun } from './measured-runs.ts';

/** What an agent measured, the newest run first. */
export interface AgentRuns {
  readonly agent: string;
  readonly runs: readonly MeasuredRun[];
}

/** How a host stands among those that are like it, in one measurement of one variant. */
export interface HostStanding {
  readonly agent: string;
  /** Seconds of a query, of a sample in the offline scenario: the geometric mean of its runs' medians. */
  readonly seconds: number;
  readonly runs: number;
  readonly valid: boolean;
  /** Against the reference; null for the reference itself. */
  readonly speedUp: SpeedUp | null;
  /**
   * By throughput, where queries come as fast as they are answered: a host that is stopped from time to time, as by a CPU quota, answers most
   * queries as fast as ever. Null elsewhere, and for the reference.
   */
  readonly throughput: SpeedUp | null;
  /** What could explain it, as phrases: other software, other work on the host, why its figures are not valid. */
  readonly differences: readonly string[];
}

export interface HostComparison {
  readonly model: string;
  readonly variant: string;
  readonly suite: string;
  readonly measurement: string;
  readonly scenario: Measured['scenario'];
  readonly device: string;
  readonly settings: string;
  readonly hostClass: string;
  /** Whose figure is the median of the class, with an even number the faster of the two in the middle. */
  readonly reference: string;
  /** `runs`: the intervals know how runs of a host differ; `rounds`: they know only how rounds of one run do. */
  readonly basis: 'runs' | 'rounds';
  /** The fastest first. */
  readonly hosts: readonly HostStanding[];
}

export interface FleetComparison {
  readonly comparisons: readonly HostComparison[];
  /** Measurements that one host of a class alone has, by agent: there is nothing to hold them against. */
  readonly alone: readonly {
    readonly agent: string;
    readonly hostClass: string;
    readonly measurements: number;
  }[];
}

export interface CompareHostsOptions {
  /** Of all intervals of a comparison together; 0.95 unless given. */
  readonly confidence?: number;
  /** The smallest relative difference that is claimed; 5 % unless given, and 15 % where runs are too few to know how they differ. */
  readonly minEffectRatio?: number;
}

/** Runs of a host from which on they, and not the rounds of one, say how sure its figure is. */
const FEWEST_RUNS = 3;
/** Scenarios in which the next query is sent when the last one is answered. */
const CLOSED_LOOPS: readonly Scenario[] = ['single-stream', 'multi-stream', 'closed-loop'];
const SMALLEST_EFFECT = { runs: 0.05, rounds: 0.15 } as const;

/**
 * Holds the hosts of each class against the one in the middle, measurement by measurement. Only like is compared with like: the same model and variant,
 * suite, measurement, device and settings, on the same processor, GPUs and runtime. Where queries come as fast as they are answered, throughput is held against its like, too.
 * The intervals are Welch's on logarithms, at a confidence that holds for all hosts
 * of a comparison together (Bonferroni), and a difference below `minEffectRatio` is not claimed: see `compareSeparateRuns`. The rounds of single runs know nothing of how
 * runs differ: with a scatter of 3 % from run to run they would name an innocent host in 14 of 100 fleets of three at a floor of 5 %.
 */
export function compareHosts(
  agents: readonly AgentRuns[],
  options: CompareHostsOptions = {},
): FleetComparison {
  const groups = new Map<string, Entry[]>();
  for (const entry of agents.flatMap(entriesOf)) {
    groups.set(entry.key, [...(groups.get(entry.key) ?? []), entry]);
  }
  const comparisons: HostComparison[] = [];
  const alone = new Map<string, { agent: string; hostClass: string; measurements: number }>();
  for (const entries of groups.values()) {
    const [first] = entries;
    if (first === undefined) continue;
    if (entries.length > 1) {
      comparisons.push(compareGroup(entries, options));
      continue;
    }
    const known = alone.get(`${first.agent} ${first.hostClass}`);
    const measurements = (known?.measurements ?? 0) + 1;
    alone.set(`${first.agent} ${first.hostClass}`, {
      agent: first.agent,
      hostClass: first.hostClass,
      measurements,
    });
  }
  return { comparisons, alone: [...alone.values()] };
}

/** One measurement of one variant on one host. */
interface Entry {
  readonly key: string;
  readonly agent: string;
  readonly hostClass: string;
  readonly host: Host['host'];
  /** The newest first; valid ones alone where there are some. */
  readonly results: readonly Measured[];
}

function entriesOf({ agent, runs }: AgentRuns): readonly Entry[] {
  const byKey = new Map<string, { run: MeasuredRun; result: Measured }[]>();
  for (const run of runs) {
    const { key: ofHost } = hostClassOf(run.host);
    for (const result of run.results) {
      const { model, variant, suite, measurement, scenario, device, settings } = result;
      const key = JSON.stringify([model, variant, suite, measurement, scenario, device, settings, ofHost]);
      byKey.set(key, [...(byKey.get(key) ?? []), { run, result }]);
    }
  }
  return [...byKey].flatMap(([key, found]) => {
    const [newest] = found;
    if (newest === undefined) return [];
    const valid = found.filter(({ result }) => result.valid);
    const chosen = valid.length > 0 ? valid : found;
    const { host } = newest.run;
    const { description: hostClass } = hostClassOf(host);
    return [{ key, agent, hostClass, host, results: chosen.map(({ result }) => result) }];
  });
}

function compareGroup(
  entries: readonly Entry[],
  { confidence = 0.95, minEffectRatio: smallest }: CompareHostsOptions,
): HostComparison {
  const basis = entries.every(({ results }) => results.length >= FEWEST_RUNS) ? 'runs' : 'rounds';
  const minEffectRatio = smallest ?? SMALLEST_EFFECT[basis];
  const sorted = entries
    .map((entry) => toContender(entry, basis))
    .toSorted((a, b) => a.seconds - b.seconds || a.agent.localeCompare(b.agent));
  const middle = sorted[Math.floor((sorted.length - 1) / 2)] as Contender;
  const isClosedLoop = CLOSED_LOOPS.includes(middle.results[0].scenario);
  const intervals = (entries.length - 1) * (isClosedLoop ? 2 : 1);
  const options = { confidence: 1 - (1 - confidence) / intervals, minEffectRatio };
  const { model, variant, suite, measurement, scenario, device, settings } = middle.results[0];
  return {
    ...{ model, variant, suite, measurement, scenario, device, settings },
    hostClass: middle.hostClass,
    reference: middle.agent,
    basis,
    hosts: sorted.map((contender) => ({
      agent: contender.agent,
      seconds: contender.seconds,
      runs: contender.results.length,
      valid: contender.valid,
      speedUp:
        contender === middle ? null : compareSeparateRuns(asResult(middle), asResult(contender), options),
      throughput:
        contender === middle || !isClosedLoop
          ? null
          : compareSeparateRuns(asThroughput(middle), asThroughput(contender), options),
      differences: [...ownReasons(contender), ...(contender === middle ? [] : unlike(contender, middle))],
    })),
  };
}

/** A host in a comparison, with the results that count. */
interface Contender extends Pick<Entry, 'agent' | 'hostClass' | 'host'> {
  readonly results: readonly [Measured, ...Measured[]];
  readonly valid: boolean;
  /** Of all results; of each run one process, where runs are what the interval is made of. */
  readonly rounds: Measured['rounds'];
  readonly seconds: number;
}

function toContender(
  { agent, hostClass, host, results: all }: Entry,
  basis: HostComparison['basis'],
): Contender {
  const [newest] = all as [Measured, ...Measured[]];
  const results = basis === 'rounds' ? ([newest] as const) : (all as [Measured, ...Measured[]]);
  const rounds =
    basis === 'rounds'
      ? newest.rounds
      : results.flatMap((result, run) => result.rounds.map((round) => ({ ...round, process: run })));
  const isOffline = comparedMetric(newest) === 'throughput';
  const logs = rounds.map((of) => (isOffline ? -Math.log(of.throughput) : Math.log(of.medianSeconds)));
  const valid = results.every((result) => result.valid);
  return { agent, hostClass, host, results, valid, rounds, seconds: Math.exp(mean(logs)) };
}

function asResult({ agent, results: [{ scenario }], valid, rounds }: Contender): ComparableResult {
  return { variant: agent, scenario, valid, rounds };
}

/** Rounds are then compared by their throughput. */
function asThroughput(contender: Contender): ComparableResult {
  return { ...asResult(contender), scenario: 'offline' };
}

/** What one of the two comparisons of a host claims. */
export function isSlower({ speedUp, throughput }: HostStanding): boolean {
  return speedUp?.outcome === 'slower' || throughput?.outcome === 'slower';
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** What a host's own results say against it: those of its newest run, as each run says it with other figures. */
function ownReasons({ results: [newest] }: Contender): readonly string[] {
  return newest.invalidReasons;
}

/** Work of others below this many cores is what every host has. */
const NOTABLE_CORES = 0.1;

function unlike(entry: Contender, reference: Contender): readonly string[] {
  const [own] = entry.results;
  const [other] = reference.results;
  const cores = otherCores(entry);
  const there = otherCores(reference);
  const isBusier = cores !== null && there !== null && cores - there > NOTABLE_CORES;
  return [
    ...differencesWithin(entry.host, reference.host),
    ...(own.sizeBytes === other.sizeBytes
      ? []
      : [`another file: ${own.sizeBytes} bytes instead of ${other.sizeBytes}`]),
    ...(isBusier ? [`other work took ${cores.toFixed(2)} cores instead of ${(there ?? 0).toFixed(2)}`] : []),
  ];
}

/** Average cores that anything else took; null where nobody looked. */
function otherCores({ rounds }: Contender): number | null {
  const seen = rounds.flatMap(({ otherCpuCores }) => otherCpuCores ?? []);
  return seen.length === 0 ? null : mean(seen);
}
