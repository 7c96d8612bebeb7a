import { readModel } from '../../onnx/model-file.ts';
import type { OpenModel } from '../../onnx/open-model.ts';
import { nameNodes } from '../../onnx/passes/name-nodes.ts';
import { prepareModel } from '../../onnx/passes/prepare.ts';
import {
  type Pairing,
  pairGraphs,
  type WeightsFound,
  weightsFound,
} from '../../quantization/explain/pair-graphs.ts';
import { readQuantizedGraph } from '../../quantization/explain/quantized-graph.ts';
import { rescaleFloat } from '../../quantization/explain/rescaled-float.ts';
import { type GraphView, viewGraph } from '../../quantization/graph-view.ts';
import { requireQuantizable } from '../quantizable.ts';
import { unwrap } from '../unwrap.ts';

export interface OpenedPair {
  /** The float32 model in the form that the quantized one was made of. */
  readonly float: GraphView;
  readonly quantized: GraphView;
  readonly pairing: Pairing;
  /** The float32 model as it came, where `float` has its channels scaled as those of an equalized model. */
  readonly original: GraphView | undefined;
}

/**
 * Reads both models and finds out what of one belongs to what of the other. Tools fold normalization into weights before they quantize, or
 * do not: the form of the float32 model in which more weights are found again as they are is taken, as normalization that is left out looks
 * like channels that were scaled. Throws `ProblemError`.
 */
export async function openPair(
  referencePath: string,
  candidatePath: string,
  open: OpenModel,
): Promise<OpenedPair> {
  const quantized = viewGraph(unwrap(readModel(candidatePath)));
  const graph = readQuantizedGraph(quantized);
  const pairWith = async (fold: boolean): Promise<OpenedPair & { readonly found: WeightsFound }> => {
    const model = unwrap(readModel(referencePath));
    requireQuantizable(model);
    unwrap(await prepareModel(model, { fold, open }));
    nameNodes(model);
    const float = viewGraph(model);
    const pairing = pairGraphs(graph, quantized, float);
    const scaled = rescaleFloat(float, pairing, quantized);
    const found = weightsFound(pairing);
    if (scaled === undefined) return { float, quantized, pairing, original: undefined, found };
    return {
      float: scaled,
      quantized,
      pairing: pairGraphs(graph, quantized, scaled),
      original: float,
      found,
    };
  };
  const folded = await pairWith(true);
  if (folded.pairing.unpaired.length === 0 && folded.original === undefined) return folded;
  const plain = await pairWith(false);
  const [one, other] = [folded, plain].map(({ found }) => found) as [WeightsFound, WeightsFound];
  const isPlain = other.asTheyAre === one.asTheyAre ? other.all > one.all : other.asTheyAre > one.asTheyAre;
  return isPlain ? plain : folded;
}
