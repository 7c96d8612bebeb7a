import { type ElementTypes, inferGraphElementTypes } from '../../onnx/element-types.ts';
import { nodeLabel } from '../../onnx/make-node.ts';
import { DATA_TYPE, type GraphProto, type NodeProto } from '../../onnx/messages.ts';
import { subgraphsOf } from '../../onnx/subgraphs.ts';
import type { GraphView } from '../graph-view.ts';
import type { FloatNode } from '../placement.ts';
import { constantOf } from './constants.ts';
import { cheapestHome, type FloatTensor, floatTensor, type Precision } from './float-tensor.ts';
import type { Float16Recipe } from './float16-recipe.ts';
import { staysFloat32Input, staysFloat32Output } from './operators.ts';
import { createRoles, type NodeSurroundings, type Role } from './roles.ts';

/** One place that names a float tensor, and the form it wants; `any` takes the form in which the tensor is made. */
interface Read {
  readonly tensor: FloatTensor;
  readonly precision: Precision | 'any';
  readonly rename: (name: string) => void;
}

export interface PlannedGraph {
  readonly graph: GraphProto;
  /** The float32 tensors that this graph defines. */
  readonly tensors: ReadonlyMap<string, FloatTensor>;
}

export interface Float16Plan {
  /** The model's graph, and after it the bodies inside. */
  readonly graphs: readonly PlannedGraph[];
  readonly reads: readonly Read[];
  /** Nodes that will compute in float16. */
  readonly converted: readonly NodeProto[];
  /** Nodes on float tensors that stay float32. */
  readonly float: readonly FloatNode[];
}

/**
 * Decides for every float32 tensor of the model and its bodies in which forms it will exist, and for every node which
 * of them it reads. Changes nothing. The inputs and outputs of bodies stay float32: whatever happens inside, the
 * branches of an If agree and the state of a Loop keeps its type. Captured tensors are read in the form that fits.
 * @param view a prepared model: constants are initializers, nodes are in topological order
 */
export function planFloat16(view: GraphView, opset: number, recipe: Float16Recipe): Float16Plan {
  const planning: Planning = {
    graphs: [],
    reads: [],
    converted: [],
    float: [],
    roleOf: createRoles(view, opset, recipe),
  };
  planGraph(view.graph, planning, {
    types: view.types,
    find: () => undefined,
    edge: recipe.keepIo ? 'float32' : 'float16',
    frozen: false,
  });
  return planning;
}

interface Planning {
  readonly graphs: PlannedGraph[];
  readonly reads: Read[];
  readonly converted: NodeProto[];
  readonly float: FloatNode[];
  readonly roleOf: (node: NodeProto, around: NodeSurroundings) => Role;
}

/** What a graph sees of the graphs around it. */
interface Surroundings {
  readonly types: ElementTypes;
  readonly find: (name: string) => FloatTensor | undefined;
  /** The form of the graph's float inputs and outputs. */
  readonly edge: Precision;
  /** Nothing in the graph may change, because of the node that holds it. */
  readonly frozen: boolean;
}

/** A graph while it is planned; `find` knows its own tensors, too. */
interface Frame extends Surroundings {
  readonly tensors: Map<string, FloatTensor>;
  readonly outputs: ReadonlySet<string | undefined>;
}

function planGraph(graph: GraphProto, planning: Planning, around: Surroundings): void {
  const tensors = new Map<string, FloatTensor>();
  planning.graphs.push({ graph, tensors });
  const frame: Frame = {
    ...around,
    tensors,
    find: (name) => tensors.get(name) ?? around.find(name),
    outputs: new Set(graph.output.map(({ name }) => name)),
  };
  defineGivenTensors(graph, frame);
  const followers = graph.node.flatMap((node) => planNode(node, planning, frame));
  for (const value of graph.output) {
    const captured = tensors.has(value.name ?? '') ? undefined : around.find(value.name ?? '');
    if (captured === undefined) continue;
    read(planning, captured, around.edge, (name) => {
      value.name = name;
    });
  }
  // The readers of a node come after it, so from the last node to the first all of them are known.
  for (const settle of followers.reverse()) settle();
  for (const tensor of tensors.values()) tensor.home ??= cheapestHome([tensor]);
}

function defineGivenTensors(graph: GraphProto, frame: Frame): void {
  for (const { name } of graph.input) {
    define(name, frame, { home: frame.edge, pinned: frame.edge });
  }
  for (const { values } of graph.sparseInitializer) {
    define(values?.name, frame, { origin: 'constant', home: 'float32' });
  }
  for (const constant of graph.initializer) {
    const pinned = frame.tensors.get(constant.name ?? '')?.pinned;
    const home = frame.frozen ? 'float32' : undefined;
    define(constant.name, frame, { origin: 'constant', constant, pinned, home });
  }
}

/** Adds a tensor of the graph if it is float32. */
function define(
  name: string | undefined,
  { types, tensors, outputs, edge }: Frame,
  more: Parameters<typeof floatTensor>[1],
): readonly FloatTensor[] {
  if (name === undefined || types.get(name) !== DATA_TYPE.float) return [];
  const tensor = floatTensor(name, outputs.has(name) ? { ...more, pinned: edge } : more);
  tensors.set(name, tensor);
  return [tensor];
}

function read(
  { reads }: Planning,
  tensor: FloatTensor,
  precision: Precision | 'any',
  rename: (name: string) => void,
): void {
  if (precision !== 'any') tensor.wanted.add(precision);
  reads.push({ tensor, precision, rename });
}

/** Plans a node and its bodies; gives back what is to be settled when its readers are known. */
function planNode(node: NodeProto, planning: Planning, frame: Frame): readonly (() => void)[] {
  const role = planning.roleOf(node, frame);
  const { kind, origin, saturates, reason } = role;
  if (reason !== undefined) planning.float.push({ node: nodeLabel(node), op: node.opType ?? '', reason });

  const readInputs = (precision: Precision | 'any') => {
    node.input.forEach((name, index) => {
      const tensor = frame.find(name);
      if (tensor === undefined) return;
      const fixed = precision === 'float16' && staysFloat32Input(node, index);
      read(planning, tensor, fixed ? 'float32' : precision, (form) => {
        node.input[index] = form;
      });
    });
  };
  const makeOutputs = (home: Precision | undefined) =>
    node.output.flatMap((name, index) => {
      const fixed = home === 'float16' && staysFloat32Output(node, index);
      const constant = constantOf(node);
      return define(name, frame, { origin, saturates, constant, home: fixed ? 'float32' : home });
    });

  if (kind === 'follows') {
    const made = makeOutputs(undefined);
    return [
      () => {
        const home = cheapestHome(made);
        for (const tensor of made) tensor.home = home;
        readInputs(home);
        if (home === 'float16') planning.converted.push(node);
      },
    ];
  }
  readInputs(kind === 'either' ? 'any' : kind);
  if (kind !== 'either') makeOutputs(kind);
  if (kind === 'float16') planning.converted.push(node);
  for (const body of subgraphsOf(node)) {
    planGraph(body, planning, {
      types: inferGraphElementTypes(body, frame.types),
      find: frame.find,
      edge: 'float32',
      frozen: frame.frozen || role.freezesBodies,
    });
  }
  return [];
}
