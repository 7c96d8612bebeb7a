import { activationParameters } from '../activation-grid.ts';
import { type ChannelLayout, channelAbsMax, type IntegerRange } from '../affine.ts';
import { findFeatureMaps, type SpatialSizes } from '../calibration/feature-maps.ts';
import { qdqSettings } from '../qdq-settings.ts';
import { anchorScales } from '../quantized-constants.ts';
import { collectGrams, MOST_COLUMNS } from '../reconstruction/collect-grams.ts';
import type { LayerInput } from '../reconstruction/observe-grams.ts';
import { type ProductLayer, productLayer } from '../reconstruction/product-layer.ts';
import { roundLayer } from '../reconstruction/round-layer.ts';
import { canSkipPositions } from '../reconstruction/unfold-input.ts';
import { roundHalfEven } from '../round-half-even.ts';
import type { TunedConstants } from '../tuned-constants.ts';
import { type AnchorConstants, anchorsOf, readAnchorConstants } from './anchor-constants.ts';
import { type Draft, withConstants } from './draft.ts';
import type { TuningPass, TuningTools } from './tuning-pass.ts';

/** What is learned from more samples than these does not change much. */
const MOST_SAMPLES = 16;

/**
 * Rounds the weights of a layer together instead of each to its nearest code, so that what the layer gives for the inputs
 * that it really gets, those that are rounded already, changes least.
 *
 * What an error in the weights does to the output is told by the Gram matrix of the inputs alone, which is summed up by the
 * runtime in one pass over the samples, for all layers at once. To also make up for what earlier layers lost, by
 * fitting the float output instead of the weights, was tried and lost accuracy: least squares then shrinks the weights, as
 * rounded inputs are noisy, and each layer is fitted to the few samples there are.
 * Source: see `roundRows`. Nagel et al., «Up or down?» (AdaRound, 2020), state the problem.
 */
export const learnedRounding: TuningPass = {
  name: 'learned-rounding',
  run: async (draft, tools) => {
    const work = workOf(draft, tools);
    const tuned = new Map<string, TunedConstants>();
    const featureMaps = findFeatureMaps(draft.view);
    const quantized = () => {
      const model = tools.quantize(draft);
      const inputs = new Map(model.proto.graph?.node.map(({ name, input }) => [name, input[0] ?? '']));
      return {
        model,
        inputOf: (layer: ProductLayer) => ({
          input: inputs.get(layer.node.name) ?? '',
          ...positionsToSee(layer, featureMaps.get(layer.node.output[0] ?? '')),
        }),
      };
    };
    const layers = [...work.layers.keys()];
    await collectGrams(
      layers,
      quantized,
      { run: (model) => tools.learn(model, MOST_SAMPLES), multiply: tools.multiply },
      async (layer, sums) => {
        const { constants, scales } = work.layers.get(layer) as RoundingWork;
        const { weights } = constants;
        const codes = new Int8Array(weights.length);
        const grid = {
          codes: work.grid,
          scale: (channel: number) => scales[scales.length === 1 ? 0 : channel] as number,
          zeroPoint: () => 0,
        };
        const write = (channel: number, column: number, code: number) => {
          codes[channel * layer.rowStride + column * layer.columnStride] = code;
        };
        const done = await roundLayer(layer, sums, weights, grid, write, tools.multiply);
        if (done) tuned.set(layer.node.name ?? '', { weightScales: scales, weightCodes: codes });
      },
    );
    const reason = [
      `weights of ${tuned.size} layers rounded by their inputs`,
      ...(work.exact > 0 ? [`${work.exact} lie on their grid already`] : []),
      ...(work.tooLong > 0 ? [`${work.tooLong} have more than ${MOST_COLUMNS} inputs a channel`] : []),
    ].join(', ');
    if (tuned.size === 0) return { changed: 0, reason };
    return { draft: withConstants(draft, tuned), changed: tuned.size, reason };
  },
};

/** For each column of a layer, so many positions in all. */
const POSITIONS_A_COLUMN = 8;
/** Of each sample no fewer than these: with fewer, rounding of ResNet-20 was no better than to nearest. */
const FEWEST_POSITIONS = 128;
/** Columns of a depthwise convolution are as short as its kernel. */
const FEWEST_POSITIONS_DEPTHWISE = 48;

/** How far to go on a feature map from one position that is looked at to the next: neighbours tell nearly the same. */
function positionsToSee(
  layer: ProductLayer,
  sizes: SpatialSizes | undefined,
): Pick<LayerInput, 'everyOther' | 'positions'> {
  // What a Gemm reads has one row a sample.
  if (layer.node.opType === 'Gemm') return { positions: 1 };
  const known = sizes?.filter((size): size is number => size !== undefined) ?? [];
  if (sizes === undefined || known.length < sizes.length) return {};
  const all = known.reduce((product, size) => product * size, 1);
  if (!canSkipPositions(layer)) return { positions: all };
  const isDepthwise = layer.groups > 1 && layer.weights.dims[1] === 1;
  const fewest = isDepthwise ? FEWEST_POSITIONS_DEPTHWISE : FEWEST_POSITIONS;
  const wanted = Math.max(fewest, (POSITIONS_A_COLUMN * layer.columns) / MOST_SAMPLES);
  const step = Math.max(1, Math.floor((all / wanted) ** (1 / known.length)));
  return { everyOther: known.map(() => step), positions: all / step ** known.length };
}

interface RoundingWork {
  readonly constants: AnchorConstants;
  /** Those that the weights will be written with. */
  readonly scales: Float32Array;
}

function workOf(draft: Draft, { recipe }: TuningTools) {
  const { activations, weights: settings } = qdqSettings(recipe);
  const layers = new Map<ProductLayer, RoundingWork>();
  let exact = 0;
  let tooLong = 0;
  for (const anchor of anchorsOf(draft)) {
    const layer = productLayer(anchor.node, draft.view);
    const edge = draft.placement.edges.get(anchor.activations[0] ?? '');
    const range = edge === undefined ? undefined : draft.ranges.get(edge);
    if (layer === undefined || range === undefined) continue;
    if (layer.columns > MOST_COLUMNS) {
      tooLong += 1;
      continue;
    }
    const constants = readAnchorConstants(draft.view, anchor);
    const { weights, bias } = constants;
    const layout = settings.perTensor ? { outer: 1, channels: 1, inner: weights.length } : constants.layout;
    const { scales } = anchorScales(
      { absMax: channelAbsMax(weights, layout), bias: settings.quantizeBias ? bias : undefined },
      activationParameters(range, activations),
      settings,
      draft.constants.get(anchor.node.name ?? ''),
    );
    if (liesOnGrid(weights, layout, scales, settings.grid)) exact += 1;
    else layers.set(layer, { constants, scales });
  }
  return { layers, exact, tooLong, grid: settings.grid };
}

/** Shares of a step. */
const NEGLIGIBLE_ERROR = 0.02;

function liesOnGrid(
  weights: Float32Array,
  { channels, inner }: ChannelLayout,
  scales: Float32Array,
  grid: IntegerRange,
): boolean {
  for (let start = 0; start < weights.length; start += inner) {
    const scale = scales[(start / inner) % channels] as number;
    for (let i = start; i < start + inner; i++) {
      const steps = (weights[i] as number) / scale;
      const code = Math.min(grid.max, Math.max(grid.min, roundHalfEven(steps)));
      if (!(Math.abs(steps - code) < NEGLIGIBLE_ERROR)) return false;
    }
  }
  return true;
}
