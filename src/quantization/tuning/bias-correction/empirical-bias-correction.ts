import type { OnnxModel } from '../../../onnx/model-file.ts';
import { qdqSettings } from '../../qdq-settings.ts';
import type { TunedConstants } from '../../tuned-constants.ts';
import { anchorsOf, readAnchorConstants } from '../anchor-constants.ts';
import { channelStatistics, type ObservedChannels } from '../channel-statistics.ts';
import { forEachPair, productUse } from '../constant-use.ts';
import { type Draft, withConstants } from '../draft.ts';
import type { Learn } from '../learning-run.ts';
import type { TuningPass } from '../tuning-pass.ts';

/** Means of channels are known well enough after so many samples. */
const SAMPLES = 32;
/** Where there are more layers, some that follow one another are corrected in one step: each step runs the model once more. */
const MOST_STEPS = 8;

type Anchor = ReturnType<typeof anchorsOf>[number];

/**
 * Adds to the biases what the quantized model is really seen to lack: for each channel the mean of what the float layer gives, less the
 * mean of what the layer gives in the quantized model. Unlike the correction by means of inputs it sees what all layers before add,
 * what padding does, and layers before it that have no bias. The model is gone through from its inputs on, as what is corrected
 * changes what comes after. Of layers that are corrected in one step, the first takes on all that it lacks, those after it what they lack
 * besides what the means of their inputs do, as that is being corrected in front of them.
 * Source: Nagel et al., «Data-Free Quantization Through Weight Equalization and Bias Correction» (2019), appendix D.
 */
export const empiricalBiasCorrection: TuningPass = {
  name: 'empirical-bias-correction',
  run: async (draft, { recipe, learn, quantize }) => {
    const anchors = anchorsOf(draft).filter(({ weights }) => weights.bias !== undefined);
    if (!qdqSettings(recipe).weights.quantizeBias || anchors.length === 0) {
      return { changed: 0, reason: 'no layer has a bias on its own grid' };
    }
    const wanted = await meansOf(draft.view.model, anchors, learn);
    let corrected: Draft = draft;
    for (const step of inSteps(anchors)) {
      const seen = await meansOf(quantize(corrected), step, learn);
      const tuned = new Map<string, TunedConstants>();
      for (const [place, anchor] of step.entries()) {
        const name = anchor.node.name ?? '';
        const constants = readAnchorConstants(corrected.view, anchor);
        const bias = corrected.constants.get(name)?.bias ?? constants.bias;
        const [due, given] = [wanted.get(anchor), seen.get(anchor)];
        if (bias === undefined || due === undefined || given === undefined) continue;
        const lack = due.result.map((mean, channel) => mean - (given.result[channel] as number));
        if (place > 0) withoutInputs(lack, anchor, constants.weights, due.input, given.input);
        tuned.set(name, { bias: bias.map((value, channel) => value + (lack[channel] as number)) });
      }
      corrected = withConstants(corrected, tuned);
    }
    return { draft: corrected, changed: anchors.length, reason: `biases of ${anchors.length} layers` };
  },
};

/** Takes from what a layer lacks what is lacking in the means of its input already. */
function withoutInputs(
  lack: Float64Array,
  { node, weights }: Anchor,
  values: Float32Array,
  due: Float64Array,
  given: Float64Array,
): void {
  const use = productUse(node, weights.tensor);
  forEachPair(use, (made, channel, start) => {
    const lacking = (due[channel] as number) - (given[channel] as number);
    for (let element = start; element < start + use.layout.kernel; element++) {
      lack[made] = (lack[made] as number) - (values[element] as number) * lacking;
    }
  });
}

/** Layers in the order of the graph, in so many parts at most. */
function inSteps(anchors: readonly Anchor[]): readonly (readonly Anchor[])[] {
  const size = Math.ceil(anchors.length / MOST_STEPS);
  return Array.from({ length: Math.ceil(anchors.length / size) }, (_, step) =>
    anchors.slice(step * size, (step + 1) * size),
  );
}

interface LayerMeans {
  readonly input: Float64Array;
  readonly result: Float64Array;
}

/** The means of the channels that layers read and give, in a model in which they have the same names. */
async function meansOf(
  model: OnnxModel,
  anchors: readonly Anchor[],
  learn: Learn,
): Promise<ReadonlyMap<Anchor, LayerMeans>> {
  const nodes = new Map(model.proto.graph?.node.map((node) => [node.name, node]));
  const observed = new Map<string, ObservedChannels>();
  const placed = anchors.map((anchor) => {
    const { axis, reads, makes } = productUse(anchor.node, anchor.weights.tensor);
    const { input: [input = ''] = [], output: [result = ''] = [] } = nodes.get(anchor.node.name) ?? {};
    observed.set(input, { tensor: input, axis, channels: reads });
    observed.set(result, { tensor: result, axis, channels: makes });
    return { anchor, input, result };
  });
  const statistics = await channelStatistics(
    model,
    [...observed.values()],
    { learn, figures: ['mean'] },
    SAMPLES,
  );
  const meanOf = (tensor: string) => statistics.get(tensor)?.mean as Float64Array;
  return new Map(
    placed.map(({ anchor, input, result }) => [anchor, { input: meanOf(input), result: meanOf(result) }]),
  );
}
