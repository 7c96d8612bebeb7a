import { type BenchResult, summarizeVariant } from './bench-result.ts';
import { compareResults, type SpeedUp } from './compare.ts';
import { type ProcessBlock, planBlocks } from './interleave.ts';
import { mergeProcesses } from './merge-processes.ts';
import {
  finish,
  getReady,
  newParticipant,
  type Participant,
  recordOf,
  type TurnControls,
  takeTurn,
} from './participant.ts';
import { roundSpec } from './plan-rounds.ts';
import { type BenchSettings, processCount } from './settings.ts';
import { type Contestant, cancelled } from './sut-handle.ts';
import type { SutIdentity, VariantRecord } from './variant-record.ts';

export interface BenchProgress {
  readonly stage: 'warm-up' | 'measure';
  /** The variant whose turn is next, or was the last. */
  readonly variant: string;
  readonly completedTurns: number;
  readonly totalTurns: number;
}

export interface BenchControls extends TurnControls {
  /** Whether systems were traced at some time between the two; what they did then is no measure of what they do otherwise. */
  readonly wasCaptured?: (startNs: bigint, endNs: bigint) => boolean;
  /** Ends all as soon as one variant has failed, for those who need all or nothing. */
  readonly stopAtFirstFailure?: boolean;
  /** Each variant is traced once, in its last process, when all of its rounds are measured. */
  readonly tracing?: BenchTracing;
  /** Called between turns only, while no system is measuring, at most once a second, and when the last turn is over. */
  readonly onProgress?: (progress: BenchProgress) => void;
}

export interface BenchTracing {
  /** To trace of each variant. */
  readonly queries: number;
  /** Wraps the pass of a variant, for whoever watches the host meanwhile. */
  readonly during?: (variant: string, work: () => Promise<void>) => Promise<void>;
}

export interface BenchRun {
  readonly cancelled: boolean;
  /** One per variant, in the order given. */
  readonly results: readonly BenchResult[];
  /** Every other variant against the first. */
  readonly speedUps: readonly SpeedUp[];
  /** The raw rounds, in the order of `results`. */
  readonly records: readonly VariantRecord[];
}

/** Tracing is to show what a model does, not to take long: of slow models and seldom queries fewer are traced. */
const MAX_TRACED_NS = 30e9;

const PROGRESS_INTERVAL_NS = 1_000_000_000n;

/**
 * Benchmarks variants against one another: starts and warms each up, lets them take turns in interleaved rounds, one at a
 * time, and summarizes. With several `processes` all are ended and started afresh in between, so that what a process has
 * for life (its CPU, its place in memory) becomes a part of the scatter and not of the result. A variant that fails, dies
 * or falls silent keeps what it measured, is marked invalid and loses its further turns; the others go on.
 */
export async function runBench(
  contestants: readonly Contestant[],
  settings: BenchSettings,
  controls: BenchControls,
): Promise<BenchRun> {
  const processes = processCount(settings, contestants.length);
  const entries = contestants.map((contestant): Entry => ({ contestant, participants: [] }));
  const startNs = controls.clock.nowNs();
  const turns = turnCounter(entries, processes + settings.rounds, controls);
  for (const block of planBlocks(entries.length, { ...settings, processes })) {
    await runBlock(block, entries, { settings, controls, turns, processes });
  }
  turns.end();
  const captured = controls.wasCaptured?.(startNs, controls.clock.nowNs()) === true;
  const records = entries.map(({ contestant: { identity }, participants }) => ({
    ...(participants.length === 0 ? neverStarted(identity) : mergeProcesses(participants.map(recordOf))),
    ...(captured ? { captured } : {}),
  }));
  const results = records.map((record) => summarizeVariant(record, settings));
  const [base, ...candidates] = results;
  return {
    cancelled: controls.signal?.aborted ?? false,
    results,
    speedUps: base === undefined ? [] : candidates.map((candidate) => compareResults(base, candidate)),
    records,
  };
}

/** A variant with those of its processes that were started, the present one last. */
interface Entry {
  readonly contestant: Contestant;
  readonly participants: Participant[];
}

