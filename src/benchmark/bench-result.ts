import type { Scenario } from '../core/bench-terms.ts';
import { concatenated } from './concatenated.ts';
import { geometricMeanInterval } from './confidence-interval.ts';
import { addEnergy, type EnergyFigures, energyFigures } from './energy.ts';
import { unobservedConditions } from './host-conditions.ts';
import { independentFigures } from './independent-figures.ts';
import {
  countOutliers,
  type LatencySummary,
  type OutlierCounts,
  sortedCopy,
  summarizeLatencies,
} from './latency-statistics.ts';
import type { OutputCheckReport } from './output-check.ts';
import type { ContextSwitches, RoundResult } from './round-result.ts';
import { joinSampling, type RoundSampling } from './round-sampling.ts';
import { type ScheduleSummary, summarizeSchedule } from './schedule-summary.ts';
import type { BenchSettings } from './settings.ts';
import {
  createLatencyHistogram,
  histogramToPlain,
  type PlainHistogram,
  recordLatency,
} from './statistics/latency-histogram.ts';
import { percentileInterval } from './statistics/percentile-interval.ts';
import { type ServerVerdict, serverVerdict } from './statistics/server-verdict.ts';
import type { TraceCost } from './traced-pass.ts';
import { otherCpuCores, reasonsForInvalidity } from './validity.ts';
import type { ProviderUse, SutIdentity, VariantRecord } from './variant-record.ts';

export interface RoundSummary {
  readonly round: number;
  /** Which of the variant's processes measured it, from 0. */
  readonly process: number;
  readonly durationSeconds: number;
  readonly queries: number;
  readonly medianSeconds: number;
  /** Samples per second. */
  readonly throughput: number;
  /** Average cores that anything else took; null where it was not measured. */
  readonly otherCpuCores: number | null;
}

/** One variant's result, ready for JSON. */
export interface BenchResult extends SutIdentity {
  readonly scenario: Scenario;
  readonly valid: boolean;
  /** Sentences; empty when valid. */
  readonly invalidReasons: readonly string[];
  /** Measured calls of the system. In the offline scenario each round is one query of MLPerf's and this counts its runs. */
  readonly queries: number;
  readonly samples: number;
  /** Time spent measuring, warm-up and lead-ins left out. */
  readonly durationSeconds: number;
  /** Sessions that ran side by side. */
  readonly concurrency: number;
  /** Samples of one run of the model. */
  readonly batch: number;
  /** From a query's due moment to its completion; in the offline scenario, of one run. Null when nothing was measured. */
  readonly latencySeconds: LatencySummary | null;
  /** Without the time spent waiting; null in closed-loop scenarios, where no query waits and latency is service time. */
  readonly serviceTimeSeconds: LatencySummary | null;
  /** 95 % intervals of percentiles, which allow for queries that depend on those before them. */
  readonly latencyIntervalsSeconds: LatencyIntervals;
  /** Counts of all latencies; histograms of several results can be added up. */
  readonly latencyHistogram: PlainHistogram;
  /** Null where queries do not come by a schedule. */
  readonly schedule: ScheduleSummary | null;
  /** Whether a percentile stays within the bound that was asked for; null where none was. */
  readonly bound: ServerVerdict | null;
  /**
   * Outputs taken at random while it was measured, held against those of a session that nobody measured (MLPerf's TEST01);
   * null where it did not come to that.
   */
  readonly outputCheck: OutputCheckReport | null;
  /** What it takes until the model is at its speed; null where it could not be loaded. */
  readonly coldStart: ColdStart | null;
  /** 95 % interval of a round's median latency, from the scatter between processes, with fewer than three of them between rounds; null for fewer than two rounds. */
  readonly medianIntervalSeconds: { readonly lower: number; readonly upper: number } | null;
  /** Samples per second of measuring. */
  readonly throughput: number | null;
  readonly outliers: OutlierCounts;
  readonly warmup: { readonly queries: number; readonly seconds: number; readonly steady: boolean } | null;
  readonly rounds: readonly RoundSummary[];
  readonly peakRssBytes: number | null;
  /**
   * The most memory of GPUs, all of them together, that a process of the variant was seen to hold at once; of several processes the
   * largest. Null where nobody read the GPUs meanwhile, the process was on none, or the driver does not tell whose memory it is.
   */
  readonly peakGpuMemoryBytes: number | null;
  /**
   * What the arena of one session of the device's provider had from the system at most. Of a session that was profiled after all was
   * measured, for two runs of the first feed: the runtime tells it in profiles alone. Null where it does not tell.
   */
  readonly arenaBytes: number | null;
  /** User and system CPU time during `durationSeconds`; null where it was not measured. */
  readonly cpuSeconds: number | null;
  /** During `durationSeconds`; null where they were not counted. */
  readonly contextSwitches: ContextSwitches | null;
  /** Null where nothing counts energy. */
  readonly energy: EnergyFigures | null;
  /** The CPUs that the process could run on, as a CPU list. */
  readonly cpus: string | null;
  /** Who really ran the nodes; null where the runtime gave no profile. */
  readonly placement: ProviderUse | null;
  /** What tracing cost where queries were traced, none of those that are counted here; null where none were. */
  readonly trace: TraceSummary | null;
  /** How often the host was sampled while it was measured; null where it was not. */
  readonly sampling: RoundSampling | null;
  /** What nobody could watch on this host while it was measured, as phrases. */
  readonly notObserved: readonly string[];
}

