import type {
  AttributeProto,
  GraphProto,
  ModelProto,
  NodeProto,
  SparseTensorProto,
  TensorProto,
} from './messages.ts';
import { subgraphsOf } from './subgraphs.ts';

/** Visits `graph` and then every graph in the attributes of its nodes, `depth` levels below it. */
export function walkGraphs(
  graph: GraphProto,
  visit: (graph: GraphProto, depth: number) => void,
  depth = 0,
): void {
  visit(graph, depth);
  for (const node of graph.node) {
    for (const subgraph of subgraphsOf(node)) walkGraphs(subgraph, visit, depth + 1);
  }
}

/** Where a tensor lies: as an initializer, as a part of a sparse one, or in the attribute of a node or function. */
export type TensorRole = 'initializer' | 'sparse-initializer' | 'attribute';

/** Visits every tensor of a model: the main graph, its subgraphs, and the functions with theirs. */
export function walkTensors(model: ModelProto, visit: (tensor: TensorProto, role: TensorRole) => void): void {
  const visitGraph = (graph: GraphProto) => {
    for (const tensor of graph.initializer) visit(tensor, 'initializer');
    for (const sparse of graph.sparseInitializer) visitSparse(sparse, 'sparse-initializer', visit);
    visitNodes(graph.node, visit);
  };
  if (model.graph !== undefined) walkGraphs(model.graph, visitGraph);
  for (const { node: nodes, attributeProto } of model.functions) {
    visitNodes(nodes, visit);
    for (const attribute of attributeProto) visitAttribute(attribute, visit);
    for (const node of nodes) for (const subgraph of subgraphsOf(node)) walkGraphs(subgraph, visitGraph);
  }
}

type TensorVisit = (tensor: TensorProto, role: TensorRole) => void;

function visitNodes(nodes: readonly NodeProto[], visit: TensorVisit): void {
  for (const node of nodes) for (const attribute of node.attribute) visitAttribute(attribute, visit);
}

function visitAttribute(attribute: AttributeProto, visit: TensorVisit): void {
  if (attribute.t !== undefined) visit(attribute.t, 'attribute');
  for (const tensor of attribute.tensors) visit(tensor, 'attribute');
  if (attribute.sparseTensor !== undefined) visitSparse(attribute.sparseTensor, 'attribute', visit);
  for (const sparse of attribute.sparseTensors) visitSparse(sparse, 'attribute', visit);
}

function visitSparse(sparse: SparseTensorProto, role: TensorRole, visit: TensorVisit): void {
  if (sparse.values !== undefined) visit(sparse.values, role);
  if (sparse.indices !== undefined) visit(sparse.indices, role);
}
