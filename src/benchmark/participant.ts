import type { Clock } from '../core/clock.ts';
import type { Problem } from '../core/problem.ts';
import type { RoundSpec } from './round.ts';
import { collectRound, type RoundResult } from './round-result.ts';
import type { SamplingBetween } from './round-sampling.ts';
import type { BenchSettings } from './settings.ts';
import type { WarmUpResult } from './steady-state.ts';
import { answerOf, cancelled, type NamedSut } from './sut-handle.ts';
import type { TracedPassSpec } from './traced-pass.ts';
import type { LoadedSut, SutUsage, VariantRecord } from './variant-record.ts';

/** A system while it is driven. */
export interface Participant {
  readonly sut: NamedSut;
  /** Which of the processes of its variant it is, from 0. */
  readonly process: number;
  readonly rounds: RoundResult[];
  loaded: LoadedSut | null;
  warmUp: WarmUpResult | null;
  usage: SutUsage | null;
  failure: Problem | null;
}

/** What driving a system takes. */
export interface TurnControls {
  readonly clock: Clock;
  /** Cancels: every system is killed, and what was measured is returned. */
  readonly signal?: AbortSignal;
  /** Where somebody samples the host meanwhile. */
  readonly sampling?: SamplingBetween;
}

/** A large model shows no sign of life while it is loaded. */
const LOAD_PATIENCE = 10;

/** Of the time for a warm-up. Files, drivers and clocks are warm when a variant is started again; only the process is not. */
const LATER_WARM_UP_SHARE = 0.4;

export function newParticipant(sut: NamedSut, process = 0): Participant {
  return { sut, process, rounds: [], loaded: null, warmUp: null, usage: null, failure: null };
}

/** Loads the system and warms it up; one that fails is killed, and its `failure` says why. */
export async function getReady(
  participant: Participant,
  settings: BenchSettings,
  controls: TurnControls,
): Promise<void> {
  const { sut } = participant;
  const patience = { graceSeconds: settings.graceSeconds, signal: controls.signal };
  const loaded = await answerOf(sut, () => sut.handle.load(), {
    ...patience,
    graceSeconds: settings.graceSeconds * LOAD_PATIENCE,
  });
  if (!loaded.ok) return giveUp(participant, loaded.error);
  participant.loaded = loaded.value;
  const share = participant.process === 0 ? 1 : LATER_WARM_UP_SHARE;
  const spec = {
    windowDurationNs: settings.warmUpWindowSeconds * 1e9 * share,
    maxDurationNs: settings.maxWarmUpSeconds * 1e9 * share,
    seed: settings.seed,
  };
  const answer = await answerOf(sut, (onAlive) => sut.handle.warmUp(spec, onAlive), patience);
  if (answer.ok) participant.warmUp = answer.value;
  else giveUp(participant, answer.error);
}

/** Measures one round, unless the system failed before. What is measured is added to its rounds. */
export async function takeTurn(
  participant: Participant,
  spec: RoundSpec,
  settings: BenchSettings,
  controls: TurnControls,
): Promise<void> {
  const { failure, loaded, rounds, sut } = participant;
  if (failure !== null || loaded === null) return;
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
  const result = collectRound(spec, chunks, totals, { samplesPerRun, askedNs, process: participant.process });
  const isWhole = result.complete && controls.signal?.aborted !== true;
  const endNs = result.startNs + BigInt(Math.round(result.durationNs));
  const sampling = await controls.sampling?.(result.startNs, endNs);
  if (result.latencyNs.length > 0) {
    rounds.push({ ...result, ...(sampling === undefined ? {} : { sampling }), complete: isWhole });
  }
  if (!answer.ok) giveUp(participant, answer.error);
  // Asked to stop it answered, with a part of its round.
  else if (!isWhole) giveUp(participant, cancelled());
}

/**
 * Lets a system end that did not fail, and asks what it used.
 * @param pass what it traces before it ends
 */
export async function finish(
  participant: Participant,
  settings: BenchSettings,
  controls: TurnControls,
  pass?: TracedPassSpec,
): Promise<void> {
  const { sut } = participant;
  if (participant.failure !== null) return;
  // A session that is traced is loaded first.
  const graceSeconds = settings.graceSeconds * (pass === undefined ? 1 : LOAD_PATIENCE);
  const answer = await answerOf(sut, (onAlive) => sut.handle.finish(pass, onAlive), {
    graceSeconds,
    signal: controls.signal,
  });
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
