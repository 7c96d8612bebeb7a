import { type CollectorName, type CollectorTable, collectorNames } from './collectors/all.ts';
import { deadlineMsOf, type OpenCollector, type SamplerSource } from './collectors/collector.ts';

/** A collector in the process that runs it. */
export interface RunningCollector {
  readonly name: CollectorName;
  readonly create: () => OpenCollector<unknown>;
  /** Made by the first reading. */
  collect: OpenCollector<unknown> | undefined;
  readonly minIntervalNs: bigint;
  readonly deadlineMs: number;
  lastTickNs: bigint | undefined;
  /** It found nothing to read the last time. */
  isAbsent: boolean;
}

/** What a host does not have it seldom gets: so long it is not looked for again. */
const ABSENT_REST_NS = 10_000_000_000n;

/** The collectors of one process, none of them made yet: making one may hang as reading may. */
export function collectorsOf(table: CollectorTable, source: SamplerSource): readonly RunningCollector[] {
  return collectorNames(table).flatMap((name) => {
    const entry = table[name];
    if (entry?.source !== source) return [];
    const minIntervalNs = BigInt(Math.round((entry.minIntervalMs ?? 0) * 1e6));
    const deadlineMs = deadlineMsOf(entry);
    const { create } = entry;
    return [
      { name, create, collect: undefined, minIntervalNs, deadlineMs, lastTickNs: undefined, isAbsent: false },
    ];
  });
}

/** When the first of the collectors is due again that are not left out; undefined where there is none. */
export function nextDueNs(
  collectors: readonly RunningCollector[],
  leftOut: ReadonlySet<CollectorName>,
  intervalMs: number,
): bigint | undefined {
  let first: bigint | undefined;
  for (const collector of collectors) {
    if (leftOut.has(collector.name)) continue;
    const dueNs = dueNsOf(collector, intervalMs);
    if (dueNs === 0n) return dueNs;
    if (first === undefined || dueNs < first) first = dueNs;
  }
  return first;
}

export function isDue(collector: RunningCollector, tickNs: bigint, intervalMs: number): boolean {
  return tickNs >= dueNsOf(collector, intervalMs);
}

/** Notes that a collector read on a tick. */
export function ran(collector: RunningCollector, tickNs: bigint, isAbsent: boolean): void {
  collector.lastTickNs = tickNs;
  collector.isAbsent = isAbsent;
}

/** 0 where it reads on every tick. */
function dueNsOf({ lastTickNs, minIntervalNs, isAbsent }: RunningCollector, intervalMs: number): bigint {
  if (lastTickNs === undefined || (minIntervalNs === 0n && !isAbsent)) return 0n;
  const restNs = isAbsent && minIntervalNs < ABSENT_REST_NS ? ABSENT_REST_NS : minIntervalNs;
  // A tick may come a little early by comparison with one that was late; the next would be a whole period too late.
  return lastTickNs + restNs - BigInt(Math.round(intervalMs * 1e6)) / 2n;
}
