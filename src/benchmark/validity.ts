import { formatSeconds } from '../core/units.ts';
import { minimumQueries } from './early-stopping.ts';
import { contaminationReasons } from './host-conditions.ts';
import type { RoundResult } from './round-result.ts';
import { samplingReasons } from './round-sampling.ts';
import { isScheduled, judgedPermille } from './scenario.ts';
import type { ScheduleSummary } from './schedule-summary.ts';
import type { BenchSettings } from './settings.ts';
import type { VariantRecord } from './variant-record.ts';

// In a closed loop on the CPU there is always a query under way, so the process must get about one core at least.
const MIN_CPU_SHARE = 0.8;

/** Average cores that other work took during these rounds; null unless every one of them was watched. */
export function otherCpuCores(rounds: readonly RoundResult[]): number | null {
  let otherSeconds = 0;
  let durationNs = 0;
  for (const round of rounds) {
    if (round.otherCpuSeconds === undefined) return null;
    otherSeconds += round.otherCpuSeconds;
    durationNs += round.durationNs;
  }
  return durationNs === 0 ? null : (otherSeconds * 1e9) / durationNs;
}

/**
 * Why a measurement cannot be taken at its word, as sentences. Its figures are kept all the same.
 * @param schedule of its rounds; null where there is none
 */
export function reasonsForInvalidity(
  record: VariantRecord,
  settings: BenchSettings,
  schedule: ScheduleSummary | null,
): string[] {
  const { failure, warmUp, rounds } = record;
  const reasons: string[] = [];
  if (failure !== null) {
    const whole = rounds.filter(({ complete }) => complete).length;
    const done = `${whole} of ${settings.rounds} rounds were measured whole`;
    reasons.push(`${failure.message} (${done})`);
  }
  if (record.captured === true) {
    reasons.push('A trace was captured while it was measured, which takes time and memory of the models');
  }
  if (warmUp !== null && !warmUp.steady) {
    reasons.push(
      `The warm-up was unstable: after ${formatSeconds(warmUp.durationNs / 1e9)} the last three windows still ` +
        'differed by more than 10 % in throughput or median latency',
    );
  }
  reasons.push(...tooLittleMeasured(rounds, settings), ...(schedule?.problems ?? []));
  reasons.push(...reasonsFromUsage(record), ...contaminated(rounds));
  const cores = otherCpuCores(rounds);
  if (cores !== null && cores > settings.maxOtherCpuCores) {
    reasons.push(
      `Other work on the host took ${cores.toFixed(2)} CPU cores on average, more than the ` +
        `${settings.maxOtherCpuCores} allowed`,
    );
  }
  // Where queries come by a schedule, the system may be idle as long as it likes.
  if (record.identity.device === 'cpu' && !isScheduled(settings.scenario)) reasons.push(...starved(rounds));
  return reasons;
}

/** What came to light when all was measured: other outputs than without load, another device than the one named. */
export function reasonsFromUsage(record: Pick<VariantRecord, 'identity' | 'usage'>): string[] {
  return [...otherOutputs(record.usage), ...notOnDevice(record)];
}

function starved(rounds: readonly RoundResult[]): string[] {
  const measured = rounds.filter((round) => round.cpuSeconds !== undefined);
  const cpuSeconds = measured.reduce((total, round) => total + (round.cpuSeconds ?? 0), 0);
  const seconds = measured.reduce((total, round) => total + round.durationNs, 0) / 1e9;
  if (measured.length === 0 || cpuSeconds >= seconds * MIN_CPU_SHARE) return [];
  const share = ((cpuSeconds / seconds) * 100).toFixed(0);
  return [`The process got ${share} % of one CPU core although it was never idle: the host was too busy`];
}

function tooLittleMeasured(rounds: readonly RoundResult[], settings: BenchSettings): string[] {
  const queries = rounds.reduce((total, round) => total + round.latencyNs.length, 0);
  const seconds = rounds.reduce((total, round) => total + round.durationNs, 0) / 1e9;
  const reasons: string[] = [];
  if (isScheduled(settings.scenario)) {
    reasons.push(...unfinished(rounds));
  } else if (seconds < settings.minDurationSeconds) {
    const expected = formatSeconds(settings.minDurationSeconds);
    reasons.push(`Measured for ${formatSeconds(seconds)}, less than the minimum of ${expected}`);
  }
  if (queries < settings.minQueries && settings.scenario !== 'replay') {
    reasons.push(`Measured ${queries} queries, fewer than the minimum of ${settings.minQueries}`);
  }
  const permille = judgedPermille(settings.scenario);
  if (permille !== null && queries < minimumQueries(permille)) {
    reasons.push(
      `${queries} queries are too few for the ${permille / 10}th percentile, which takes ${minimumQueries(permille)}`,
    );
  }
  return reasons;
}

/** Queries of a schedule that were not worked off when the time was up: their latency would have been the longest of all. */
function unfinished(rounds: readonly RoundResult[]): string[] {
  const planned = rounds.reduce((total, { plannedRuns }) => total + (plannedRuns ?? 0), 0);
  const missing = rounds.reduce(
    (total, { plannedRuns, runs }) => total + Math.max(0, (plannedRuns ?? 0) - runs.run.length),
    0,
  );
  return missing === 0 ? [] : [`${missing} of ${planned} queries were not completed in the time allowed`];
}

/** A model that computes something else under load is not measured at what it is for. */
function otherOutputs(usage: VariantRecord['usage']): string[] {
  const { compared = 0, mismatches = [] } = usage?.outputCheck ?? {};
  const [first] = mismatches;
  if (first === undefined) return [];
  return [
    `${mismatches.length} of ${compared} outputs that were looked at differ from those of a run without load; ` +
      `'${first.output}' of feed ${first.sample}: ${first.reason}`,
  ];
}

/** A result that names a device says something about that device, or it is invalid. */
export function notOnDevice({ identity, usage }: Pick<VariantRecord, 'identity' | 'usage'>): string[] {
  const { fellBack = [], isSoftware = false } = usage?.placement ?? {};
  const [first] = fellBack;
  const reasons = isSoftware ? [`${identity.device} computed on the processor: there is no such device`] : [];
  if (first === undefined) return reasons;
  return [
    ...reasons,
    `${fellBack.length} ${fellBack.length === 1 ? 'node' : 'nodes'} did not run on ${identity.device}, the first of them ${first.node} (${first.op}, ` +
      `${first.provider})`,
  ];
}

/** What the host did to rounds, a sentence for each kind of thing. */
function contaminated(rounds: readonly RoundResult[]): string[] {
  const said = new Map<string, { readonly sentence: string; count: number }>();
  for (const { conditions, durationNs, sampling } of rounds) {
    const sentences = [
      ...(conditions === undefined
        ? []
        : contaminationReasons(conditions.before, conditions.after, durationNs)),
      ...samplingReasons(sampling),
    ];
    for (const sentence of sentences) {
      // Sentences of one kind differ in their figures alone.
      const kind = sentence.replace(/[\d.,]+/g, '#');
      const known = said.get(kind);
      if (known === undefined) said.set(kind, { sentence, count: 1 });
      else known.count += 1;
    }
  }
  return [...said.values()].map(({ sentence, count }) =>
    rounds.length === 1 ? sentence : `In ${count} of ${rounds.length} rounds: ${sentence}`,
  );
}
