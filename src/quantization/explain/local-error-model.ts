import { intAttributeProto } from '../../onnx/attributes.ts';
import { cloneMessage } from '../../onnx/clone-message.ts';
import { makeNode } from '../../onnx/make-node.ts';
import type { NodeProto, ValueInfoProto } from '../../onnx/messages.ts';
import type { OnnxModel } from '../../onnx/model-file.ts';
import { createNameScope } from '../../onnx/name-scope.ts';
import { importRuntimeDomain } from '../dynamic/lstm.ts';
import type { GraphView } from '../graph-view.ts';
import { type AddedConstants, clippingNodes, roundingNodes, withCodedWeights } from './node-copies.ts';
import type { PairedNode, Pairing } from './pair-graphs.ts';

/** Outputs that hold one number each; undefined where there is nothing of the kind. */
export interface LocalErrorOutputs {
  readonly node: PairedNode;
  /** Sum of squares of the node's result. */
  readonly signal: string;
  /** How many values the result has. */
  readonly size: string;
  /** Sums of squares of what coded weights alone, rounded inputs alone, and inputs that are cut off at their range alone, change. */
  readonly weights: string | undefined;
  readonly inputs: string | undefined;
  readonly clipping: string | undefined;
}

/**
 * The float32 model with copies beside its nodes that compute with coded weights, or from rounded inputs, and tell how far their results
 * are from the node's own. All inputs are those of the float32 model: what errors of other nodes add is not in it.
 */
export function buildLocalErrorModel(
  view: GraphView,
  pairing: Pairing,
  nodes: readonly PairedNode[],
): { readonly model: OnnxModel; readonly outputs: readonly LocalErrorOutputs[] } {
  const { model, graph, index } = view;
  const added: AddedConstants = { initializers: [], names: createNameScope(graph) };
  const { names } = added;
  const more: NodeProto[] = [];
  const told: ValueInfoProto[] = [];
  const reduce = (op: string, input: string): string => {
    const output = names.fresh(`${input}_${op}`);
    const attribute = op === 'Size' ? [] : [intAttributeProto('keepdims', 0)];
    more.push(makeNode(op, { name: output, input: [input], output: [output], attribute }));
    told.push({ name: output, metadataProps: [] });
    return output;
  };
  const made = new Map<string, string>();
  const once = (key: string, make: (to: string) => readonly NodeProto[]): string => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const to = names.fresh(key);
    more.push(...make(to));
    made.set(key, to);
    return to;
  };

  const outputs = nodes.map((node): LocalErrorOutputs => {
    const { float, output, weights } = node;
    const result = float.output[0] ?? '';
    /** The difference between the node's result and that of a copy, as a sum of squares. */
    const noiseOf = (what: string, copy: NodeProto): string => {
      let changed = copy.output[0] as string;
      more.push(copy);
      const activation = output === result ? undefined : index.producerOf.get(output);
      if (activation !== undefined) {
        const active = { ...cloneMessage(activation), name: names.fresh(`${output}_${what}`) };
        active.input[0] = changed;
        changed = names.fresh(`${output}_${what}_result`);
        active.output = [changed];
        more.push(active);
      }
      const difference = names.fresh(`${output}_${what}_error`);
      more.push(makeNode('Sub', { name: difference, input: [changed, output], output: [difference] }));
      return reduce('ReduceSumSquare', difference);
    };
    const copyOf = (what: string, inputs: readonly string[]): NodeProto => ({
      ...float,
      name: names.fresh(`${result}_${what}_copy`),
      input: [...inputs],
      output: [names.fresh(`${result}_${what}`)],
    });
    const rounded = float.input.map((name) => {
      const tensor = pairing.rounded.get(name);
      return tensor === undefined
        ? name
        : once(`${name}_rounded_alone`, (to) => roundingNodes(tensor, name, to, added));
    });
    const clipped = float.input.map((name) => {
      const grid = pairing.rounded.get(name)?.grid;
      return grid === undefined
        ? name
        : once(`${name}_clipped_alone`, (to) => clippingNodes(grid, name, to, added));
    });
    const isOther = (inputs: readonly string[]) => inputs.some((name, place) => name !== float.input[place]);
    return {
      node,
      signal: reduce('ReduceSumSquare', output),
      size: reduce('Size', output),
      weights:
        weights === undefined
          ? undefined
          : noiseOf(
              'weights',
              withCodedWeights({ ...node, weights }, float, names.fresh(`${result}_coded`), added),
            ),
      inputs: isOther(rounded) ? noiseOf('inputs', copyOf('inputs', rounded)) : undefined,
      clipping: isOther(clipped) ? noiseOf('clipping', copyOf('clipping', clipped)) : undefined,
    };
  });
  const observing = {
    ...graph,
    node: [...graph.node, ...more],
    initializer: [...graph.initializer, ...added.initializers],
    output: [...graph.output, ...told],
  };
  const proto = { ...model.proto, opsetImport: [...model.proto.opsetImport], graph: observing };
  importRuntimeDomain(proto);
  return { model: { ...model, proto }, outputs };
}
