import { type Fold, growthOrWrap, secondsWithin, shareOf } from './steps.ts';

/** The energy counters of a snapshot. */
export interface SummedRapl {
  readonly zones: readonly { readonly zone: string; readonly joules: number; readonly wrapJoules: number }[];
}

/** Energy of the processors, and of the memory where it is counted, of everything that ran on the host. */
export interface RaplSummary {
  readonly joules: number;
  readonly meanWatts: number;
}

export function createRaplFold(): Fold<SummedRapl, RaplSummary> {
  let joules = 0;
  let seconds = 0;
  return {
    step(step) {
      for (const to of step.to.value.zones) {
        const from = step.from.value.zones.find(({ zone }) => zone === to.zone);
        if (from !== undefined) joules += shareOf(step) * growthOrWrap(from.joules, to.joules, to.wrapJoules);
      }
      if (step.to.value.zones.length > 0) seconds += secondsWithin(step);
    },
    finish: () => (seconds === 0 ? undefined : { joules, meanWatts: joules / seconds }),
  };
}
