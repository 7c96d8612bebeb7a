import { PROVIDER_OF } from '../runtime/nodes-by-provider.ts';
import type { ProfileColumns } from '../runtime/profile/profile-columns.ts';
import type { TracePart } from '../trace/trace-part.ts';
import type { TracedModel, TracedOperator } from './trace-task.ts';

/** What a traced session left, read. */
export interface ReadPart {
  readonly part: TracePart;
  readonly events: ProfileColumns | undefined;
  /** Floating-point operations of one call of a kind; null where nobody knows. */
  readonly flopsOf: (kind: number) => number | null;
}

/** Their time is that of the nodes in their bodies, which the runtime lists besides. */
const HOLD_OTHERS = new Set(['If', 'Loop', 'Scan']);

interface OperatorSum {
  calls: number;
  seconds: number;
  /** Of the calls whose work is known. */
  flops: number;
  knownSeconds: number;
}

/** What the operators of each model took on each device, the parts of its lanes together, in the order in which they come first. */
export function summarizeOperators(parts: readonly ReadPart[]): readonly TracedModel[] {
  return groupsOf(parts).map((own) => {
    const { modelId, device } = (own[0] as ReadPart).part;
    const sums = new Map<string, OperatorSum>();
    for (const part of own) addOperators(part, sums);
    const operatorSeconds = [...sums.values()].reduce((total, { seconds }) => total + seconds, 0);
    const operators = [...sums].map(
      ([op, { calls, seconds, flops, knownSeconds }]): TracedOperator => ({
        op,
        calls,
        seconds,
        timeRatio: operatorSeconds === 0 ? 0 : seconds / operatorSeconds,
        flopsPerSecond: knownSeconds === 0 ? null : flops / knownSeconds,
      }),
    );
    operators.sort((a, b) => b.seconds - a.seconds);
    return {
      modelId,
      device,
      requests: own.reduce((total, { part }) => total + part.startsNs.length - part.firstRequest, 0),
      operatorSeconds,
      deviceKernels: own.reduce((total, { events }) => total + countKernels(events), 0),
      operators,
    };
  });
}

function groupsOf(parts: readonly ReadPart[]): readonly (readonly ReadPart[])[] {
  const groups = new Map<string, ReadPart[]>();
  for (const read of parts) {
    const { modelId, device } = read.part;
    const key = JSON.stringify([modelId, device]);
    groups.set(key, [...(groups.get(key) ?? []), read]);
  }
  return [...groups.values()];
}

/** Runs that warmed the session up are left out. */
function addOperators({ part, events, flopsOf }: ReadPart, sums: Map<string, OperatorSum>): void {
  if (events === undefined) return;
  const fromUs = endOfWarmUpUs(events, part.firstRequest);
  for (let row = 0; row < events.count; row++) {
    const place = events.kinds[row] as number;
    const kind = events.kindList[place];
    if (kind?.category !== 'node' || HOLD_OTHERS.has(kind.op)) continue;
    if ((events.startsUs[row] as number) < fromUs) continue;
    const sum = sums.get(kind.op) ?? { calls: 0, seconds: 0, flops: 0, knownSeconds: 0 };
    sums.set(kind.op, sum);
    const seconds = (events.durationsUs[row] as number) / 1e6;
    // Elsewhere the time is that of handing the work over.
    const flops = kind.provider === PROVIDER_OF.cpu ? flopsOf(place) : null;
    sum.calls += 1;
    sum.seconds += seconds;
    if (flops === null) continue;
    sum.flops += flops;
    sum.knownSeconds += seconds;
  }
}

function countKernels(events: ProfileColumns | undefined): number {
  if (events === undefined) return 0;
  let kernels = 0;
  for (let row = 0; row < events.count; row++) {
    if (events.kindList[events.kinds[row] as number]?.category === 'kernel') kernels += 1;
  }
  return kernels;
}

/** When the last of so many runs ended. */
function endOfWarmUpUs(
  { count, kinds, kindList, startsUs, durationsUs }: ProfileColumns,
  runs: number,
): number {
  let seen = 0;
  for (let row = 0; row < count && seen < runs; row++) {
    const kind = kindList[kinds[row] as number];
    if (kind?.category !== 'session' || kind.name !== 'model_run') continue;
    seen += 1;
    if (seen === runs) return (startsUs[row] as number) + (durationsUs[row] as number);
  }
  return 0;
}
