import type { Problem } from '../core/problem.ts';
import type { BenchControls } from './controller.ts';
import { finish, getReady, newParticipant } from './participant.ts';
import { type PeakResult, peakResult } from './peak-result.ts';
import { nextPeakTrial, type PeakSearchSettings } from './peak-search.ts';
import type { PeakSettings } from './peak-settings.ts';
import { measureTrial, type PeakSearch } from './peak-trial.ts';
import type { NamedSut } from './sut-handle.ts';

/** What the search is about to do. */
export interface PeakProgress {
  readonly variant: string;
  readonly trials: number;
  /** Queries per second of the next trial; null while the system is loaded and warmed up. */
  readonly rate: number | null;
}

export interface PeakControls extends Omit<BenchControls, 'onProgress'> {
  readonly onProgress?: (progress: PeakProgress) => void;
}

/** Where a search begins, and how far it goes, as shares of what the closed loop of the warm-up does. */
const START_SHARE = 0.5;
/** So far below its capacity hardly a query waits, and what fails there fails at any rate. */
const LOWEST_SHARE = 1 / 8;
/** No schedule gets more out of a system than a closed loop, unless something else slowed it just then; this far it did not. */
const HIGHEST_SHARE = 8;

/**
 * Looks for the highest rate of Poisson arrivals (MLPerf's server scenario) at which a percentile of every system's response
 * time stays within its bound. Systems are loaded and warmed up once; their searches take turns, trial by trial, so that a drift
 * of the host weighs on all alike. One that fails loses its further trials, and the others go on.
 */
export async function findPeaks(
  suts: readonly NamedSut[],
  settings: PeakSettings,
  controls: PeakControls,
): Promise<readonly PeakResult[]> {
  const { bench } = settings;
  const { onProgress, ...plain } = controls;
  const searches = suts.map(
    (sut): PeakSearch => ({
      participant: newParticipant(sut),
      trials: [],
      closedLoopPerSecond: null,
      peak: null,
      cutShort: null,
    }),
  );
  for (const search of searches) {
    const { participant } = search;
    onProgress?.({ variant: participant.sut.identity.variant, trials: 0, rate: null });
    await getReady(participant, bench, plain);
    search.closedLoopPerSecond = participant.warmUp?.queriesPerSecond ?? null;
    noteFailure(search);
  }
  const isOpen = ({ peak, cutShort }: PeakSearch) => peak === null && cutShort === null;
  while (searches.some(isOpen)) {
    for (const search of searches.filter(isOpen)) {
      await takeStep(search, { settings, takesTurns: suts.length > 1 }, controls);
    }
  }
  for (const { participant } of searches) await finish(participant, bench, plain);
  return searches.map((search) => peakResult(search, settings));
}

async function takeStep(
  search: PeakSearch,
  how: { readonly settings: PeakSettings; readonly takesTurns: boolean },
  { onProgress, ...controls }: PeakControls,
): Promise<void> {
  const { participant, trials } = search;
  if (controls.signal?.aborted === true) return endEarly(search, how.settings, 'cancelled');
  const step = nextPeakTrial(searchSettings(search, how.settings), outcomesOf(search));
  if (step.kind === 'done') {
    search.peak = step.peak;
    return;
  }
  onProgress?.({ variant: participant.sut.identity.variant, trials: trials.length, rate: step.rate });
  const trial = { rate: step.rate, why: step.why, index: trials.length };
  const measured = await measureTrial(participant, trial, how, controls);
  if (measured !== null) trials.push(measured);
  if (participant.failure !== null) noteFailure(search, how.settings);
  else if (measured === null) endEarly(search, how.settings, 'cancelled');
  else if (measured.hopeless && !measured.report.passed) endEarly(search, how.settings, 'service-time');
}

function noteFailure(search: PeakSearch, settings?: PeakSettings): void {
  const { failure } = search.participant;
  if (failure === null) return;
  endEarly(search, settings, isCancelled(failure) ? 'cancelled' : 'failure');
}

function isCancelled({ kind }: Problem): boolean {
  return kind === 'bench-cancelled' || kind === 'cancelled';
}

/** What the trials so far say stands. */
function endEarly(
  search: PeakSearch,
  settings: PeakSettings | undefined,
  why: NonNullable<PeakSearch['cutShort']>,
): void {
  search.cutShort = why;
  if (settings === undefined || search.trials.length === 0) return;
  const noMore = { ...searchSettings(search, settings), maxTrials: search.trials.length };
  const step = nextPeakTrial(noMore, outcomesOf(search));
  if (step.kind === 'done') search.peak = step.peak;
}

function outcomesOf({ trials }: PeakSearch) {
  return trials.map(({ report }) => ({ rate: report.rate, passed: report.passed }));
}

function searchSettings(
  { closedLoopPerSecond }: PeakSearch,
  { resolution, maxTrials, enoughPerSecond }: PeakSettings,
): PeakSearchSettings {
  const capacity = closedLoopPerSecond ?? 1;
  const highestRate = enoughPerSecond ?? HIGHEST_SHARE * capacity;
  const startRate = Math.min(START_SHARE * capacity, highestRate);
  const lowestRate = Math.min(LOWEST_SHARE * capacity, startRate);
  return { startRate, lowestRate, highestRate, resolution, confirmations: 1, maxTrials };
}
