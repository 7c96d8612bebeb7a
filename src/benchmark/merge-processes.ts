import { mergeOutputChecks } from './output-check.ts';
import type { WarmUpResult } from './steady-state.ts';
import type { SutUsage, VariantRecord } from './variant-record.ts';

/**
 * One record of several processes of a variant, in the order in which they ran: the rounds of all, the load and the warm-up
 * of the first, though an unsteady warm-up of any, the highest peaks of memory, the CPU time of all, the first failure.
 * @param records at least one
 */
export function mergeProcesses(records: readonly VariantRecord[]): VariantRecord {
  const [first] = records;
  if (first === undefined) throw new RangeError('there is nothing to merge');
  return {
    identity: first.identity,
    loaded: records.find(({ loaded }) => loaded !== null)?.loaded ?? null,
    warmUp: mergedWarmUp(records.flatMap(({ warmUp }) => warmUp ?? [])),
    rounds: records.flatMap(({ rounds }) => rounds),
    usage: mergedUsage(records.flatMap(({ usage }) => usage ?? [])),
    failure: records.find(({ failure }) => failure !== null)?.failure ?? null,
  };
}

function mergedWarmUp(each: readonly WarmUpResult[]): WarmUpResult | null {
  return each.find(({ steady }) => !steady) ?? each[0] ?? null;
}

function mergedUsage(each: readonly SutUsage[]): SutUsage | null {
  const last = each.at(-1);
  if (last === undefined) return null;
  return {
    ...last,
    peakRssBytes: Math.max(...each.map(({ peakRssBytes }) => peakRssBytes)),
    peakGpuMemoryBytes: largestKnown(each.map(({ peakGpuMemoryBytes }) => peakGpuMemoryBytes)),
    arenaBytes: largestKnown(each.map(({ arenaBytes }) => arenaBytes)),
    cpuSeconds: each.reduce((total, { cpuSeconds }) => total + cpuSeconds, 0),
    outputCheck: mergeOutputChecks(each.map(({ outputCheck }) => outputCheck)),
  };
}

function largestKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}
