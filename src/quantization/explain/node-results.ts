import { nodeLabel } from '../../onnx/make-node.ts';
import { DATA_TYPE, type NodeProto } from '../../onnx/messages.ts';
import type { GraphView } from '../graph-view.ts';
import { readFloats } from './coded-constant.ts';
import { readQuantizedGraph } from './quantized-graph.ts';
import type { QuantizedNode, RoundedTensor } from './quantized-node.ts';

/** What one node of a model, quantized or not, computes, and with what. */
export interface NodeResult {
  readonly node: string;
  /** Of the float operator. */
  readonly op: string;
  readonly depth: number;
  /** How a run of the model tells its first output. */
  readonly seen: RoundedTensor['seen'];
  /** Nodes of this list that make what it reads, across conversions between floats and codes. */
  readonly reads: readonly string[];
  readonly quantized: QuantizedNode | undefined;
  /** Its floating-point constants, codes as what they stand for, in the order of its inputs. Throws `ProblemError`. */
  readonly constants: () => readonly Float32Array[];
}

/** Conversions, and what only computes shapes and constants, are no results that anybody compares. */
const CONVERSION =
  /^(QuantizeLinear|DequantizeLinear|DynamicQuantizeLinear|Cast|Shape|Constant|ConstantOfShape)$/;

/** The nodes of the main graph that give floats or codes, by what people know them by. Throws `ProblemError`. */
export function nodeResults(view: GraphView): ReadonlyMap<string, NodeResult> {
  const { graph, index, types, model } = view;
  const quantized = new Map(readQuantizedGraph(view).nodes.map((found) => [found.node, found]));
  const results = new Map<string, NodeResult>();
  const makers = new Map<string, string>();
  const makerOf = (tensor: string): string | undefined => {
    const known = makers.get(tensor);
    if (known !== undefined) return known;
    const producer = index.producerOf.get(tensor);
    return producer !== undefined && CONVERSION.test(producer.opType ?? '')
      ? makerOf(producer.input[0] ?? '')
      : undefined;
  };
  for (const [depth, node] of graph.node.entries()) {
    if (CONVERSION.test(node.opType ?? '')) continue;
    const found = quantized.get(node);
    const output = found?.output ?? node.output[0] ?? '';
    if (found === undefined && types.get(output) !== DATA_TYPE.float) continue;
    const label = nodeLabel(node);
    results.set(label, {
      node: label,
      op: found?.op ?? node.opType ?? '',
      depth,
      seen: found?.rounded?.seen ?? { float: output },
      reads: [...new Set(node.input.flatMap((name) => makerOf(name) ?? []))],
      quantized: found,
      constants: () => constantsOf(node, found, view),
    });
    for (const name of [...node.output, output]) makers.set(name, label);
  }
  return results;

  function constantsOf(node: NodeProto, found: QuantizedNode | undefined, { index: of }: GraphView) {
    if (found !== undefined) {
      return found.inputs.flatMap((input) => {
        if (input.kind === 'coded') return [input.constant.values()];
        const tensor = input.kind === 'float' ? of.initializers.get(input.name) : undefined;
        return tensor?.dataType === DATA_TYPE.float ? [readFloats(model, tensor)] : [];
      });
    }
    return node.input.flatMap((name) => {
      const tensor = of.initializers.get(name);
      return tensor?.dataType === DATA_TYPE.float ? [readFloats(model, tensor)] : [];
    });
  }
}
