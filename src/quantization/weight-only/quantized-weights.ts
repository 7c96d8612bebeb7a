import type { TensorProto } from '../../onnx/messages.ts';
import type { NameScope } from '../../onnx/name-scope.ts';
import type { GraphView } from '../graph-view.ts';
import { nonFiniteWeight } from '../non-finite-constant.ts';
import type { Candidate } from './candidates.ts';
import { createCodeLayout, type QuantizedTensors } from './code-layout.ts';
import type { LearnedCodes } from './learn-codes.ts';
import { quantizeMatrix } from './quantize-matrix.ts';
import type { WeightOnlyRecipe } from './recipe.ts';

/** The names of the initializers that hold a quantized weight. */
export interface QuantizedWeights {
  readonly codes: string;
  readonly scales: string;
  readonly zeroPoints: string | undefined;
}

/**
 * Quantizes the weights of one candidate after the other and adds the results to `initializers`. Weights that several
 * nodes read in the same way are quantized once. No float values are kept between calls.
 * @param learned takes the place of rounding here
 */
export function createWeightQuantizer(
  view: GraphView,
  recipe: WeightOnlyRecipe,
  names: NameScope,
  initializers: TensorProto[],
  learned: LearnedCodes,
): (candidate: Candidate) => QuantizedWeights {
  const done = new Map<string, { readonly tensors: QuantizedTensors; readonly weights: QuantizedWeights }>();
  return (candidate) => {
    const { tensor, transposed, factor } = candidate;
    const key = JSON.stringify([tensor.name, transposed, factor]);
    const known = done.get(key);
    if (known !== undefined && recipe.form === 'matmul-nbits') return known.weights;
    // ONNX Runtime only fuses a DequantizeLinear that no other node shares an initializer with, and one that is not
    // fused decodes its weights in every run. Hence copies, of an eighth or a quarter of the float weights each.
    const tensors = known?.tensors ?? learned.get(candidate.node) ?? quantize(candidate, view, recipe);
    const add = (made: TensorProto, suffix: string) => {
      const name = names.fresh(`${tensor.name ?? ''}_${suffix}`);
      initializers.push({ ...made, name });
      return name;
    };
    const weights = {
      codes: add(tensors.codes, 'quantized'),
      scales: add(tensors.scales, 'scale'),
      zeroPoints: tensors.zeroPoints && add(tensors.zeroPoints, 'zero_point'),
    };
    done.set(key, { tensors, weights });
    return weights;
  };
}

function quantize(
  candidate: Candidate,
  view: GraphView,
  { form, algorithm }: WeightOnlyRecipe,
): QuantizedTensors {
  const { node, tensor, transposed, factor, shape, grid } = candidate;
  const values = view.readFloats(tensor);
  if (factor !== 1) for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) * factor;
  const layout = createCodeLayout(form, shape, grid);
  const matrix = transposed
    ? { values, kStride: 1, nStride: shape.k }
    : { values, kStride: shape.n, nStride: 1 };
  if (!quantizeMatrix(matrix, shape, grid, algorithm, layout)) {
    throw nonFiniteWeight(node, tensor);
  }
  return layout.tensors();
}
