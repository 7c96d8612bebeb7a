import { emptyAttribute } from '../../onnx/attributes.ts';
import { cloneMessage } from '../../onnx/clone-message.ts';
import { makeNode } from '../../onnx/make-node.ts';
import {
  ATTRIBUTE_TYPE,
  DATA_TYPE,
  type GraphProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from '../../onnx/messages.ts';
import type { OnnxModel } from '../../onnx/model-file.ts';
import { createNameScope, type NameScope } from '../../onnx/name-scope.ts';
import { renameTensors } from '../../onnx/rename-tensors.ts';
import { tensorFrom } from '../../onnx/tensor-data.ts';
import { importRuntimeDomain } from '../dynamic/lstm.ts';
import type { GraphView } from '../graph-view.ts';
import { type AddedConstants, roundingNodes, withCodedWeights } from './node-copies.ts';
import type { Pairing } from './pair-graphs.ts';
import type { RoundedTensor } from './quantized-node.ts';

/** What becomes of one rounding of the quantized model: nothing, always, or as a run of the model says. */
export type GateState = 'float' | 'rounded' | 'gated';

/** @param name of the tensor that is rounded; of weights, the first output of their node in the float32 model */
export type ChooseState = (what: 'weights' | 'activation', name: string) => GateState;

/** The float32 model with roundings of the quantized one in it, some of which can be switched on for a run. */
export interface GatedModel {
  readonly model: OnnxModel;
  /** An input of booleans, one a gate: whether it rounds. */
  readonly gatesInput: string;
  readonly gateCount: number;
  /** The gate of a node's weights, by the name of the float32 node's first output. */
  readonly weightGate: ReadonlyMap<string, number>;
  /** The gate of an activation, by its name in the float32 model. */
  readonly roundingGate: ReadonlyMap<string, number>;
}

/**
 * Puts an If around nodes whose weights are coded and behind tensors that are rounded, so that one loaded model serves many
 * questions: what one node costs alone, and what leaving it out gains. Gates keep the runtime from fusing what lies around them, so
 * few of them in each of some models are faster than all in one. Nodes and weights are shared with the original.
 */
export function buildGatedModel(view: GraphView, pairing: Pairing, chooseState: ChooseState): GatedModel {
  const { model, graph } = view;
  const names = createNameScope(graph);
  const gatesInput = names.fresh('gates');
  const added: AddedConstants = { initializers: [], names };
  const gates: NodeProto[] = [];
  const newGate = (): { readonly gate: number; readonly condition: string } => {
    const gate = gates.length;
    const condition = names.fresh(`gate_${gate}`);
    const at = names.fresh(`gate_${gate}_place`);
    added.initializers.push(tensorFrom(at, [], BigInt64Array.of(BigInt(gate))));
    gates.push(makeNode('Gather', { name: condition, input: [gatesInput, at], output: [condition] }));
    return { gate, condition };
  };
  const weightGate = new Map<string, number>();
  const roundingGate = new Map<string, number>();
  const paired = new Map(pairing.nodes.map((pair) => [pair.float, pair]));

  /** What follows a tensor that is rounded: the readers go on reading its name. */
  const behind = (rounded: RoundedTensor, tensor: string, from: string, to: string): readonly NodeProto[] => {
    if (chooseState('activation', tensor) === 'rounded') return roundingNodes(rounded, from, to, added);
    const { gate, condition } = newGate();
    roundingGate.set(tensor, gate);
    const result = names.fresh(`${tensor}_rounded`);
    const then = roundingNodes(rounded, from, result, added);
    const same = names.fresh(`${tensor}_same`);
    const otherwise = [makeNode('Identity', { name: same, input: [from], output: [same] })];
    return [choice(condition, to, [then, result], [otherwise, same], names)];
  };
  const roundedAt = (tensor: string): RoundedTensor | undefined =>
    chooseState('activation', tensor) === 'float' ? undefined : pairing.rounded.get(tensor);

  const body: NodeProto[] = [];
  const renamedInputs = new Map<string, string>();
  for (const { name = '' } of graph.input) {
    const rounded = roundedAt(name);
    if (rounded === undefined) continue;
    const to = names.fresh(`${name}_given`);
    renamedInputs.set(name, to);
    body.push(...behind(rounded, name, name, to));
  }
  const copies = graph.node.map((original) => ({ original, copy: cloneMessage(original) }));
  if (renamedInputs.size > 0) {
    renameTensors(
      copies.map(({ copy }) => copy),
      renamedInputs,
    );
  }
  for (const { original, copy } of copies) {
    const pair = paired.get(original);
    const after: NodeProto[] = [];
    for (const [place, output] of copy.output.entries()) {
      const rounded = roundedAt(output);
      if (rounded === undefined) continue;
      const from = names.fresh(`${output}_float`);
      copy.output[place] = from;
      after.push(...behind(rounded, output, from, output));
    }
    const name = original.output[0] ?? '';
    const state = pair?.weights === undefined ? 'float' : chooseState('weights', name);
    if (pair?.weights === undefined || state === 'float' || copy.output.length !== 1) {
      body.push(copy, ...after);
      continue;
    }
    const output = copy.output[0] as string;
    if (state === 'rounded') {
      body.push(withCodedWeights({ ...pair, weights: pair.weights }, copy, output, added), ...after);
      continue;
    }
    const { gate, condition } = newGate();
    weightGate.set(name, gate);
    const [coded, same] = [names.fresh(`${output}_coded`), names.fresh(`${output}_plain`)];
    const then = withCodedWeights({ ...pair, weights: pair.weights }, copy, coded, added);
    body.push(
      choice(condition, output, [[then], coded], [[{ ...copy, output: [same] }], same], names),
      ...after,
    );
  }
  const gated: GraphProto = {
    ...graph,
    node: [...gates, ...body],
    initializer: [...graph.initializer, ...added.initializers],
    input: [...graph.input, ...(gates.length === 0 ? [] : [booleans(gatesInput, gates.length)])],
    // What is known of shapes holds for the original's names alone.
    valueInfo: [],
  };
  const proto = { ...model.proto, opsetImport: [...model.proto.opsetImport], graph: gated };
  importRuntimeDomain(proto);
  return {
    model: { ...model, proto },
    gatesInput,
    gateCount: gates.length,
    weightGate,
    roundingGate,
  };
}

function choice(
  condition: string,
  output: string,
  [then, thenResult]: readonly [readonly NodeProto[], string],
  [otherwise, otherResult]: readonly [readonly NodeProto[], string],
  names: NameScope,
): NodeProto {
  const branch = (attribute: string, nodes: readonly NodeProto[], result: string) => ({
    ...emptyAttribute(attribute, ATTRIBUTE_TYPE.graph),
    g: bodyGraph(attribute, nodes, result),
  });
  return makeNode('If', {
    name: names.fresh(`${output}_choice`),
    input: [condition],
    output: [output],
    attribute: [branch('then_branch', then, thenResult), branch('else_branch', otherwise, otherResult)],
  });
}

function bodyGraph(name: string, nodes: readonly NodeProto[], result: string): GraphProto {
  const initializer: TensorProto[] = [];
  return {
    name,
    node: [...nodes],
    initializer,
    sparseInitializer: [],
    input: [],
    output: [{ name: result, metadataProps: [] }],
    valueInfo: [],
    quantizationAnnotation: [],
    metadataProps: [],
  };
}

function booleans(name: string, count: number): ValueInfoProto {
  const shape = { dim: [{ dimValue: count }] };
  return { name, type: { tensorType: { elemType: DATA_TYPE.bool, shape } }, metadataProps: [] };
}
