import type { NamedTensors } from '../../core/tensor.ts';
import type { OnnxModel } from '../../onnx/model-file.ts';
import { createNameScope } from '../../onnx/name-scope.ts';
import { eliminateDead } from '../../onnx/passes/eliminate-dead.ts';
import { createGramCollector, type GramSums } from './gram-sums.ts';
import type { MatrixProduct } from './matrix-product.ts';
import { type LayerInput, type ObservedGram, observeGrams } from './observe-grams.ts';
import type { ProductLayer } from './product-layer.ts';

/** The most elements of Gram matrices that are summed up in one pass over the samples: 128 MiB of float64. */
const MOST_ELEMENTS = 2 ** 24;

/** Longer columns are left alone: their Gram matrix alone would take most of that, and minutes to factor. */
export const MOST_COLUMNS = 3072;

/** Runs a model over samples, one after another. */
export type RunOverSamples = (model: OnnxModel) => AsyncIterable<{ readonly outputs: NamedTensors }>;

export interface GramTools {
  readonly run: RunOverSamples;
  readonly multiply: MatrixProduct;
  readonly mostElements?: number;
}

/**
 * Gram matrices of layer inputs, a few layers at a time, so that memory is bounded: for each pass over the samples `visit`
 * gets those of some of them, which are let go of when it returns. Layers of which a sum is not finite are left out.
 * The model keeps its own outputs, which states are carried by.
 * @param makeModel gives a copy of the model, and for each layer what is to be seen of it in that copy
 */
export async function collectGrams(
  layers: readonly ProductLayer[],
  makeModel: () => {
    readonly model: OnnxModel;
    readonly inputOf: (layer: ProductLayer) => Omit<LayerInput, 'layer'>;
  },
  { run, multiply, mostElements = MOST_ELEMENTS }: GramTools,
  visit: (layer: ProductLayer, sums: GramSums) => Promise<void>,
): Promise<void> {
  for (const part of partsOf(layers, mostElements)) {
    const { model, inputOf } = makeModel();
    const graph = model.proto.graph;
    if (graph === undefined) return;
    const inputs = part.map((layer): LayerInput => ({ layer, ...inputOf(layer) }));
    const observed = observeGrams(graph, inputs, createNameScope(graph));
    eliminateDead(model);
    const collected = observed.map(({ layer }, at) => ({
      layer,
      collector: createGramCollector(observed[at] as ObservedGram, multiply),
      isFinite: true,
    }));
    for await (const { outputs } of run(model)) {
      for (const of of collected) if (!(await of.collector.add(outputs))) of.isFinite = false;
    }
    for (const of of collected) {
      if ((await of.collector.finish()) && of.isFinite) await visit(of.layer, of.collector.sums);
    }
  }
}

/** Neighbouring layers together, as many as `most` elements allow. */
function partsOf(layers: readonly ProductLayer[], most: number): ProductLayer[][] {
  const parts: ProductLayer[][] = [];
  let room = 0;
  for (const layer of layers) {
    const elements = layer.groups * layer.columns ** 2;
    if (room < elements) {
      parts.push([]);
      room = most;
    }
    room -= elements;
    parts.at(-1)?.push(layer);
  }
  return parts;
}
