import type { Clock } from '../core/clock.ts';
import type { Problem } from '../core/problem.ts';
import { type BenchResult, summarizeVariant } from './bench-result.ts';
import { compareResults, type SpeedUp } from './compare.ts';
import { interleaveRounds } from './interleave.ts';
import { roundSpec } from './plan-rounds.ts';
import type { RoundSpec } from './round.ts';
import { collectRound, type RoundResult } from './round-result.ts';
import type { BenchSettings } from './settings.ts';
import type { WarmUpResult } from './steady-state.ts';
import { answerOf, cancelled, type NamedSut } from './sut-handle.ts';
import type { LoadedSut, SutUsage, VariantRecord } from './variant-record.ts';

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
export interface Participant {
  readonly sut: NamedSut;
  readonly rounds: RoundResult[];
  loaded: LoadedSut | null;
  warmUp: WarmUpResult | null;
  usage: SutUsage | null;
  failure: Problem | null;
}

const PROGRESS_INTERVAL_NS = 1_000_000_000n;

/** A large model shows no sign of life while it is loaded. */
const LOAD_PATIENCE = 10;

/**
 * Benchmarks systems against one another: loads and warms each up, lets them take turns in interleaved rounds, one at a time, and
 * summarizes. A system that fails, dies or falls silent keeps what it measured, is marked invalid and loses its further
 * turns; the others go on.
 */
export async function runBench(
  suts: readonly NamedSut[],
  settings: BenchSettings,
  controls: BenchControls,
): Promise<BenchRun> {
  const participants = suts.map(newParticipant);
  const report = limitedProgress(controls);
  const slots = interleaveRounds(participants.length, settings.rounds, settings.seed);
  const totalTurns = participants.length + slots.length;
  for (const [turn, participant] of participants.entries()) {
    report({ stage: 'warm-up', variant: participant.sut.identity.variant, completedTurns: turn, totalTurns });
    await getReady(participant, settings, controls);
  }
  const baseQueriesPerSecond = participants.find(({ warmUp }) => warmUp !== null)?.warmUp?.queriesPerSecond;
  for (const [turn, { round, variant }] of slots.entries()) {
    const participant = participants[variant] as Participant;
    const completedTurns = participants.length + turn;
    report({ stage: 'measure', variant: participant.sut.identity.variant, completedTurns, totalTurns });
    const { warmUp } = participant;
    if (warmUp === null || baseQueriesPerSecond === undefined) continue;
    const speed = { queriesPerSecond: warmUp.queriesPerSecond, baseQueriesPerSecond };
    const spec = roundSpec(settings, round, participants.length > 1, speed);
    await takeTurn(participant, spec, settings, controls);
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

export function newParticipant(sut: NamedSut): Participant {
  return { sut, rounds: [], loaded: null, warmUp: null, usage: null, failure: null };
}

/** Loads the system and warms it up; one that fails is killed, and its `failure` says why. */
export async function getReady(
  participant: Participant,
  settings: BenchSettings,
  controls: BenchControls,
): Promise<void> {
  const { sut } = participant;
  const patience = { graceSeconds: settings.graceSeconds, signal: controls.signal };
  const loaded = await answerOf(sut, () => sut.handle.load(), {
    ...patience,
    graceSeconds: settings.graceSeconds * LOAD_PATIENCE,
  });
  if (!loaded.ok) return giveUp(participant, loaded.error);
  participant.loaded = loaded.value;
  const spec = {
    windowDurationNs: settings.warmUpWindowSeconds * 1e9,
    maxDurationNs: settings.maxWarmUpSeconds * 1e9,
    seed: settings.seed,
  };
  const answer = await answerOf(sut, (onAlive) => sut.handle.warmUp(spec, onAlive), patience);
  if (answer.ok) participant.warmUp = answer.value;
  else giveUp(participant, answer.error);
}

/** Measures one round, unless the system failed before or has had its time. What is measured is added to its rounds. */
export async function takeTurn(
  participant: Participant,
  spec: RoundSpec,
  settings: BenchSettings,
  controls: BenchControls,
): Promise<void> {
  const { failure, loaded, rounds, sut } = participant;
  const measuredNs = rounds.reduce((total, { durationNs }) => total + durationNs, 0);
  // A model so slow that single queries overrun their rounds stops at the maximum instead of taking every turn.
  if (failure !== null || loaded === null || measuredNs >= settings.maxDurationSeconds * 1e9) return;
  const askedNs = controls.clock.nowNs();
  const chunks: Float64Array[] = [];
  const answer = await answerOf(
    sut,
    (onAlive) =>
      sut.handle.round(spec, (chunk) => {
        chunks.push(chunk);
        if (chunk.length > 0) onAlive();
      }),
    { graceSeconds: settings.graceSeconds, signal: controls.signal },
  );
  const totals = answer.ok ? answer.value : undefined;
  const { samplesPerRun } = loaded;
  const result = collectRound(spec, chunks, totals, { samplesPerRun, askedNs });
  const isWhole = result.complete && controls.signal?.aborted !== true;
  if (result.latencyNs.length > 0) rounds.push({ ...result, complete: isWhole });
  if (!answer.ok) giveUp(participant, answer.error);
  // Asked to stop it answered, with a part of its round.
  else if (!isWhole) giveUp(participant, cancelled());
}

/** Lets a system end that did not fail, and asks what it used. */
export async function finish(
  participant: Participant,
  settings: BenchSettings,
  controls: BenchControls,
): Promise<void> {
  const { sut } = participant;
  if (participant.failure !== null) return;
  const { graceSeconds } = settings;
  const answer = await answerOf(sut, () => sut.handle.finish(), { graceSeconds, signal: controls.signal });
  // What was measured stands without the usage; only the process must not linger.
  if (answer.ok) participant.usage = answer.value;
  else sut.handle.kill();
}

function giveUp(participant: Participant, failure: Problem): void {
  participant.failure = failure;
  participant.sut.handle.kill();
}

export function recordOf({ sut, loaded, warmUp, rounds, usage, failure }: Participant): VariantRecord {
  return { identity: sut.identity, loaded, warmUp, rounds, usage, failure };
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
