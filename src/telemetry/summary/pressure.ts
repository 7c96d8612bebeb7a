import type { PressureReading, StallSeconds } from '../collectors/pressure.ts';
import { type Fold, growthOf, shareOf } from './steps.ts';

/** The stall time that came about in the span. */
export function createPressureFold(): Fold<PressureReading, PressureReading> {
  const newStall = () => ({ someSeconds: 0, fullSeconds: 0 });
  const stalls = { cpu: newStall(), io: newStall(), memory: newStall() } satisfies PressureReading;
  let covered = false;
  return {
    step(step) {
      covered = true;
      for (const resource of ['cpu', 'io', 'memory'] as const) {
        const grown = (kind: keyof StallSeconds) =>
          shareOf(step) * growthOf(step.from.value[resource][kind], step.to.value[resource][kind]);
        stalls[resource].someSeconds += grown('someSeconds');
        stalls[resource].fullSeconds += grown('fullSeconds');
      }
    },
    finish: () => (covered ? stalls : undefined),
  };
}
