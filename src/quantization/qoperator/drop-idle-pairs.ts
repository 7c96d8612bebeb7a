import { indexGraph } from '../../onnx/graph-index.ts';
import type { GraphProto, TensorProto } from '../../onnx/messages.ts';
import type { OnnxModel } from '../../onnx/model-file.ts';
import { readRawBytes } from '../../onnx/tensor-data.ts';
import { type CodedTensor, codesBehind, isOperator } from './coded-tensor.ts';

/**
 * Takes out each QuantizeLinear that rounds what a DequantizeLinear gives to the very grid it comes from: that gives the
 * same codes again.
 */
export function dropIdlePairs(model: OnnxModel, graph: GraphProto): void {
  const index = indexGraph(graph);
  const isSame = (name: string, other: string) => {
    const [one, two] = [index.initializers.get(name), index.initializers.get(other)];
    return name === other || (one !== undefined && two !== undefined && haveSameValue(model, one, two));
  };
  const replacement = new Map<string, string>();
  graph.node = graph.node.filter((node) => {
    const [tensor = '', scale = '', zeroPoint = ''] = node.input;
    const made = node.output[0] ?? '';
    const source: CodedTensor | undefined = isOperator(node, 'QuantizeLinear')
      ? codesBehind(tensor, index)
      : undefined;
    if (source === undefined || index.outputs.has(made) || index.capturedBySubgraphs.has(made)) return true;
    if (!isSame(scale, source.scale) || !isSame(zeroPoint, source.zeroPoint)) return true;
    replacement.set(made, replacement.get(source.codes) ?? source.codes);
    return false;
  });
  for (const node of graph.node) node.input = node.input.map((name) => replacement.get(name) ?? name);
}

/** Whether two constants are the same scalar or vector, bit for bit. */
function haveSameValue(model: OnnxModel, one: TensorProto, two: TensorProto): boolean {
  if (one.dataType !== two.dataType || one.dims.join() !== two.dims.join()) return false;
  const [first, second] = [readRawBytes(model, one), readRawBytes(model, two)];
  return first.ok && second.ok && Buffer.compare(first.value, second.value) === 0;
}
