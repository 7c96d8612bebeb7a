import type { Scenario } from '../../core/bench-terms.ts';
import type { Clock } from '../../core/clock.ts';
import type { Problem } from '../../core/problem.ts';
import { roundSpec } from '../plan-rounds.ts';
import { collectRound, type RoundResult } from '../round-result.ts';
import type { BenchSettings } from '../settings.ts';
import type { WarmUpResult } from '../steady-state.ts';
import { answerOf, type NamedSut } from '../sut-handle.ts';
import type { LoadedSut, SutIdentity, SutUsage } from '../variant-record.ts';
import { type Creep, findCreep } from './creep.ts';
import { soakWarnings } from './soak-warnings.ts';
import { type SoakWindow, toSoakWindow } from './soak-window.ts';

export interface SoakControls {
  readonly clock: Clock;
  /** Ends the soak: what was measured is returned. */
  readonly signal?: AbortSignal;
  /** Resident memory of the system's process now; null where the kernel does not tell. */
  readonly readRssBytes: () => number | null;
  /** Called between windows only, while nothing is measured. */
  readonly onWindow?: (completedWindows: number) => void;
}

/** What a soak of one system showed, ready for JSON. */
export interface SoakResult extends SutIdentity {
  readonly scenario: Scenario;
  readonly concurrency: number;
  readonly plannedWindows: number;
  readonly windows: readonly SoakWindow[];
  readonly creep: readonly Creep[];
  /** Most memory that the process had resident; null where it did not end in peace. */
  readonly peakRssBytes: number | null;
  /** Outputs under load that differ from those of a session without load. */
  readonly otherOutputs: number;
  /** What speaks against taking the figures at their word, as sentences. */
  readonly warnings: readonly string[];
  /** Why it ended early. */
  readonly failure: Problem | null;
}

/**
 * Runs a system for long, in as many windows as the settings have rounds, and says what creeps. Only a summary of each window
 * is kept. A system that fails, dies, falls silent or is cancelled keeps what it showed until then.
 */
export async function runSoak(
  sut: NamedSut,
  settings: BenchSettings,
  controls: SoakControls,
): Promise<SoakResult> {
  const windows: SoakWindow[] = [];
  const ended = await soak(sut, settings, controls, windows);
  const { usage = null, failure = null } = ended;
  if (failure !== null) sut.handle.kill();
  const creep = findCreep(windows);
  return {
    ...sut.identity,
    scenario: settings.scenario,
    concurrency: settings.concurrency,
    plannedWindows: settings.rounds,
    windows,
    creep,
    peakRssBytes: usage?.peakRssBytes ?? null,
    otherOutputs: usage?.outputCheck.mismatches.length ?? 0,
    warnings: soakWarnings(windows, { identity: sut.identity, usage }, creep, settings),
    failure,
  };
}

interface Ended {
  readonly usage?: SutUsage;
  readonly failure?: Problem;
}

async function soak(
  sut: NamedSut,
  settings: BenchSettings,
  controls: SoakControls,
  windows: SoakWindow[],
): Promise<Ended> {
  const patience = { graceSeconds: settings.graceSeconds, signal: controls.signal };
  const loaded = await answerOf(sut, () => sut.handle.load(), patience);
  if (!loaded.ok) return { failure: loaded.error };
  const warmUpSpec = {
    windowDurationNs: settings.warmUpWindowSeconds * 1e9,
    maxDurationNs: settings.maxWarmUpSeconds * 1e9,
    seed: settings.seed,
  };
  const warmUp = await answerOf(sut, (onAlive) => sut.handle.warmUp(warmUpSpec, onAlive), patience);
  if (!warmUp.ok) return { failure: warmUp.error };
  let startNs: bigint | undefined;
  for (let index = 0; index < settings.rounds; index++) {
    controls.onWindow?.(index);
    const { round, failure } = await runWindow(
      sut,
      index,
      { ...loaded.value, ...warmUp.value },
      settings,
      controls,
    );
    startNs ??= round.startNs;
    if (round.latencyNs.length > 0) windows.push(toSoakWindow(round, startNs, controls.readRssBytes()));
    if (failure !== undefined) return { failure };
  }
  controls.onWindow?.(settings.rounds);
  const usage = await answerOf(sut, () => sut.handle.finish(), patience);
  return usage.ok ? { usage: usage.value } : { failure: usage.error };
}

async function runWindow(
  sut: NamedSut,
  index: number,
  { samplesPerRun, queriesPerSecond }: LoadedSut & WarmUpResult,
  settings: BenchSettings,
  { clock, signal }: SoakControls,
): Promise<{ readonly round: RoundResult; readonly failure?: Problem }> {
  const spec = roundSpec(settings, index, false, {
    queriesPerSecond,
    baseQueriesPerSecond: queriesPerSecond,
  });
  const chunks: Float64Array[] = [];
  const askedNs = clock.nowNs();
  const answer = await answerOf(
    sut,
    (onAlive) =>
      sut.handle.round(spec, (chunk) => {
        chunks.push(chunk);
        if (chunk.length > 0) onAlive();
      }),
    { graceSeconds: settings.graceSeconds, signal },
  );
  const totals = answer.ok ? answer.value : undefined;
  const round = collectRound(spec, chunks, totals, { samplesPerRun, askedNs, process: 0 });
  if (!answer.ok) return { round, failure: answer.error };
  return signal?.aborted === true ? { round: { ...round, complete: false } } : { round };
}
