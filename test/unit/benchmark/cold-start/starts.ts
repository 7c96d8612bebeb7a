import type { ColdStartRecord } from '../../../../src/benchmark/cold-start/cold-start-result.ts';

/** A start in which nothing was remarkable. */
export function startOf(repetition: number, more: Partial<ColdStartRecord> = {}): ColdStartRecord {
  return {
    repetition,
    processSeconds: 0.1,
    runtimeSeconds: 0.05,
    modelSeconds: 0.2,
    feedsSeconds: 0.01,
    firstInferencesSeconds: [0.02],
    firstInferenceSeconds: 0.02,
    firstAnswerSeconds: 0.37,
    runsToSteady: 3,
    secondsToSteady: 0.03,
    steadyMedianSeconds: 0.004,
    steady: true,
    diskReadBytes: 0,
    peakRssBytes: 2 ** 27,
    ...more,
  };
}
