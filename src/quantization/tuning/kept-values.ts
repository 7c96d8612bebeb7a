import type { ValueRange } from '../affine.ts';
import type { ObservedValues } from '../calibration/observation.ts';
import { createObserver } from '../calibration/observers.ts';
import type { CalibrationSettings } from '../recipe.ts';

/** Values of a tensor that one run gave, a part of them, and the channel of each. */
export interface KeptRun {
  readonly values: Float32Array;
  readonly channels: Int32Array;
}

/** By tensor; the same runs for all of them. */
export type KeptValues = ReadonlyMap<string, readonly KeptRun[]>;

/**
 * The ranges of tensors whose channels are scaled, without a run of the model that has them so: its values are those that
 * were kept, each times the scale of its channel.
 * @param scalesOf one a channel
 * @returns those of the tensors of which values were kept; none for methods that look at extremes alone
 */
export function rangesOfScaled(
  tensors: readonly string[],
  kept: KeptValues,
  scalesOf: (tensor: string) => Float64Array | undefined,
  settings: CalibrationSettings,
): ReadonlyMap<string, ValueRange> {
  const scaled = tensors.flatMap((tensor) => {
    const runs = kept.get(tensor) ?? [];
    return runs.length === 0 ? [] : [{ tensor, runs, scales: scalesOf(tensor) }];
  });
  const observer = createObserver(
    settings,
    scaled.map(({ tensor }): ObservedValues => ({ kind: 'values', tensor, valuesOutput: tensor })),
  );
  const runs = scaled[0]?.runs.length ?? 0;
  for (let run = 0; run < runs; run++) {
    const outputs = scaled.map(({ tensor, runs: of, scales }) => {
      const { values, channels } = of[run] as KeptRun;
      const data =
        scales === undefined
          ? values
          : values.map((value, at) => value * (scales[channels[at] as number] as number));
      return [tensor, { type: 'float32', dims: [data.length], data }] as const;
    });
    observer.add(run, Object.fromEntries(outputs));
  }
  return observer.ranges();
}
