import { makeNode } from '../../onnx/make-node.ts';
import type { NodeProto, TensorProto } from '../../onnx/messages.ts';
import type { NameScope } from '../../onnx/name-scope.ts';
import { tensorFrom } from '../../onnx/tensor-data.ts';
import type { GraphView } from '../graph-view.ts';
import { nonFiniteWeight } from '../non-finite-constant.ts';
import { type MatrixStack, quantizeMatrices, type WeightSettings } from './weight-matrices.ts';

/** Names of the three outputs of a DynamicQuantizeLinear. */
interface ActivationCodes {
  readonly codes: string;
  readonly scale: string;
  readonly zeroPoint: string;
}

/** Names of the initializers that weights became. */
export interface WeightCodes {
  readonly codes: string;
  readonly scale: string;
  readonly scaleDims: readonly number[];
}

/** Collects what the new graph needs beside the nodes in the place of old ones. The graph itself is not changed. */
export interface DynamicWriter {
  readonly view: GraphView;
  readonly names: NameScope;
  readonly initializers: readonly TensorProto[];
  addInitializer(tensor: TensorProto): void;
  /** The u8 codes of `activation`, and the node that makes them where this is the first to ask for them. */
  quantizeActivation(activation: string): ActivationCodes & { readonly before: readonly NodeProto[] };
  /**
   * The s8 codes of weights, multiplied by `factor` first, and their float32 scales. Nodes that ask for the same get
   * the same. Throws `ProblemError` `non-finite-weight`, which names `node`.
   * @param dims of the codes and, unless there is one scale a matrix, of the scales
   */
  quantizeWeights(
    node: NodeProto,
    tensor: TensorProto,
    stack: MatrixStack,
    dims: { readonly codes: readonly number[]; readonly scale: readonly number[] },
    factor?: number,
  ): WeightCodes;
  /** A constant int8 tensor of zeros. */
  zeros(dims: readonly number[]): string;
}

export function createDynamicWriter(
  view: GraphView,
  settings: WeightSettings,
  names: NameScope,
): DynamicWriter {
  const initializers: TensorProto[] = [];
  const activations = new Map<string, ActivationCodes>();
  const constants = new Map<string, WeightCodes>();
  const zeroTensors = new Map<string, string>();
  const add = (hint: string, dims: readonly number[], data: Parameters<typeof tensorFrom>[2]): string => {
    const name = names.fresh(hint);
    initializers.push(tensorFrom(name, dims, data));
    return name;
  };
  return {
    view,
    names,
    initializers,
    addInitializer: (tensor) => initializers.push(tensor),
    quantizeActivation: (activation) => {
      const known = activations.get(activation);
      if (known !== undefined) return { ...known, before: [] };
      const made = {
        codes: names.fresh(`${activation}_quantized`),
        scale: names.fresh(`${activation}_scale`),
        zeroPoint: names.fresh(`${activation}_zero_point`),
      };
      activations.set(activation, made);
      const quantize = makeNode('DynamicQuantizeLinear', {
        name: names.fresh(`${activation}_DynamicQuantizeLinear`),
        input: [activation],
        output: [made.codes, made.scale, made.zeroPoint],
      });
      return { ...made, before: [quantize] };
    },
    quantizeWeights: (node, tensor, stack, dims, factor = 1) => {
      const key = JSON.stringify([tensor.name, stack, factor]);
      const known = constants.get(key);
      if (known !== undefined) return known;
      const values = view.readFloats(tensor);
      if (factor !== 1) for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) * factor;
      const quantized = quantizeMatrices(values, stack, settings);
      if (quantized === undefined) throw nonFiniteWeight(node, tensor);
      const scaleDims = settings.perTensor ? dims.scale.slice(0, -1) : dims.scale;
      const made = {
        codes: add(`${tensor.name}_quantized`, dims.codes, quantized.codes),
        scale: add(`${tensor.name}_scale`, scaleDims, quantized.scales),
        scaleDims,
      };
      constants.set(key, made);
      return made;
    },
    zeros: (dims) => {
      const key = dims.join('x');
      const known = zeroTensors.get(key);
      if (known !== undefined) return known;
      const made = add(`zero_point_${key}`, dims, new Int8Array(dims.reduce((a, b) => a * b, 1)));
      zeroTensors.set(key, made);
      return made;
    },
  };
}