/** Starts a process of every variant, measures its rounds of the block, and ends it. */
async function runBlock(
  { process, startOrder, slots }: ProcessBlock,
  entries: readonly Entry[],
  {
    settings,
    controls,
    turns,
    processes,
  }: {
    readonly settings: BenchSettings;
    readonly controls: BenchControls;
    readonly turns: TurnCounter;
    readonly processes: number;
  },
): Promise<void> {
  const isOut = (entry: Entry) =>
    hasFailed(entry) ||
    hasHadItsTime(entry, settings) ||
    (controls.stopAtFirstFailure === true && entries.some(hasFailed));
  const started: Participant[] = [];
  try {
    for (const entry of startOrder.map((variant) => entries[variant] as Entry)) {
      turns.next('warm-up', entry);
      if (isOut(entry)) continue;
      const { identity, start } = entry.contestant;
      const participant = newParticipant({ identity, handle: start() }, process);
      started.push(participant);
      entry.participants.push(participant);
      await getReady(participant, settings, controls);
    }
    const baseQueriesPerSecond = firstSpeed(entries);
    for (const { round, variant } of slots) {
      const entry = entries[variant] as Entry;
      turns.next('measure', entry);
      const participant = entry.participants.at(-1);
      if (isOut(entry) || participant?.warmUp == null || baseQueriesPerSecond === undefined) continue;
      const { queriesPerSecond } = participant.warmUp;
      const spec = roundSpec(settings, round, entries.length > 1, { queriesPerSecond, baseQueriesPerSecond });
      await takeTurn(participant, spec, settings, controls);
    }
    for (const entry of entries) {
      const participant = entry.participants.at(-1);
      if (participant === undefined || !started.includes(participant)) continue;
      const isLast = process === processes - 1 || hasHadItsTime(entry, settings);
      await finishOne(participant, isLast ? baseQueriesPerSecond : undefined, settings, controls);
    }
  } finally {
    await Promise.all(started.map(({ sut }) => sut.handle.close()));
  }
}

/** @param baseQueriesPerSecond where the process is the last of its variant, and so the one to trace */
async function finishOne(
  participant: Participant,
  baseQueriesPerSecond: number | undefined,
  settings: BenchSettings,
  controls: BenchControls,
): Promise<void> {
  const { failure, warmUp, sut } = participant;
  const { tracing } = controls;
  if (failure !== null || warmUp === null || tracing === undefined || baseQueriesPerSecond === undefined)
    return finish(participant, settings, controls);
  const speed = { queriesPerSecond: warmUp.queriesPerSecond, baseQueriesPerSecond };
  const pass = {
    round: roundSpec(settings, settings.rounds, false, speed),
    queries: tracing.queries,
    maxDurationNs: MAX_TRACED_NS,
  };
  const { during = (_, work) => work() } = tracing;
  await during(sut.identity.variant, () => finish(participant, settings, controls, pass));
}

function hasFailed({ participants }: Entry): boolean {
  return participants.some(({ failure }) => failure !== null);
}

/** A model so slow that single queries overrun their rounds stops at the maximum instead of taking every turn. */
function hasHadItsTime({ participants }: Entry, { maxDurationSeconds }: BenchSettings): boolean {
  const rounds = participants.flatMap((participant) => participant.rounds);
  return rounds.reduce((total, { durationNs }) => total + durationNs, 0) >= maxDurationSeconds * 1e9;
}

function neverStarted(identity: SutIdentity): VariantRecord {
  return { identity, loaded: null, warmUp: null, rounds: [], usage: null, failure: cancelled() };
}

/** What the first process of the first variant that came so far can do: a schedule is the same for all that follow. */
function firstSpeed(entries: readonly Entry[]): number | undefined {
  for (const { participants } of entries) {
    const warmUp = participants.find((participant) => participant.warmUp !== null)?.warmUp;
    if (warmUp) return warmUp.queriesPerSecond;
  }
  return undefined;
}

interface TurnCounter {
  next(stage: BenchProgress['stage'], entry: Entry): void;
  end(): void;
}

/** Tells of every turn that begins, warm-ups among them. */
function turnCounter(entries: readonly Entry[], turnsEach: number, controls: BenchControls): TurnCounter {
  const report = limitedProgress(controls);
  const totalTurns = entries.length * turnsEach;
  const nameOf = (entry: Entry | undefined) => entry?.contestant.identity.variant ?? '';
  let completedTurns = 0;
  return {
    next: (stage, entry) => {
      report({ stage, variant: nameOf(entry), completedTurns, totalTurns });
      completedTurns += 1;
    },
    end: () =>
      report({ stage: 'measure', variant: nameOf(entries.at(-1)), completedTurns: totalTurns, totalTurns }),
  };
}

function limitedProgress({ clock, onProgress }: BenchControls): (progress: BenchProgress) => void {
  let lastNs: bigint | null = null;
  return (progress) => {
    const nowNs = clock.nowNs();
    const isDone = progress.completedTurns === progress.totalTurns;
    if (!isDone && lastNs !== null && nowNs - lastNs < PROGRESS_INTERVAL_NS) return;
    lastNs = nowNs;
    onProgress?.(progress);
  };
}
