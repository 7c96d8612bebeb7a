import type { ValueRange } from '../../affine.ts';
import { qdqSettings } from '../../qdq-settings.ts';
import type { TunedConstants } from '../../tuned-constants.ts';
import { anchorsOf, readAnchorConstants } from '../anchor-constants.ts';
import { channelStatistics, type ObservedChannels } from '../channel-statistics.ts';
import { forEachPair, productUse } from '../constant-use.ts';
import { withConstants } from '../draft.ts';
import { roundedWeights } from '../rounded-weights.ts';
import type { TuningPass } from '../tuning-pass.ts';
import { withRoundedTensors } from './rounded-tensors.ts';

/** Means of channels are known well after so many samples. */
const SAMPLES = 64;

/**
 * Adds to the biases what rounding and clipping take away on average: for each channel the mean of what the float layer
 * computes, less the mean of what rounded weights compute of the rounded input. Both are told by the means of the
 * input's channels, so the layer itself is not run; that at the border fewer weights take part is left out.
 * Source: Nagel et al., «Data-Free Quantization Through Weight Equalization and Bias Correction» (2019), section 4.2, with means that
 * were seen instead of those that BatchNormalization promises; NNCF's FastBiasCorrection does likewise.
 */
export const biasCorrection: TuningPass = {
  name: 'bias-correction',
  run: async (draft, { recipe, learn }) => {
    const settings = qdqSettings(recipe);
    const anchors = anchorsOf(draft).filter(({ weights }) => weights.bias !== undefined);
    if (!settings.weights.quantizeBias || anchors.length === 0) {
      return { changed: 0, reason: 'no layer has a bias on its own grid' };
    }
    const layers = anchors.map((anchor) => {
      const { node, weights } = anchor;
      const use = productUse(node, weights.tensor);
      return { anchor, use, input: { tensor: node.input[0] ?? '', axis: use.axis, channels: use.reads } };
    });
    const ranges = new Map<string, ValueRange>();
    for (const { input } of layers) {
      const range = draft.ranges.get(draft.placement.edges.get(input.tensor) ?? input.tensor);
      if (range !== undefined) ranges.set(input.tensor, range);
    }
    const { model, roundedOf } = withRoundedTensors(draft.view.model, ranges, settings.activations);
    const rounded = (input: ObservedChannels) => ({
      ...input,
      tensor: roundedOf.get(input.tensor) ?? input.tensor,
    });
    const observed = new Map(layers.map(({ input }) => [input.tensor, input]));
    const statistics = await channelStatistics(
      model,
      [...observed.values()].flatMap((input) => [input, rounded(input)]),
      { learn, figures: ['mean'] },
      SAMPLES,
    );
    const tuned = new Map<string, TunedConstants>();
    for (const { anchor, use, input } of layers) {
      const name = anchor.node.name ?? '';
      const known = draft.constants.get(name);
      const constants = readAnchorConstants(draft.view, anchor);
      const codes = roundedWeights(constants, known, settings.weights);
      const mean = statistics.get(input.tensor)?.mean;
      const roundedMean = statistics.get(rounded(input).tensor)?.mean;
      if (mean === undefined || roundedMean === undefined || constants.bias === undefined) continue;
      const lost = new Float64Array(use.makes);
      const { weights } = constants;
      forEachPair(use, (made, channel, start) => {
        for (let element = start; element < start + use.layout.kernel; element++) {
          const difference =
            (weights[element] as number) * (mean[channel] as number) -
            (codes[element] as number) * (roundedMean[channel] as number);
          lost[made] = (lost[made] as number) + difference;
        }
      });
      const before = known?.bias ?? constants.bias;
      tuned.set(name, { bias: before.map((value, channel) => value + (lost[channel] as number)) });
    }
    return {
      draft: withConstants(draft, tuned),
      changed: tuned.size,
      reason: `biases of ${tuned.size} layers`,
    };
  },
};
