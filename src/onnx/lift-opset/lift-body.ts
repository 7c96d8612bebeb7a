import { encodeFloat16 } from '../../core/float16.ts';
import type { NumericArray } from '../../core/tensor.ts';
import { emptyAttribute } from '../attributes.ts';
import { type ElementTypes, inferGraphElementTypes } from '../element-types.ts';
import { type KnownShape, knownShapes } from '../known-shapes.ts';
import { isDefaultDomain, makeNode } from '../make-node.ts';
import {
  ATTRIBUTE_TYPE,
  DATA_TYPE,
  type FunctionProto,
  type GraphProto,
  type NodeProto,
  type TensorProto,
} from '../messages.ts';
import type { OnnxModel } from '../model-file.ts';
import type { NameScope } from '../name-scope.ts';
import { capturedNames, subgraphsOf } from '../subgraphs.ts';
import { readTensorData, tensorFrom } from '../tensor-data.ts';
import type { LiftContext, Rewriting } from './rewriting.ts';

export interface BodySettings {
  /** The model that the body is of, whose files hold the values of its constants. */
  readonly model: OnnxModel;
  readonly fromVersion: number;
  readonly names: NameScope;
  /** The change that a node of the default domain has to undergo; undefined when it stays as it is. */
  changeOf(opType: string, fromVersion: number): Rewriting | undefined;
  /** Told of every node that is rewritten. */
  count(opType: string): void;
}

/** What is known about the graphs around a body. */
interface Facts {
  readonly types: ElementTypes;
  readonly shapes: ReadonlyMap<string, KnownShape>;
  readonly constants: ReadonlyMap<string, TensorProto>;
}

const NO_FACTS: Facts = { types: new Map(), shapes: new Map(), constants: new Map() };

/** Rewrites the nodes of `graph` and of the bodies inside it. */
export function liftGraph(graph: GraphProto, settings: BodySettings, outer: Facts = NO_FACTS): void {
  const constants = constantsOf(graph, settings.model, outer.constants);
  const facts: Facts = {
    types: inferGraphElementTypes(graph, outer.types),
    shapes: knownShapes(graph, (name) => numbersOf(settings.model, constants.get(name)), outer.shapes),
    constants,
  };
  const outputs = graph.output.flatMap((value) => value.name ?? []);
  graph.node = liftNodes(graph.node, outputs, facts, settings, (tensor) => graph.initializer.push(tensor));
}

/** Rewrites the nodes of a model-local function. It has no initializers: its constants are Constant nodes. */
export function liftFunction(fn: FunctionProto, settings: BodySettings): void {
  const constants: NodeProto[] = [];
  const lifted = liftNodes(fn.node, fn.output, NO_FACTS, settings, (tensor) => {
    constants.push(
      makeNode('Constant', {
        name: tensor.name ?? '',
        input: [],
        output: [tensor.name ?? ''],
        attribute: [{ ...emptyAttribute('value', ATTRIBUTE_TYPE.tensor), t: tensor }],
      }),
    );
  });
  fn.node = [...constants, ...lifted];
}

function liftNodes(
  nodes: readonly NodeProto[],
  outputs: readonly string[],
  facts: Facts,
  settings: BodySettings,
  addTensor: (tensor: TensorProto) => void,
): NodeProto[] {
  const context = createContext(nodes, outputs, facts, settings, addTensor);
  return nodes.flatMap((node) => {
    for (const subgraph of subgraphsOf(node)) liftGraph(subgraph, settings, facts);
    if (!isDefaultDomain(node.domain)) return node;
    const opType = node.opType ?? '';
    const replacement = settings.changeOf(opType, settings.fromVersion)?.(node, context);
    if (replacement === undefined) return node;
    settings.count(opType);
    return replacement;
  });
}

function createContext(
  nodes: readonly NodeProto[],
  outputs: readonly string[],
  facts: Facts,
  { model, fromVersion, names }: BodySettings,
  addTensor: (tensor: TensorProto) => void,
): LiftContext {
  const read = new Set(outputs);
  for (const node of nodes) {
    for (const name of node.input) read.add(name);
    for (const subgraph of subgraphsOf(node)) for (const name of capturedNames(subgraph)) read.add(name);
  }
  const add = (hint: string, dims: readonly number[], data: NumericArray, elementType?: number) => {
    const name = names.fresh(hint);
    addTensor(tensorFrom(name, dims, data, elementType));
    return name;
  };
  return {
    fromVersion,
    elementType: (tensor) => facts.types.get(tensor ?? ''),
    shape: (tensor) => facts.shapes.get(tensor ?? ''),
    constant: (tensor) => numbersOf(model, facts.constants.get(tensor ?? '')),
    isRead: (tensor) => tensor !== undefined && tensor !== '' && read.has(tensor),
    addConstant: (hint, data, dims = [data.length]) => add(hint, dims, data),
    addScalar: (hint, value, elementType) => add(hint, [], scalarData(value, elementType), elementType),
    freshName: (hint) => names.fresh(hint),
  };
}

/** The constants that a node of `graph` may read. Before IR version 4 even those that are listed as inputs are fixed. */
function constantsOf(
  graph: GraphProto,
  model: OnnxModel,
  outer: ReadonlyMap<string, TensorProto>,
): ReadonlyMap<string, TensorProto> {
  const constants = new Map(outer);
  const inputs = new Set((model.proto.irVersion ?? 0) < 4 ? [] : graph.input.map((value) => value.name));
  for (const tensor of graph.initializer) {
    if (tensor.name !== undefined && !inputs.has(tensor.name)) constants.set(tensor.name, tensor);
  }
  for (const node of graph.node) {
    const [attribute] = node.attribute;
    const [name] = node.output;
    if (node.opType !== 'Constant' || name === undefined || attribute?.t === undefined) continue;
    constants.set(name, attribute.t);
  }
  return constants;
}

/** The values of a tensor of int64 or float, the types of shapes and scales; undefined where they cannot be read. */
function numbersOf(model: OnnxModel, tensor: TensorProto | undefined): readonly number[] | undefined {
  if (tensor?.dataType !== DATA_TYPE.int64 && tensor?.dataType !== DATA_TYPE.float) return undefined;
  const data = readTensorData(model, tensor);
  return data.ok ? Array.from<unknown, number>(data.value, Number) : undefined;
}

function scalarData(value: number, elementType: number): NumericArray {
  switch (elementType) {
    case DATA_TYPE.double:
      return Float64Array.of(value);
    case DATA_TYPE.float16:
      return Uint16Array.of(encodeFloat16(value));
    case DATA_TYPE.float:
      return Float32Array.of(value);
    default:
      throw new TypeError(`An operator of floating-point tensors got element type ${elementType}.`);
  }
}
