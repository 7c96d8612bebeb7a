import { type TensorStatistics, toDecibels } from '../../quantization/explain/tensor-statistics.ts';
import type { ExplainedTensor } from './explanation.ts';
import type { NodeFindings } from './node-findings.ts';

/** Channels beyond this many are told by their number alone. */
export const MOST_LISTED_CHANNELS = 512;

/** Every tensor that is rounded, in the order in which the nodes read and give them. */
export function describeTensors({ pairing, statistics }: NodeFindings): readonly ExplainedTensor[] {
  return [...pairing.rounded.keys()].flatMap((name) => {
    const of = statistics.get(name);
    return of === undefined ? [] : [describeTensor(name, of)];
  });
}

function describeTensor(tensor: string, { min, max, grid, channels }: TensorStatistics): ExplainedTensor {
  return {
    tensor,
    min,
    max,
    ...(grid === undefined
      ? {}
      : {
          low: grid.low,
          high: grid.high,
          clippedRatio: grid.clippedRatio,
          clippedEnergyRatio: grid.clippingNoise,
          roundingSqnrDb: toDecibels(grid.roundingNoise),
          clippingSqnrDb: toDecibels(grid.clippingNoise),
          ...(grid.usedCodes === undefined ? {} : { usedCodes: grid.usedCodes }),
          codes: grid.codes,
          rangeOf999: grid.rangeOf999,
          histogram: grid.histogram,
        }),
    ...(channels === undefined
      ? {}
      : {
          channels: channels.absMax.length,
          zeroChannels: channels.absMax.filter((largest) => largest === 0).length,
          ...(channels.absMax.length > MOST_LISTED_CHANNELS
            ? {}
            : { channelAbsMax: rounded(channels.absMax) }),
        }),
  };
}

/** Six digits are more than any picture or sentence needs. */
export function rounded(values: Float64Array): readonly number[] {
  return Array.from(values, (value) => Number(value.toPrecision(6)));
}
