import { cloneMessage } from '../../onnx/clone-message.ts';
import type { NodeProto } from '../../onnx/messages.ts';
import type { AffineParameters } from '../affine.ts';
import type { GraphView } from '../graph-view.ts';
import { collectGrams, MOST_COLUMNS, type RunOverSamples } from '../reconstruction/collect-grams.ts';
import type { GramSums } from '../reconstruction/gram-sums.ts';
import type { MatrixProduct } from '../reconstruction/matrix-product.ts';
import { type ProductLayer, productLayer } from '../reconstruction/product-layer.ts';
import { roundLayer } from '../reconstruction/round-layer.ts';
import { type Candidate, findCandidates } from './candidates.ts';
import { blocksPerColumn, createCodeLayout, type QuantizedTensors } from './code-layout.ts';
import { importantGrid } from './important-grid.ts';
import type { WeightOnlyRecipe } from './recipe.ts';

/** The quantized weights of nodes whose inputs were seen. */
export type LearnedCodes = ReadonlyMap<NodeProto, QuantizedTensors>;

/**
 * Quantizes the weights of MatMul and Gemm nodes by the inputs that they get when the model runs over samples: each column is
 * rounded as a whole, so that its product with those inputs changes least. Nodes in bodies of other nodes, and those of
 * more than `MOST_COLUMNS` weights a column, are left out.
 * Source: GPTQ (Frantar et al., 2022); see `roundRows`. As with its `static_groups`, scales and zero points are fixed before.
 * Throws `ProblemError`: what reading weights and `run` can report.
 */
export async function learnCodes(
  view: GraphView,
  recipe: WeightOnlyRecipe,
  run: RunOverSamples,
  multiply: MatrixProduct,
): Promise<LearnedCodes> {
  const candidates = new Map<ProductLayer, Candidate>();
  for (const [node, candidate] of findCandidates(view, recipe).candidates) {
    const layer = productLayer(node, view);
    if (layer !== undefined && layer.columns <= MOST_COLUMNS) candidates.set(layer, candidate);
  }
  const learned = new Map<NodeProto, QuantizedTensors>();
  const copied = () => ({
    model: { ...view.model, proto: cloneMessage(view.model.proto) },
    inputOf: ({ node }: ProductLayer) => ({ input: node.input[0] as string }),
  });
  await collectGrams([...candidates.keys()], copied, { run, multiply }, async (layer, sums) => {
    const candidate = candidates.get(layer) as Candidate;
    const tensors = await quantizeByInputs(candidate, layer, sums, { view, recipe, multiply });
    if (tensors !== undefined) learned.set(candidate.node, tensors);
  });
  return learned;
}

interface Learning {
  readonly view: GraphView;
  readonly recipe: WeightOnlyRecipe;
  readonly multiply: MatrixProduct;
}

/** Undefined where the sums do not tell enough, or a weight is not finite. */
async function quantizeByInputs(
  { shape, grid, factor }: Candidate,
  layer: ProductLayer,
  sums: GramSums,
  { view, recipe, multiply }: Learning,
): Promise<QuantizedTensors | undefined> {
  const { rowStride, columnStride } = layer;
  const weights = view.readFloats(layer.weights).map((value) => value * factor);
  if (!weights.every(Number.isFinite)) return undefined;
  const { k, n, blockSize } = shape;
  const blocks = blocksPerColumn(shape);
  const values = new Float32Array(blockSize);
  const importance = new Float64Array(blockSize);
  const parameters: AffineParameters[] = [];
  for (let column = 0; column < n; column++) {
    for (let block = 0; block < blocks; block++) {
      const first = block * blockSize;
      const count = Math.min(blockSize, k - first);
      for (let i = 0; i < count; i++) {
        values[i] = weights[column * rowStride + (first + i) * columnStride] as number;
        importance[i] = sums.gram[(first + i) * (k + 1)] as number;
      }
      parameters.push(importantGrid(values, count, importance, grid));
    }
  }
  const parametersOf = (column: number, row: number) =>
    parameters[column * blocks + Math.floor(row / blockSize)] as AffineParameters;
  const codes = new Uint8Array(n * k);
  const isDone = await roundLayer(
    layer,
    sums,
    weights,
    {
      codes: { min: 0, max: grid.maxCode },
      scale: (column, row) => parametersOf(column, row).scale,
      zeroPoint: (column, row) => parametersOf(column, row).zeroPoint,
    },
    (column, row, code) => {
      codes[column * k + row] = code;
    },
    multiply,
  );
  if (!isDone) return undefined;
  const layout = createCodeLayout(recipe.form, shape, grid);
  const blockCodes = new Uint8Array(blockSize);
  for (let column = 0; column < n; column++) {
    for (let block = 0; block < blocks; block++) {
      const of = parametersOf(column, block * blockSize);
      blockCodes.fill(of.zeroPoint);
      blockCodes.set(
        codes.subarray(column * k + block * blockSize, column * k + Math.min(k, (block + 1) * blockSize)),
      );
      layout.write(column, block, of, blockCodes);
    }
  }
  return layout.tensors();
}
