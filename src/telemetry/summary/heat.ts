import { Gauge } from './gauge.ts';
import { type Fold, growthOf, shareOf } from './steps.ts';

/** The thermal zones of a snapshot. */
export interface SummedThermal {
  readonly zones: readonly { readonly zone: string; readonly type: string; readonly celsius: number }[];
}

/** The zone that became hottest. */
export interface ThermalSummary {
  readonly maxCelsius: number;
  readonly type: string;
}

export function createThermalFold(): Fold<SummedThermal, ThermalSummary> {
  const gauges = new Map<string, { readonly type: string; readonly celsius: Gauge }>();
  return {
    step(step) {
      for (const to of step.to.value.zones) {
        const from = step.from.value.zones.find(({ zone }) => zone === to.zone);
        if (from === undefined) continue;
        const gauge = gauges.get(to.zone) ?? { type: to.type, celsius: new Gauge() };
        gauges.set(to.zone, gauge);
        gauge.celsius.add(step, from.celsius, to.celsius);
      }
    },
    finish() {
      const zones = [...gauges.values()].flatMap(({ type, celsius }) => {
        const figures = celsius.figures();
        return figures === undefined ? [] : [{ type, maxCelsius: figures.max }];
      });
      return zones.sort((a, b) => b.maxCelsius - a.maxCelsius)[0];
    },
  };
}

/** The clocks of a snapshot. */
export interface SummedClocks {
  readonly throttleEvents?: { readonly core?: number; readonly package?: number };
}

/** How often heat made a core or a package slow itself down. Interpolated, so it may be a fraction. */
export function createThrottleFold(): Fold<SummedClocks, number> {
  let events: number | undefined;
  return {
    step(step) {
      const [from, to] = [total(step.from.value), total(step.to.value)];
      if (from !== undefined && to !== undefined) events = (events ?? 0) + shareOf(step) * growthOf(from, to);
    },
    finish: () => events,
  };
}

function total({ throttleEvents }: SummedClocks): number | undefined {
  if (throttleEvents === undefined) return undefined;
  return (throttleEvents.core ?? 0) + (throttleEvents.package ?? 0);
}
