import { mergeOutputChecks } from '../output-check.ts';
import type { WarmUpResult } from '../steady-state.ts';
import type { SutUsage, VariantRecord } from '../variant-record.ts';

/**
 * One record of repetitions that each had a process of their own and one round: rounds have the numbers of their
 * repetitions, peak memory is the highest, and the warm-up is steady where every one was.
 * @param records at least one, with the number of the repetition
 */
export function mergeRepetitions(
  records: readonly { readonly repetition: number; readonly record: VariantRecord }[],
): VariantRecord {
  const each = records.map(({ record }) => record);
  const last = each.at(-1);
  if (last === undefined) throw new RangeError('there is nothing to merge');
  return {
    identity: last.identity,
    loaded: each.findLast(({ loaded }) => loaded !== null)?.loaded ?? null,
    warmUp: mergedWarmUp(each.flatMap(({ warmUp }) => warmUp ?? [])),
    rounds: records.flatMap(({ repetition, record }) =>
      record.rounds.map((round) => ({ ...round, index: repetition })),
    ),
    usage: mergedUsage(each.flatMap(({ usage }) => usage ?? [])),
    failure: each.find(({ failure }) => failure !== null)?.failure ?? null,
  };
}

function mergedWarmUp(each: readonly WarmUpResult[]): WarmUpResult | null {
  const last = each.at(-1);
  if (last === undefined) return null;
  return { ...last, steady: each.every(({ steady }) => steady) };
}

function mergedUsage(each: readonly SutUsage[]): SutUsage | null {
  const last = each.at(-1);
  if (last === undefined) return null;
  return {
    ...last,
    peakRssBytes: Math.max(...each.map(({ peakRssBytes }) => peakRssBytes)),
    cpuSeconds: each.reduce((total, { cpuSeconds }) => total + cpuSeconds, 0),
    outputCheck: mergeOutputChecks(each.map(({ outputCheck }) => outputCheck)),
  };
}
