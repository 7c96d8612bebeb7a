import { allowFreeInitializers } from '../free-initializers.ts';
import { isDefaultDomain } from '../make-node.ts';
import { DATA_TYPE, type NodeProto, type TensorProto } from '../messages.ts';
import type { OnnxModel } from '../model-file.ts';
import { tensorFrom } from '../tensor-data.ts';
import { type PassResult, passResult } from './pass-result.ts';

/**
 * Turns the Constant nodes of the top-level graph into initializers, so that later passes find every constant in one
 * place. Strings and sparse tensors stay nodes, as do constants that the graph gives out. Constants in bodies stay, too.
 * Counts nodes. Changes the model in place.
 */
export function constantsToInitializers({ proto }: OnnxModel): PassResult {
  const { graph } = proto;
  if (graph === undefined) return passResult(0);
  const outputs = new Set(graph.output.map((value) => value.name));
  const before = graph.node.length;
  graph.node = graph.node.filter((node) => {
    if (node.opType !== 'Constant' || !isDefaultDomain(node.domain) || outputs.has(node.output[0]))
      return true;
    const tensor = constantTensor(node);
    if (tensor === undefined) return true;
    graph.initializer.push(tensor);
    return false;
  });
  const count = before - graph.node.length;
  if (count > 0) allowFreeInitializers(proto);
  return passResult(count);
}

function constantTensor(node: NodeProto): TensorProto | undefined {
  const [attribute] = node.attribute;
  const [name] = node.output;
  if (attribute === undefined || name === undefined) return undefined;
  switch (attribute.name) {
    case 'value':
      if (attribute.t === undefined || attribute.t.dataType === DATA_TYPE.string) return undefined;
      return { ...attribute.t, name };
    case 'value_float':
      return tensorFrom(name, [], Float32Array.of(attribute.f ?? 0));
    case 'value_floats':
      return tensorFrom(name, [attribute.floats.length], Float32Array.from(attribute.floats));
    case 'value_int':
      return tensorFrom(name, [], BigInt64Array.of(attribute.i ?? 0n));
    case 'value_ints':
      return tensorFrom(name, [attribute.ints.length], BigInt64Array.from(attribute.ints));
    default:
      return undefined;
  }
}
