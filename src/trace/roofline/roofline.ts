import { type Arithmetic, type CallRoof, callRoof, type Peaks } from './peaks.ts';

/** Calls of an operator that do the same work. */
export interface EqualCalls {
  readonly op: string;
  /** What tells calls of an operator apart that people would not call the same, such as `3×3 depthwise`; or empty. */
  readonly form: string;
  /** The runtime's name of the execution provider. */
  readonly provider: string;
  readonly arithmetic: Arithmetic;
  readonly calls: number;
  /** Of all calls together. */
  readonly seconds: number;
  /** Of one call, a multiplication and an addition being two; null where nobody knows. */
  readonly flops: number | null;
  /** That one call reads and writes, each tensor once; null where nobody knows. */
  readonly bytes: number | null;
}

/** Runs of a model and what their kernels did. */
export interface WorkOfRuns {
  readonly runs: number;
  /** From the call of the model to its return, all runs together, profiled as they were. */
  readonly seconds: number;
  /** What as many runs take without a profile, where that was measured. */
  readonly plainSeconds?: number;
  readonly calls: readonly EqualCalls[];
}

/**
 * What keeps an operator from being faster: the arithmetic, the memory, or neither of them (`overhead`): the call itself, threads
 * that wait for each other, or a kernel that does not use the processor well.
 */
export type Bound = 'compute' | 'memory' | 'overhead';

/** Work of one run, and how near it came to what the host can do. */
export interface WorkUnderRoof {
  readonly secondsPerRun: number;
  /** Null where it is known of no part of the work. */
  readonly flopsPerRun: number | null;
  readonly bytesPerRun: number | null;
  /** FLOP per byte, of the part of the work of which both are known. */
  readonly intensity: number | null;
  readonly flopsPerSecond: number | null;
  readonly bytesPerSecond: number | null;
  /** What the same work takes at the roof; null where no peaks are known of who did it. */
  readonly roofSecondsPerRun: number | null;
  /** Share of the roof that was reached: `roofSecondsPerRun / secondsPerRun`. */
  readonly roofRatio: number | null;
}

/** All calls of an operator in one form, on one provider and in one kind of arithmetic. */
export interface OperatorUnderRoof extends WorkUnderRoof {
  readonly op: string;
  readonly form: string;
  readonly provider: string;
  readonly arithmetic: Arithmetic;
  readonly callsPerRun: number;
  /** Of the time of all kernels. */
  readonly timeRatio: number;
  readonly bound: Bound;
  /** The memory that most of its bytes come from, by their amount a call; null without peaks. */
  readonly memory: string | null;
}

/** Where a model and its operators lie under the roofs of a host. */
export interface Roofline {
  readonly runs: number;
  /** By their time, the longest first. */
  readonly operators: readonly OperatorUnderRoof[];
  /** The whole run, without the profile where that was measured: kernels and what lies between them. */
  readonly model: WorkUnderRoof & {
    /** Time of a profiled run in which no kernel ran. */
    readonly outsideKernelsSeconds: number;
    /** Shares of the time of all kernels, by what bounds their operator. */
    readonly timeRatioByBound: Readonly<Record<Bound, number>>;
  };
}

/** What reaches less of both roofs is bound by neither: three quarters of its time are spent otherwise. */
const OVERHEAD_BELOW_RATIO = 0.25;

/**
 * Holds what operators did against what the host can do. Each call has the roof of its own size: it takes at least as long as
 * its arithmetic at the peak rate and as moving its bytes from the nearest memory that holds them all; times at the roof are
 * added up. Whether an operator is bound by arithmetic or memory is which of the two sums is larger.
 * Source: S. Williams, A. Waterman, D. Patterson, "Roofline", CACM 52 (2009); with one slope a cache, as A. Ilic,
 * F. Pratas, L. Sousa, "Cache-aware roofline model", IEEE CAL 13 (2014).
 * @param peaksOf the peaks of the device behind a provider, where they are known
 */
export function rooflineOf(
  { runs, seconds, plainSeconds = seconds, calls }: WorkOfRuns,
  peaksOf: (provider: string) => Peaks | undefined,
): Roofline {
  const kernelSeconds = sum(calls, (of) => of.seconds);
  const operators = groupsOf(calls)
    .map((group) => operatorUnderRoof(group, runs, kernelSeconds, peaksOf))
    .sort((a, b) => b.secondsPerRun - a.secondsPerRun);
  const ratioBoundBy = (bound: Bound) => sum(operators, (of) => (of.bound === bound ? of.timeRatio : 0));
  return {
    runs,
    operators,
    model: {
      ...underRoof(
        calls,
        runs,
        plainSeconds,
        sumOfKnown(operators, ({ roofSecondsPerRun }) => roofSecondsPerRun),
      ),
      outsideKernelsSeconds: Math.max(0, seconds - kernelSeconds) / runs,
      timeRatioByBound: {
        compute: ratioBoundBy('compute'),
        memory: ratioBoundBy('memory'),
        overhead: ratioBoundBy('overhead'),
      },
    },
  };
}

