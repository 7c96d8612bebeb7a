import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { formatSeconds } from '../core/units.ts';

/** One counter of energy: that of a processor package, or of an accelerator. */
export interface EnergyCounter {
  /** What it counts for, such as `package-0`; unique within its source. */
  readonly domain: string;
  readonly joules: number;
  /** Where it begins anew at zero. Absent for one that does not within the life of a host. */
  readonly wrapJoules?: number;
}

/** All counters of a source at one moment. */
export interface EnergyReading {
  /** Monotonic. */
  readonly atNs: bigint;
  readonly counters: readonly EnergyCounter[];
}

/** Something that counts energy: the processor packages by RAPL, GPUs by NVML. */
export interface EnergySource {
  /** Stable, such as `rapl-package`. */
  readonly name: string;
  read(): Result<EnergyReading, Problem>;
}

/** What was used between two readings. */
export interface EnergyInterval {
  readonly joules: number;
  readonly durationNs: number;
  readonly joulesByDomain: Readonly<Record<string, number>>;
}

/** More than any package draws today (500 W) twice over; only used to tell how fast a counter can come round. */
const MAX_DOMAIN_WATTS = 1000;

/**
 * The energy from one reading to the next, over all domains. `energy-unknown` where the domains are not the same, where time
 * did not go on, and where a counter may have come round more than once: at 1 kW one of RAPL (262 kJ) needs 262 s, so it
 * has to be read at least that often, and the intervals added with `addEnergy`.
 */
export function energyBetween(
  before: EnergyReading,
  after: EnergyReading,
): Result<EnergyInterval, Problem<'energy-unknown'>> {
  const durationNs = Number(after.atNs - before.atNs);
  if (durationNs <= 0) return unknown('the second reading is not later than the first');
  const earlier = new Map(before.counters.map((counter) => [counter.domain, counter]));
  const joulesByDomain: Record<string, number> = {};
  let joules = 0;
  for (const { domain, joules: now, wrapJoules } of after.counters) {
    const counter = earlier.get(domain);
    if (counter === undefined) return unknown(`${domain} was not there at the first reading`);
    earlier.delete(domain);
    if (wrapJoules !== undefined && (durationNs / 1e9) * MAX_DOMAIN_WATTS >= wrapJoules) {
      return unknown(
        `in ${formatSeconds(durationNs / 1e9)} the counter of ${domain} may have come round more than once`,
      );
    }
    const difference = now - counter.joules;
    if (difference < 0 && wrapJoules === undefined) return unknown(`the counter of ${domain} fell`);
    const used = difference < 0 ? difference + (wrapJoules as number) : difference;
    joulesByDomain[domain] = used;
    joules += used;
  }
  const [gone] = earlier.keys();
  if (gone !== undefined) return unknown(`${gone} was not there at the second reading`);
  return ok({ joules, durationNs, joulesByDomain });
}

/** Intervals of the same source, one after another or with others in between, as one. */
export function addEnergy(intervals: readonly EnergyInterval[]): EnergyInterval {
  const joulesByDomain: Record<string, number> = {};
  let joules = 0;
  let durationNs = 0;
  for (const interval of intervals) {
    joules += interval.joules;
    durationNs += interval.durationNs;
    for (const [domain, used] of Object.entries(interval.joulesByDomain)) {
      joulesByDomain[domain] = (joulesByDomain[domain] ?? 0) + used;
    }
  }
  return { joules, durationNs, joulesByDomain };
}

/** Energy of a measurement. What is above idling stands beside the whole, never in its place. */
export interface EnergyFigures {
  readonly joules: number;
  /** The metric of MLPerf Power for the server and offline scenarios. */
  readonly meanWatts: number;
  /** The metric of MLPerf Power for single-stream and multi-stream; null without queries. */
  readonly millijoulesPerQuery: number | null;
  /** What the same domains drew before the benchmark; null where it was not measured. */
  readonly idleWatts: number | null;
  /** `joules` less what idling would have taken in the same time. Negative where the host did not idle when it should have. */
  readonly aboveIdleJoules: number | null;
  readonly aboveIdleMillijoulesPerQuery: number | null;
  /** What `joules` is the sum of, such as `package-0`, or a GPU by its UUID. */
  readonly joulesByDomain: Readonly<Record<string, number>>;
}

/**
 * MLPerf Power (Tschand et al., arXiv 2410.12032; its rules for inference): mean power times the time, through the number of
 * queries. Joules are counted here, so power is their quotient with the time.
 * @param idle  an interval in which nothing of ours ran; what it counts besides is left out
 */
export function energyFigures(
  used: EnergyInterval,
  queries: number,
  idle: EnergyInterval | null = null,
): EnergyFigures {
  const perQuery = (joules: number | null) =>
    joules === null || queries === 0 ? null : (joules * 1e3) / queries;
  const idleWatts = idle === null ? null : wattsOfDomains(idle, Object.keys(used.joulesByDomain));
  const aboveIdleJoules = idleWatts === null ? null : used.joules - (idleWatts * used.durationNs) / 1e9;
  return {
    joules: used.joules,
    meanWatts: wattsOf(used),
    millijoulesPerQuery: perQuery(used.joules),
    idleWatts,
    aboveIdleJoules,
    aboveIdleMillijoulesPerQuery: perQuery(aboveIdleJoules),
    joulesByDomain: used.joulesByDomain,
  };
}

function wattsOf({ joules, durationNs }: EnergyInterval): number {
  return (joules * 1e9) / durationNs;
}

/** Null where one of them was not counted. */
function wattsOfDomains({ joulesByDomain, durationNs }: EnergyInterval, domains: readonly string[]) {
  let joules = 0;
  for (const domain of domains) {
    const taken = joulesByDomain[domain];
    if (taken === undefined) return null;
    joules += taken;
  }
  return (joules * 1e9) / durationNs;
}

function unknown(why: string) {
  return err(problem('energy-unknown', `the energy is not known: ${why}`));
}
