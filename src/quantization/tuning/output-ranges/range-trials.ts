import { intAttributeProto } from '../../../onnx/attributes.ts';
import { cloneMessage } from '../../../onnx/clone-message.ts';
import { makeNode } from '../../../onnx/make-node.ts';
import type { GraphProto, ModelProto } from '../../../onnx/messages.ts';
import type { OnnxModel } from '../../../onnx/model-file.ts';
import { createNameScope, type NameScope } from '../../../onnx/name-scope.ts';
import type { ActivationGrid } from '../../activation-grid.ts';
import type { ValueRange } from '../../affine.ts';
import type { PlannedNode } from '../../placement.ts';
import type { Draft } from '../draft.ts';
import { addRounding } from '../rounding-nodes.ts';

/** Where it comes out what one range of a tensor does to one node that reads it. Each output holds one number. */
export interface RangeTrial {
  /** The tensor whose range it is. */
  readonly source: string;
  /** The place of the range among those that are tried for the tensor. */
  readonly candidate: number;
  /** Sum of squares of what the rounding changes of the node's result. */
  readonly noiseOutput: string;
  /** Sum of squares of that result. */
  readonly signalOutput: string;
}

/** A node, or a tensor that is read as it is, whose result is held against what it gives for a rounded input. */
interface Reader {
  readonly edge: string;
  readonly result: string;
  /** Adds what the reader gives instead. */
  readonly recompute: (rounded: string) => string;
}

/**
 * A copy of the float model of a draft with, for each range that is to be tried, copies of the nodes that read the tensor: they
 * read it rounded on that range, all else as it is, and tell how far their result is off. Nodes that hand codes on
 * count by those that read what they give.
 * @param candidates by the tensor whose range is shared, see `Placement.edges`
 */
export function withRangeTrials(
  draft: Pick<Draft, 'view' | 'placement'>,
  candidates: ReadonlyMap<string, readonly ValueRange[]>,
  grid: ActivationGrid,
): { readonly model: OnnxModel; readonly trials: readonly RangeTrial[] } {
  const proto = cloneMessage(draft.view.model.proto);
  const names = createNameScope(proto.graph as GraphProto);
  const add = createAdditions(proto, names);
  const once = memoized();
  const trials = readersOf(draft, add).flatMap(({ edge, result, recompute }) => {
    const source = draft.placement.edges.get(edge) ?? edge;
    return (candidates.get(source) ?? []).map((range, candidate): RangeTrial => {
      const rounded = once(`${candidate} ${edge}`, () => addRounding(proto, names, edge, range, grid));
      return {
        source,
        candidate,
        noiseOutput: add.energyOf(add.difference(recompute(rounded), result)),
        signalOutput: once(result, () => add.energyOf(result)),
      };
    });
  });
  return { model: { ...draft.view.model, proto }, trials };
}

function readersOf(
  { view, placement }: Pick<Draft, 'view' | 'placement'>,
  add: Additions,
): readonly Reader[] {
  const sourceOf = (edge: string) => placement.edges.get(edge) ?? edge;
  const planned = new Set(placement.nodes.map(({ node }) => node));
  const nodes = placement.nodes.flatMap((plan): readonly Reader[] => {
    const result = (plan.absorbed ?? plan.node).output[0] as string;
    const handsOn = new Set(plan.outputEdges.map(sourceOf));
    const edges = [...new Set(plan.activations)].filter((edge) => !handsOn.has(sourceOf(edge)));
    return edges.map((edge) => ({
      edge,
      result,
      recompute: (rounded) => add.copyOf(plan, edge, rounded),
    }));
  });
  // What stays float32 reads the rounded values where their producer gives codes.
  const inFloat = [...placement.producedInInt8].filter((edge) =>
    view.index.consumersOf.get(edge)?.some(({ node }) => !planned.has(node)),
  );
  return [
    ...nodes,
    ...inFloat.map((edge) => ({ edge, result: edge, recompute: (rounded: string) => rounded })),
  ];
}

type Additions = ReturnType<typeof createAdditions>;

function createAdditions(proto: ModelProto, names: NameScope) {
  const graph = proto.graph as GraphProto;
  return {
    /** The result of a node, and of the activation that its kernel takes in, with another tensor in place of one that it reads. */
    copyOf: ({ node, absorbed }: PlannedNode, edge: string, instead: string): string => {
      let replaced = edge;
      let given = instead;
      for (const original of absorbed === undefined ? [node] : [node, absorbed]) {
        const copy = cloneMessage(original);
        const [output = ''] = original.output;
        copy.name = names.fresh(`${output}_trial`);
        copy.input = original.input.map((name) => (name === replaced ? given : name));
        copy.output = [copy.name];
        graph.node.push(copy);
        replaced = output;
        given = copy.name;
      }
      return given;
    },
    difference: (changed: string, result: string): string => {
      const output = names.fresh(`${changed}_error`);
      graph.node.push(makeNode('Sub', { name: output, input: [changed, result], output: [output] }));
      return output;
    },
    /** The sum of squares of a tensor, as an output of the model. */
    energyOf: (tensor: string): string => {
      const output = names.fresh(`${tensor}_energy`);
      const attribute = [intAttributeProto('keepdims', 0)];
      graph.node.push(
        makeNode('ReduceSumSquare', { name: output, input: [tensor], output: [output], attribute }),
      );
      graph.output.push({ name: output, metadataProps: [] });
      return output;
    },
  };
}

/** Makes what belongs to a key when it is asked for first. */
function memoized(): (key: string, make: () => string) => string {
  const made = new Map<string, string>();
  return (key, make) => {
    const value = made.get(key) ?? make();
    made.set(key, value);
    return value;
  };
}