function groupsOf(calls: readonly EqualCalls[]): readonly (readonly EqualCalls[])[] {
  const groups = new Map<string, EqualCalls[]>();
  for (const equal of calls) {
    const key = JSON.stringify([equal.op, equal.form, equal.provider, equal.arithmetic]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [equal]);
    else group.push(equal);
  }
  return [...groups.values()];
}

function operatorUnderRoof(
  group: readonly EqualCalls[],
  runs: number,
  kernelSeconds: number,
  peaksOf: (provider: string) => Peaks | undefined,
): OperatorUnderRoof {
  const { op, form, provider, arithmetic } = group[0] as EqualCalls;
  const peaks = peaksOf(provider);
  const roof = peaks === undefined ? null : roofOf(group, peaks);
  const seconds = sum(group, (of) => of.seconds);
  const work = underRoof(group, runs, seconds, roof === null ? null : roof.seconds / runs);
  return {
    op,
    form,
    provider,
    arithmetic,
    callsPerRun: sum(group, ({ calls }) => calls) / runs,
    ...work,
    timeRatio: kernelSeconds === 0 ? 0 : seconds / kernelSeconds,
    bound: boundOf(roof, work.roofRatio),
    memory: roof?.memory ?? null,
  };
}

function roofOf(group: readonly EqualCalls[], peaks: Peaks): CallRoof {
  const bytesByMemory = new Map<string, number>();
  let [seconds, computeSeconds, memorySeconds] = [0, 0, 0];
  for (const equal of group) {
    const roof = callRoof(equal, peaks);
    computeSeconds += equal.calls * roof.computeSeconds;
    memorySeconds += equal.calls * roof.memorySeconds;
    seconds += equal.calls * roof.seconds;
    const bytes = equal.calls * (equal.bytes ?? 0);
    bytesByMemory.set(roof.memory, (bytesByMemory.get(roof.memory) ?? 0) + bytes);
  }
  const [most] = [...bytesByMemory].sort(([, a], [, b]) => b - a);
  return { seconds, computeSeconds, memorySeconds, memory: most?.[0] as string };
}

function boundOf(roof: CallRoof | null, roofRatio: number | null): Bound {
  if (roof === null || roofRatio === null || roofRatio < OVERHEAD_BELOW_RATIO) return 'overhead';
  return roof.computeSeconds >= roof.memorySeconds ? 'compute' : 'memory';
}

/** @param seconds of all runs together */
function underRoof(
  calls: readonly EqualCalls[],
  runs: number,
  seconds: number,
  roofSecondsPerRun: number | null,
): WorkUnderRoof {
  const flops = sumOfKnown(calls, (of) => (of.flops === null ? null : of.calls * of.flops));
  const bytes = sumOfKnown(calls, (of) => (of.bytes === null ? null : of.calls * of.bytes));
  const both = calls.filter((of) => of.flops !== null && of.bytes !== null);
  const bytesOfBoth = sum(both, (of) => of.calls * (of.bytes ?? 0));
  const secondsPerRun = seconds / runs;
  const rateOfAll = (amount: number | null) => (amount === null || seconds === 0 ? null : amount / seconds);
  return {
    secondsPerRun,
    flopsPerRun: flops === null ? null : flops / runs,
    bytesPerRun: bytes === null ? null : bytes / runs,
    intensity: bytesOfBoth === 0 ? null : sum(both, (of) => of.calls * (of.flops ?? 0)) / bytesOfBoth,
    flopsPerSecond: rateOfAll(flops),
    bytesPerSecond: rateOfAll(bytes),
    roofSecondsPerRun,
    roofRatio: roofSecondsPerRun === null || seconds === 0 ? null : roofSecondsPerRun / secondsPerRun,
  };
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

/** Null where nothing is known. */
function sumOfKnown<T>(items: readonly T[], of: (item: T) => number | null): number | null {
  const known = items.flatMap((item) => of(item) ?? []);
  return known.length === 0 ? null : sum(known, (value) => value);
}

/** `Conv 3×3 depthwise`. */
export function operatorName({ op, form }: Pick<EqualCalls, 'op' | 'form'>): string {
  return form === '' ? op : `${op} ${form}`;
}