export interface TraceSummary extends TraceCost {
  /** What the traced session took besides the measured one; in no other figure. Null where the kernel does not tell. */
  readonly extraRssBytes: number | null;
  /** The trace's name in viewers, and its file for TensorFlow's profiler; absent before it is made. */
  readonly run?: string;
  readonly path?: string;
}

export interface ColdStart {
  /** Loading the runtime and the model, until every session was made. `cold-start` measures the process as well. */
  readonly loadSeconds: number;
  /** The first run of each distinct input shape; empty where there was none. */
  readonly firstInferenceSeconds: readonly number[];
}

type LatencyIntervals = Readonly<Record<'p50' | 'p90' | 'p99', LatencyInterval | null>>;

/** An end is null where the run does not bound the percentile on that side. */
interface LatencyInterval {
  readonly lower: number | null;
  readonly upper: number | null;
  /** As many independent latencies would tell as much. */
  readonly effectiveQueries: number;
}

const CONFIDENCE = 0.95;

/** The statistics and the validity of one variant's measurements. */
export function summarizeVariant(record: VariantRecord, settings: BenchSettings): BenchResult {
  const { identity, loaded, warmUp, rounds, usage } = record;
  const latencyNs = concatenated(rounds.map((round) => round.latencyNs));
  const sortedNs = sortedCopy(latencyNs);
  const summaries = rounds.map(summarizeRound);
  const durationSeconds = sum(rounds.map((round) => round.durationNs)) / 1e9;
  const samples = sum(rounds.map((round) => round.samples));
  const schedule = summarizeSchedule(rounds, settings.scenario);
  const invalidReasons = reasonsForInvalidity(record, settings, schedule);
  const serviceNs = rounds.flatMap((round) => round.serviceNs ?? []);
  const medians = independentFigures(
    summaries.map(({ process, medianSeconds }) => ({ process, value: medianSeconds })),
  );
  const median = geometricMeanInterval(medians.values, CONFIDENCE);
  return {
    ...identity,
    scenario: settings.scenario,
    valid: invalidReasons.length === 0,
    invalidReasons,
    queries: sortedNs.length,
    samples,
    durationSeconds,
    concurrency: settings.concurrency,
    batch: loaded?.samplesPerRun ?? 1,
    latencySeconds: summarizeLatencies(sortedNs),
    serviceTimeSeconds:
      serviceNs.length === 0 ? null : summarizeLatencies(sortedCopy(concatenated(serviceNs))),
    latencyIntervalsSeconds: {
      p50: latencyInterval(latencyNs, 500),
      p90: latencyInterval(latencyNs, 900),
      p99: latencyInterval(latencyNs, 990),
    },
    latencyHistogram: histogramOf(latencyNs),
    schedule,
    bound: boundVerdict(latencyNs, settings),
    outputCheck: usage?.outputCheck ?? null,
    coldStart:
      loaded === null
        ? null
        : {
            loadSeconds: loaded.loadSeconds,
            firstInferenceSeconds: (warmUp?.firstRunNs ?? []).map((ns) => ns / 1e9),
          },
    medianIntervalSeconds: median === null ? null : { lower: median.lower, upper: median.upper },
    throughput: durationSeconds === 0 ? null : samples / durationSeconds,
    outliers: countOutliers(sortedNs),
    warmup:
      warmUp === null
        ? null
        : { queries: warmUp.queries, seconds: warmUp.durationNs / 1e9, steady: warmUp.steady },
    rounds: summaries,
    peakRssBytes: usage?.peakRssBytes ?? null,
    peakGpuMemoryBytes: usage?.peakGpuMemoryBytes ?? null,
    arenaBytes: usage?.arenaBytes ?? null,
    cpuSeconds: measuredCpuSeconds(rounds),
    contextSwitches: contextSwitchesOf(rounds),
    energy: energyOf(record, sortedNs.length),
    cpus: usage?.cpus ?? null,
    placement: usage?.placement ?? null,
    trace: traceSummary(record),
    sampling: joinSampling(rounds),
    notObserved: unobserved(rounds),
  };
}

