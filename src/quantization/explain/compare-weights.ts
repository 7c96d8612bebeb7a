import { floatAttribute, intAttribute } from '../../onnx/attributes.ts';
import type { NodeProto, TensorProto } from '../../onnx/messages.ts';
import type { GraphView } from '../graph-view.ts';
import { fitChannels } from './channel-fit.ts';
import type { CodedConstant } from './coded-constant.ts';
import type { QuantizedNode } from './quantized-node.ts';

/** Weights as codes, and as the float32 model has them. */
export interface WeightsPair {
  /** The place of the weights among the inputs, in both nodes. */
  readonly inputIndex: number;
  readonly coded: CodedConstant;
  readonly float: TensorProto;
  /** A vector that is added, where it is kept as codes as well. */
  readonly bias: CodedConstant | undefined;
  /** Whether the codes lie as the transposed matrix of the float32 model. */
  readonly isTransposed: boolean;
  /** Energy of the rounding over that of the weights. */
  readonly noise: number;
  /** What the weights of the float32 model are with their channels scaled as those of the codes are; undefined where they are not. */
  readonly fit: Float32Array | undefined;
}

/** Weights that are further from those of the float32 model than this share of their energy were not made of them. */
const SAME_WEIGHTS = 0.25;
/** Two factors for each row and column fit weights of another model, too, but not so well. */
const SAME_SCALED_WEIGHTS = 0.02;
const MUCH_CLOSER = 0.5;
const MOST_OVER_ROUNDING = 4;

/**
 * The weights of a quantized node beside those of the float32 node. Undefined for a node without coded weights; a text says why they are
 * not of the same node.
 */
export function compareWeights(
  node: QuantizedNode,
  found: NodeProto,
  view: GraphView,
): WeightsPair | string | undefined {
  const places = node.inputs.flatMap((input, place) =>
    input.kind === 'coded' ? [[place, input] as const] : [],
  );
  const [first, second] = places;
  if (first === undefined) return undefined;
  const [inputIndex, { constant: coded }] = first;
  const float = view.index.initializers.get(found.input[inputIndex] ?? '');
  if (float === undefined) return 'its weights are no constant of the float32 model';
  const isTransposed = liesAcross(node, found, coded, float);
  const dims = isTransposed ? [...coded.dims].reverse() : coded.dims;
  if (dims.join() !== float.dims.join()) {
    return `its weights have the shape [${coded.dims}], those of the float32 model [${float.dims}]`;
  }
  const original = floatWeights(found, float, view);
  const values = isTransposed ? transposed(coded.values(), coded.dims) : coded.values();
  const noise = distance(values, original);
  const fit =
    noise <= expectedNoise(coded, original) ? undefined : fitChannels(found, values, original, float.dims);
  const isScaled = fit !== undefined && fit.noise < noise * MUCH_CLOSER && fit.noise <= SAME_SCALED_WEIGHTS;
  if (!(noise <= SAME_WEIGHTS) && !isScaled) {
    return 'its weights are not those of the float32 node: another model, or one that was changed after it was quantized';
  }
  return {
    inputIndex,
    coded,
    float,
    bias: second?.[1].constant,
    isTransposed,
    noise: isScaled ? fit.noise : noise,
    fit: isScaled ? fit.values : undefined,
  };
}

/** With the factor that a Gemm multiplies its product by, which tools make a part of the codes. */
export function floatWeights(found: NodeProto, float: TensorProto, view: GraphView): Float32Array {
  const values = view.readFloats(float);
  const alpha = found.opType === 'Gemm' ? (floatAttribute(found, 'alpha') ?? 1) : 1;
  return alpha === 1 ? values : values.map((value) => value * alpha);
}

function liesAcross(
  node: QuantizedNode,
  found: NodeProto,
  coded: CodedConstant,
  float: TensorProto,
): boolean {
  if (coded.dims.length !== 2 || float.dims.length !== 2) return false;
  const across = (of: NodeProto) => of.opType?.includes('Gemm') === true && intAttribute(of, 'transB') === 1;
  return across(node.node) !== across(found);
}

function distance(values: Float32Array, float: Float32Array): number {
  let noise = 0;
  let signal = 0;
  for (let i = 0; i < float.length; i++) {
    noise += ((values[i] as number) - (float[i] as number)) ** 2;
    signal += (float[i] as number) ** 2;
  }
  return noise === 0 ? 0 : noise / signal;
}

/** Rounding to a step gives a twelfth of its square; weights that are rounded together, or cut off, are some times further off. */
function expectedNoise({ scales }: CodedConstant, float: Float32Array): number {
  let squares = 0;
  for (const scale of scales) squares += scale * scale;
  let signal = 0;
  for (const value of float) signal += value * value;
  return (MOST_OVER_ROUNDING * (squares / scales.length) * float.length) / 12 / signal;
}

/** The elements of a matrix [rows, columns] as [columns, rows]. */
export function transposed(values: Float32Array, [rows = 0, columns = 0]: readonly number[]): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[column * rows + row] = values[row * columns + column] as number;
    }
  }
  return result;
}
