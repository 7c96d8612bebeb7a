import {
  DATA_TYPE,
  type DimensionProto,
  type GraphProto,
  type NodeProto,
  type ValueInfoProto,
} from '../../onnx/messages.ts';
import { capturedNames, subgraphsOf } from '../../onnx/subgraphs.ts';
import { type GraphView, viewGraph } from '../graph-view.ts';

/** A graph in two parts, which run one after the other as the whole does. Nodes and constants are shared with it. */
export interface SplitGraph {
  /** Gives the tensors of `cut`. */
  readonly before: GraphView;
  /** Tensors that the second part, or whoever reads the outputs, needs of the first. */
  readonly cut: readonly string[];
  /** The second part, with the outputs of the whole. @param shapeOf what is known of the shapes of `cut` */
  behind(shapeOf: (name: string) => readonly (number | string)[] | undefined): GraphView;
}

/** What can be fed to a model again once another gave it. */
const FED: ReadonlySet<number | undefined> = new Set([
  DATA_TYPE.float,
  DATA_TYPE.double,
  DATA_TYPE.float16,
  DATA_TYPE.int8,
  DATA_TYPE.uint8,
  DATA_TYPE.int16,
  DATA_TYPE.uint16,
  DATA_TYPE.int32,
  DATA_TYPE.uint32,
  DATA_TYPE.int64,
  DATA_TYPE.uint64,
  DATA_TYPE.bool,
]);

/** Tells of each tensor from which node on it is needed, and where graphs can be cut. */
export interface GraphSplitter {
  /** The place of the first node that reads a tensor, of one that is an output as well the place of its own; undefined where nobody does. */
  firstUse(name: string): number | undefined;
  /** The place of the node that gives a tensor. */
  placeOf(name: string): number | undefined;
  /** The last place up to `place` where the graph can be cut: 0, the beginning, always can. */
  cutBefore(place: number): number;
  /** Cuts in front of the node at that place. */
  split(place: number): SplitGraph;
}

export function createGraphSplitter(view: GraphView): GraphSplitter {
  const { model, graph, index, types } = view;
  const readsOf = graph.node.map(readsOfNode);
  const places = new Map<string, number>();
  for (const [place, { output }] of graph.node.entries()) for (const name of output) places.set(name, place);
  const first = new Map<string, number>();
  for (const [place, reads] of readsOf.entries()) {
    for (const name of reads) if (!first.has(name)) first.set(name, place);
  }
  const outputs = graph.output.map(({ name = '' }) => name);
  const cutAt = (place: number): readonly string[] => {
    const needed = new Set([...outputs, ...readsOf.slice(place).flatMap((reads) => [...reads])]);
    return [...needed].filter((name) => (places.get(name) ?? Number.POSITIVE_INFINITY) < place);
  };
  const part = (graphOf: Partial<GraphProto>, nodes: readonly NodeProto[], read: ReadonlySet<string>) => {
    const isRead = (name: string | undefined) => name !== undefined && read.has(name);
    return viewGraph({
      ...model,
      proto: {
        ...model.proto,
        graph: {
          ...graph,
          node: [...nodes],
          initializer: graph.initializer.filter(({ name }) => isRead(name)),
          sparseInitializer: graph.sparseInitializer.filter(({ values }) => isRead(values?.name)),
          input: graph.input.filter(({ name }) => isRead(name)),
          quantizationAnnotation: [],
          // What is known of tensors of the other part would be about none.
          valueInfo: [],
          ...graphOf,
        },
      },
    });
  };
  return {
    placeOf: (name) => places.get(name),
    firstUse: (name) => (index.outputs.has(name) ? (places.get(name) ?? 0) : first.get(name)),
    cutBefore: (place) => {
      for (let at = place; at > 0; at--) {
        const cut = cutAt(at);
        if (cut.length > 0 && cut.every((name) => FED.has(types.get(name)))) return at;
      }
      return 0;
    },
    split: (place) => {
      const cut = cutAt(place);
      const [nodes, later] = [graph.node.slice(0, place), graph.node.slice(place)];
      const readBefore = new Set(readsOf.slice(0, place).flatMap((reads) => [...reads]));
      const readLater = new Set([...outputs, ...readsOf.slice(place).flatMap((reads) => [...reads])]);
      const output = cut.map((name): ValueInfoProto => ({ name, metadataProps: [] }));
      return {
        before: part({ output }, nodes, readBefore),
        cut,
        behind: (shapeOf) => {
          const given = cut.map((name) => inputCalled(name, types.get(name) ?? 0, shapeOf(name)));
          const input = graph.input.filter(({ name = '' }) => readLater.has(name));
          return part({ input: [...given, ...input] }, later, readLater);
        },
      };
    },
  };
}

function readsOfNode(node: NodeProto): ReadonlySet<string> {
  const captured = subgraphsOf(node).flatMap((body) => [...capturedNames(body)]);
  return new Set([...node.input, ...captured].filter((name) => name !== ''));
}

function inputCalled(
  name: string,
  elemType: number,
  dims: readonly (number | string)[] | undefined,
): ValueInfoProto {
  const dim = dims?.map((size): DimensionProto => {
    if (typeof size === 'number') return size < 0 ? {} : { dimValue: size };
    return size === '' ? {} : { dimParam: size };
  });
  const tensorType = dim === undefined ? { elemType } : { elemType, shape: { dim } };
  return { name, type: { tensorType }, metadataProps: [] };
}
