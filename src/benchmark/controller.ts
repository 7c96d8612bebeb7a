import type { Clock } from '../core/clock.ts';
import type { Problem } from '../core/problem.ts';
import { type BenchResult, summarizeVariant } from './bench-result.ts';
import { compareResults, type SpeedUp } from './compare.ts';
import { interleaveRounds } from './interleave.ts';
import { offlineRunCount } from './offline.ts';
import type { RoundResult, RoundSpec } from './round.ts';
import type { BenchSettings } from './settings.ts';
import type { WarmUpResult } from './steady-state.ts';
import { answerOf, type NamedSut } from './sut-handle.ts';
import type { SutUsage, VariantRecord } from './variant-record.ts';

export interface BenchProgress {
  readonly stage: 'warm-up' | 'measure';
  /** The variant whose turn is next, or was the last. */
  readonly variant: string;
  readonly completedTurns: number;
  readonly totalTurns: number;
}

export interface BenchControls {
  readonly clock: Clock;
  /** Cancels: every system is killed, and what was measured is returned. */
  readonly signal?: AbortSignal;
  /** Called between turns only, while no system is measuring, at most once a second, and when the last turn is over. */
  readonly onProgress?: (progress: BenchProgress) => void;
}

export interface BenchRun {
  readonly cancelled: boolean;
  /** One per system, in the order given. */
  readonly results: readonly BenchResult[];
  /** Every other system against the first. */
  readonly speedUps: readonly SpeedUp[];
  /** The raw rounds, in the order of `results`. */
  readonly records: readonly VariantRecord[];
}

/** A system while it is driven. */
interface Participant {
  readonly sut: NamedSut;
  readonly rounds: RoundResult[];
  warmUp: WarmUpResult | null;
  usage: SutUsage | null;
  failure: Problem | null;
}

const PROGRESS_INTERVAL_NS = 1_000_000_000n;

/**
 * Benchmarks systems against one another: warms each up, lets them take turns in interleaved rounds, one at a time, and
 * summarizes. A system that fails, dies or falls silent keeps what it measured, is marked invalid and loses its further
 * turns; the others go on.
 */
export async function runBench(
  suts: readonly NamedSut[],
  settings: BenchSettings,
  controls: BenchControls,
): Promise<BenchRun> {
  const participants = suts.map(
    (sut): Participant => ({ sut, rounds: [], warmUp: null, usage: null, failure: null }),
  );
  const report = limitedProgress(controls);
  const slots = interleaveRounds(participants.length, settings.rounds, settings.seed);
  const totalTurns = participants.length + slots.length;
  for (const [turn, participant] of participants.entries()) {
    report({ stage: 'warm-up', variant: participant.sut.identity.variant, completedTurns: turn, totalTurns });
    await warmUp(participant, settings, controls);
  }
  for (const [turn, { round, variant }] of slots.entries()) {
    const participant = participants[variant] as Participant;
    const completedTurns = participants.length + turn;
    report({ stage: 'measure', variant: participant.sut.identity.variant, completedTurns, totalTurns });
    await takeTurn(participant, round, participants.length > 1, settings, controls);
  }
  const last = participants.at(-1)?.sut.identity.variant ?? '';
  report({ stage: 'measure', variant: last, completedTurns: totalTurns, totalTurns });
  for (const participant of participants) await finish(participant, settings, controls);
  const records = participants.map(recordOf);
  const results = records.map((record) => summarizeVariant(record, settings));
  const [base, ...candidates] = results;
  return {
    cancelled: controls.signal?.aborted ?? false,
    results,
    speedUps: base === undefined ? [] : candidates.map((candidate) => compareResults(base, candidate)),
    records,
  };
}

async function warmUp(participant: Participant, settings: BenchSettings, controls: BenchControls) {
  const spec = {
    windowDurationNs: settings.warmUpWindowSeconds * 1e9,
    maxDurationNs: settings.maxWarmUpSeconds * 1e9,
    seed: settings.seed,
  };
  const timeoutSeconds = settings.maxWarmUpSeconds + settings.graceSeconds;
  const { handle, identity } = participant.sut;
  const answer = await answerOf(identity.variant, () => handle.warmUp(spec), timeoutSeconds, controls.signal);
  if (answer.ok) participant.warmUp = answer.value;
  else giveUp(participant, answer.error);
}

async function takeTurn(
  participant: Participant,
  round: number,
  takesTurns: boolean,
  settings: BenchSettings,
  controls: BenchControls,
): Promise<void> {
  const { failure, warmUp, rounds, sut } = participant;
  const measuredNs = rounds.reduce((total, { durationNs }) => total + durationNs, 0);
  // A model so slow that single queries overrun their rounds stops at the maximum instead of taking every turn.
  if (failure !== null || warmUp === null || measuredNs >= settings.maxDurationSeconds * 1e9) return;
  const spec = roundSpec(settings, round, warmUp.queriesPerSecond, takesTurns);
  const timeoutSeconds = settings.maxDurationSeconds / settings.rounds + settings.graceSeconds;
  const name = sut.identity.variant;
  const answer = await answerOf(name, () => sut.handle.round(spec), timeoutSeconds, controls.signal);
  if (answer.ok) rounds.push(answer.value);
  else giveUp(participant, answer.error);
}

async function finish(participant: Participant, settings: BenchSettings, controls: BenchControls) {
  const { handle, identity } = participant.sut;
  if (participant.failure !== null) return;
  const answer = await answerOf(
    identity.variant,
    () => handle.finish(),
    settings.graceSeconds,
    controls.signal,
  );
  // What was measured stands without the usage; only the process must not linger.
  if (answer.ok) participant.usage = answer.value;
  else handle.kill();
}

function giveUp(participant: Participant, failure: Problem): void {
  participant.failure = failure;
  participant.sut.handle.kill();
}

/** One variant's share of the settings for one round. */
function roundSpec(
  settings: BenchSettings,
  index: number,
  queriesPerSecond: number,
  takesTurns: boolean,
): RoundSpec {
  const minDurationNs = (settings.minDurationSeconds * 1e9) / settings.rounds;
  const maxDurationNs = (settings.maxDurationSeconds * 1e9) / settings.rounds;
  const minQueries = Math.ceil(settings.minQueries / settings.rounds);
  // One query that outlasts the lead-in feels little of cold caches, and a lead-in would double the cost of its round.
  const needsLeadIn = takesTurns && queriesPerSecond * settings.leadInSeconds >= 1;
  const shared = {
    index,
    seed: settings.seed + index,
    leadInDurationNs: needsLeadIn ? settings.leadInSeconds * 1e9 : 0,
  };
  switch (settings.scenario) {
    case 'single-stream':
      return { ...shared, scenario: 'single-stream', limits: { minQueries, minDurationNs, maxDurationNs } };
    case 'offline': {
      const runCount = offlineRunCount(minQueries, minDurationNs, queriesPerSecond);
      return { ...shared, scenario: 'offline', runCount, maxDurationNs };
    }
  }
}

function recordOf({ sut, warmUp, rounds, usage, failure }: Participant): VariantRecord {
  return { identity: sut.identity, warmUp, rounds, usage, failure };
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
