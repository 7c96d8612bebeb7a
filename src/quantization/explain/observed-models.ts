import { makeNode } from '../../onnx/make-node.ts';
import type { GraphProto, NodeProto, ValueInfoProto } from '../../onnx/messages.ts';
import type { OnnxModel } from '../../onnx/model-file.ts';
import { createNameScope } from '../../onnx/name-scope.ts';
import { observeTensors } from '../calibration/observation.ts';
import type { GraphView } from '../graph-view.ts';
import type { CodedName } from './quantized-node.ts';

/** A tensor that both models have. */
export interface SharedTensor {
  readonly float: string;
  /** How the quantized model tells it; undefined where it does not. */
  readonly quantized: { readonly float: string } | { readonly codes: CodedName } | undefined;
}

/** Both models with outputs that hold an even share of the values of chosen tensors, at the same places. */
export interface ObservedModels {
  readonly float: OnnxModel;
  readonly quantized: OnnxModel;
  readonly outputs: readonly {
    readonly tensor: string;
    readonly float: string;
    readonly quantized: string | undefined;
  }[];
}

/** Nodes and weights are shared with the originals. */
export function observeBoth(
  float: GraphView,
  quantized: GraphView,
  tensors: readonly SharedTensor[],
): ObservedModels {
  const { model, observed } = observeTensors(
    float,
    tensors.map((tensor) => tensor.float),
    { values: true },
  );
  const observers = new Map((model.proto.graph?.node ?? []).map((node) => [node.output[0] ?? '', node]));
  const names = createNameScope(quantized.graph);
  const nodes: NodeProto[] = [];
  const added: ValueInfoProto[] = [];
  const outputs = tensors.map((tensor, position) => {
    const seen = observed[position];
    const output = seen?.kind === 'values' ? seen.valuesOutput : tensor.float;
    const observer = observers.get(output);
    if (tensor.quantized === undefined || observer === undefined) {
      return { tensor: tensor.float, float: output, quantized: undefined };
    }
    let source = 'float' in tensor.quantized ? tensor.quantized.float : '';
    if ('codes' in tensor.quantized) {
      const { codes, scale, zeroPoint } = tensor.quantized.codes;
      source = names.fresh(`${codes}_seen`);
      nodes.push(
        makeNode('DequantizeLinear', { name: source, input: [codes, scale, zeroPoint], output: [source] }),
      );
    }
    const result = names.fresh(`${source}_values`);
    nodes.push({ ...observer, name: result, input: [source], output: [result] });
    added.push({ name: result, metadataProps: [] });
    return { tensor: tensor.float, float: output, quantized: result };
  });
  const { graph } = quantized;
  const observing: GraphProto = {
    ...graph,
    node: [...graph.node, ...nodes],
    output: [...graph.output, ...added],
  };
  const proto = { ...quantized.model.proto, graph: observing };
  return { float: model, quantized: { ...quantized.model, proto }, outputs };
}
