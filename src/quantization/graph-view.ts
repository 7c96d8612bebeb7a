import { ProblemError } from '../core/problem.ts';
import { inferElementTypes } from '../onnx/element-types.ts';
import { type GraphIndex, indexGraph } from '../onnx/graph-index.ts';
import { DATA_TYPE, type GraphProto, type NodeProto, type TensorProto } from '../onnx/messages.ts';
import type { OnnxModel } from '../onnx/model-file.ts';
import { readAsFloat32 } from '../onnx/tensor-data.ts';

/** A prepared model with what every step of quantization asks about it. It holds as long as the graph is unchanged. */
export interface GraphView {
  readonly model: OnnxModel;
  readonly graph: GraphProto;
  readonly index: GraphIndex;
  /** Element types (DATA_TYPE values) as far as they are known; a tensor of unknown type is never quantized. */
  readonly types: ReadonlyMap<string, number>;
  /** The values of a floating-point constant. Throws `ProblemError` when the file does not hold them. */
  readonly readFloats: (tensor: TensorProto) => Float32Array;
}

export function viewGraph(model: OnnxModel): GraphView {
  const graph = model.proto.graph as GraphProto;
  return {
    model,
    graph,
    index: indexGraph(graph),
    types: inferElementTypes(model.proto),
    readFloats: (tensor) => {
      const values = readAsFloat32(model, tensor);
      if (!values.ok) throw new ProblemError(values.error);
      return values.value;
    },
  };
}

/** The lower and upper bound of a Clip (opset 11 or later); infinite where absent, NaN where not a float constant. */
export function clipBounds(clip: NodeProto, view: GraphView): { readonly min: number; readonly max: number } {
  const bound = (input: string | undefined, absent: number) => {
    if (input === undefined || input === '') return absent;
    const tensor = view.index.initializers.get(input);
    return tensor?.dataType === DATA_TYPE.float ? (view.readFloats(tensor)[0] ?? Number.NaN) : Number.NaN;
  };
  return {
    min: bound(clip.input[1], Number.NEGATIVE_INFINITY),
    max: bound(clip.input[2], Number.POSITIVE_INFINITY),
  };
}