function traceSummary({ usage }: VariantRecord): TraceSummary | null {
  const cost = usage?.trace?.cost ?? null;
  return cost === null ? null : { ...cost, extraRssBytes: usage?.trace?.extraRssBytes ?? null };
}

function latencyInterval(latencyNs: Float64Array, permille: number): LatencyInterval | null {
  const interval = percentileInterval(latencyNs, permille, { confidence: CONFIDENCE });
  if (interval === null) return null;
  const seconds = (ns: number | null) => (ns === null ? null : ns / 1e9);
  const { lowerNs, upperNs, effectiveQueries } = interval;
  return { lower: seconds(lowerNs), upper: seconds(upperNs), effectiveQueries };
}

function histogramOf(latencyNs: Float64Array): PlainHistogram {
  const histogram = createLatencyHistogram();
  for (const latency of latencyNs) recordLatency(histogram, latency);
  return histogramToPlain(histogram);
}

function boundVerdict(
  latencyNs: Float64Array,
  { latencyBoundSeconds, latencyBoundPermille }: BenchSettings,
): ServerVerdict | null {
  if (latencyBoundSeconds === null || latencyNs.length === 0) return null;
  return serverVerdict(latencyNs, { boundNs: latencyBoundSeconds * 1e9, permille: latencyBoundPermille });
}

function summarizeRound(round: RoundResult): RoundSummary {
  const sorted = sortedCopy(round.latencyNs);
  const durationSeconds = round.durationNs / 1e9;
  return {
    round: round.index,
    process: round.process,
    durationSeconds,
    queries: sorted.length,
    medianSeconds: (sorted[Math.floor(sorted.length / 2)] as number) / 1e9,
    throughput: round.samples / durationSeconds,
    otherCpuCores: otherCpuCores([round]),
  };
}

function measuredCpuSeconds(rounds: readonly RoundResult[]): number | null {
  const measured = rounds.flatMap((round) => round.cpuSeconds ?? []);
  return measured.length === 0 || measured.length < rounds.length ? null : sum(measured);
}

/** Null unless every round has them. */
function contextSwitchesOf(rounds: readonly RoundResult[]): ContextSwitches | null {
  const each = rounds.flatMap(({ contextSwitches }) => contextSwitches ?? []);
  if (each.length === 0 || each.length < rounds.length) return null;
  return {
    voluntary: sum(each.map(({ voluntary }) => voluntary)),
    involuntary: sum(each.map(({ involuntary }) => involuntary)),
  };
}

/** Null unless the energy of every round is known. */
function energyOf({ rounds, loaded }: VariantRecord, queries: number): EnergyFigures | null {
  const each = rounds.flatMap(({ energy }) => energy ?? []);
  if (each.length === 0 || each.length < rounds.length) return null;
  return energyFigures(addEnergy(each), queries, loaded?.idleEnergy ?? null);
}

function unobserved(rounds: readonly RoundResult[]): readonly string[] {
  const conditions = rounds.at(-1)?.conditions;
  return conditions === undefined ? [] : unobservedConditions(conditions.after);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
