import type { PeakRatio, PeakResult } from '../benchmark/peak-result.ts';
import type { PeakTrialReport } from '../benchmark/peak-trial.ts';
import { formatRate, formatSeconds } from '../core/units.ts';
import { renderTable } from './table.ts';

export interface PeaksReport {
  readonly results: readonly PeakResult[];
  readonly ratios: readonly PeakRatio[];
  readonly madeUpInputs?: boolean;
}

/** A table of peaks with what limits each, the ratios, and the trials below. */
export function renderPeaks({ results, ratios, madeUpInputs }: PeaksReport): string {
  const peaks = renderTable(
    ['model', 'peak/s', 'fails at/s', 'limited by', 'of closed loop', 'trials'],
    results.map(({ variant, peak, closedLoopPerSecond, trials }) => [
      variant,
      rate(peak.ratePerSecond),
      rate(peak.failsAtPerSecond),
      peak.limitedBy,
      peak.ratePerSecond === null || closedLoopPerSecond === null
        ? '–'
        : `${((100 * peak.ratePerSecond) / closedLoopPerSecond).toFixed(0)} %`,
      String(trials.length),
    ]),
  );
  const notes = [
    ...results.map(({ variant, peak }) => `${variant}: ${peak.reason}`),
    ...ratios.map(ratioSentence),
    ...results.flatMap(extensionNote),
    ...results
      .filter(({ peak }) => peak.isNoisy)
      .map(
        ({ variant }) =>
          `${variant}: a rate both passed and failed, as happens near the peak or on a busy host`,
      ),
    ...(madeUpInputs === true ? ['inputs are made up: real ones may take another time'] : []),
    ...results.flatMap(({ variant, invalidReasons }) =>
      invalidReasons.map((reason) => `invalid: ${variant}: ${reason}`),
    ),
  ];
  const trials = results.flatMap((result) => (result.trials.length === 0 ? [] : ['', trialsOf(result)]));
  return [peaks, '', ...notes, ...trials].join('\n');
}

function ratioSentence({ base, candidate, ratio, lower, upper }: PeakRatio): string {
  const ends = lower === null || upper === null ? '' : ` [${lower.toFixed(2)}, ${upper.toFixed(2)}]`;
  return `${candidate} takes ${ratio.toFixed(2)}x${ends} the rate of ${base}`;
}

function extensionNote({ variant, trials }: PeakResult): string[] {
  const extended = trials.filter((trial) => trial.extended);
  if (extended.length === 0) return [];
  const longest = Math.max(...extended.map(({ durationSeconds }) => durationSeconds));
  return [
    `${variant}: ${extended.length} of ${trials.length} trials were extended, the longest to ${formatSeconds(longest)}, ` +
      'until there were queries enough to decide',
  ];
}

function trialsOf({ variant, trials, latencyBoundPermille }: PeakResult): string {
  const judged = `p${latencyBoundPermille / 10}`;
  const hasOwnColumn = latencyBoundPermille !== 990 && latencyBoundPermille !== 500;
  const table = renderTable(
    [
      'trial',
      'rate/s',
      'queries',
      'took',
      'p50',
      'p99',
      ...(hasOwnColumn ? [judged] : []),
      'outcome',
      'step',
    ],
    trials.map((trial, index) => [
      String(index + 1),
      rate(trial.rate),
      String(trial.queries),
      formatSeconds(trial.durationSeconds),
      time(trial.p50Seconds),
      time(trial.p99Seconds),
      ...(hasOwnColumn ? [time(trial.judgedSeconds)] : []),
      trial.outcome,
      reasonOf(trial),
    ]),
  );
  return `trials of ${variant}:\n${table}`;
}

function reasonOf({ why, reason, invalidReasons, passed }: PeakTrialReport): string {
  return `${why}: ${reason}${passed && invalidReasons.length > 0 ? '; not valid' : ''}`;
}

function rate(perSecond: number | null): string {
  return perSecond === null ? '–' : formatRate(perSecond);
}

function time(seconds: number | null): string {
  return seconds === null ? '–' : formatSeconds(seconds);
}
