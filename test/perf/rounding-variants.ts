import { cloneMessage } from '../../src/onnx/clone-message.ts';
import { indexGraph } from '../../src/onnx/graph-index.ts';
import type { GraphProto, NodeProto, TensorProto } from '../../src/onnx/messages.ts';
import type { OnnxModel } from '../../src/onnx/model-file.ts';
import { readRawBytes, tensorFrom } from '../../src/onnx/tensor-data.ts';
import { viewGraph } from '../../src/quantization/graph-view.ts';
import { raiseOpset } from '../../src/quantization/raise-opset.ts';
import { unwrap } from '../support/unwrap.ts';

// Models with only one half of the rounding, made of a model with Q/DQ in it.

/** Steps of a 16-bit grid in one of an 8-bit grid of the same reach. */
const FINER = 257;

/** Activations on 16-bit grids that reach as far as their 8-bit ones: only the rounding of weights is left to see. */
export function withFineActivations(quantized: OnnxModel): OnnxModel {
  const model = copyOf(quantized);
  const { graph } = model;
  const { initializers, producerOf } = indexGraph(graph);
  const { readFloats } = viewGraph(quantized);
  const replaced = new Map<string, TensorProto>();
  for (const node of graph.node) {
    const isPair =
      node.opType === 'QuantizeLinear' || producerOf.get(node.input[0] ?? '')?.opType === 'QuantizeLinear';
    if (!isPair || !isConversion(node)) continue;
    const [scale = '', zeroPoint = ''] = node.input.slice(1);
    const step = readFloats(initializers.get(scale) as TensorProto)[0] as number;
    const code = unwrap(readRawBytes(quantized, initializers.get(zeroPoint) as TensorProto))[0] as number;
    const names = [`${scale}_fine`, `${zeroPoint}_fine`] as const;
    replaced.set(names[0], tensorFrom(names[0], [], Float32Array.of(step / FINER)));
    replaced.set(names[1], tensorFrom(names[1], [], Uint16Array.of(code * FINER)));
    node.input = [node.input[0] as string, ...names];
  }
  graph.initializer.push(...replaced.values());
  raiseOpset(model.proto);
  return model;
}

/** Weights as they were: only the rounding of activations is left to see. */
export function withFloatWeights(quantized: OnnxModel, original: OnnxModel): OnnxModel {
  const model = copyOf(quantized);
  const { graph } = model;
  const { initializers, producerOf } = indexGraph(graph);
  const given = indexGraph(original.proto.graph as GraphProto);
  const nodes = new Map(original.proto.graph?.node.map((node) => [node.name, node]));
  const added = new Map<string, TensorProto>();
  for (const node of graph.node) {
    const dequantize = producerOf.get(node.input[1] ?? '');
    const weights = given.initializers.get(nodes.get(node.name)?.input[1] ?? '');
    if (dequantize === undefined || weights === undefined) continue;
    if (dequantize.opType !== 'DequantizeLinear' || !initializers.has(dequantize.input[0] ?? '')) continue;
    const name = `${weights.name}_float`;
    added.set(name, { ...weights, name });
    node.input[1] = name;
  }
  graph.initializer.push(...added.values());
  return model;
}

function copyOf({ path, proto }: OnnxModel) {
  const copy = cloneMessage(proto);
  return { path, proto: copy, graph: copy.graph as GraphProto };
}

function isConversion({ opType }: NodeProto): boolean {
  return opType === 'QuantizeLinear' || opType === 'DequantizeLinear';
}
