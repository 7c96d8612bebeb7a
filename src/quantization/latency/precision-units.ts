import type { NodeProto } from '../../onnx/messages.ts';
import type { GraphView } from '../graph-view.ts';
import type { PlannedNode } from '../placement.ts';
import type { AttributedTimes } from './attribute-kernels.ts';

/** Planned nodes that only make sense in one precision, because the runtime computes them in one kernel. */
export interface PrecisionUnit {
  readonly nodes: readonly PlannedNode[];
  /** What the unit takes in a run, without conversions at its edges. */
  readonly float32Ns: number;
  readonly int8Ns: number;
}

interface Times {
  readonly float32: AttributedTimes;
  readonly int8: AttributedTimes;
}

/**
 * Groups planned nodes with what each precision takes. A planned node without a kernel of its own in float32 is part of
 * another kernel: of the one before it, where that is a fused convolution, else of those that take its result. Such
 * nodes form one unit, and a node of the latter sort that is not planned is charged to the unit in both precisions.
 */
export function precisionUnits(
  view: GraphView,
  planned: readonly PlannedNode[],
  times: Times,
): readonly PrecisionUnit[] {
  const planOf = new Map(planned.flatMap((plan) => ownNodes(plan).map((node) => [node, plan] as const)));
  const charged = new Map<PlannedNode, Set<NodeProto>>();
  const groups = createGroups(planned);
  for (const plan of planned) {
    const own = ownNodes(plan);
    charged.set(plan, new Set(own));
    if (own.some((node) => times.float32.nodes.has(node))) continue;
    for (const kernel of kernelsWith(plan, view, times.float32, planOf)) {
      const other = planOf.get(kernel);
      if (other === undefined) charged.get(plan)?.add(kernel);
      else groups.join(plan, other);
    }
  }
  return groups.all().map((nodes) => {
    const parts = new Set(nodes.flatMap((plan) => [...(charged.get(plan) ?? [])]));
    const total = ({ nodes: timed }: AttributedTimes) =>
      [...parts].reduce((sum, node) => sum + (timed.get(node)?.ns ?? 0), 0);
    return { nodes, float32Ns: total(times.float32), int8Ns: total(times.int8) };
  });
}

/** The node with what belongs to it in either precision: the activation that it absorbs and the Add of its bias. */
function ownNodes({ node, absorbed, weights }: PlannedNode): readonly NodeProto[] {
  const adder = weights?.bias?.reader;
  return [
    node,
    ...(absorbed === undefined ? [] : [absorbed]),
    ...(adder === undefined || adder === node ? [] : [adder]),
  ];
}

/** The nodes whose float32 kernels compute `plan`, which has none. */
function kernelsWith(
  plan: PlannedNode,
  { index }: GraphView,
  float32: AttributedTimes,
  planOf: ReadonlyMap<NodeProto, PlannedNode>,
): readonly NodeProto[] {
  const before = index.producerOf.get(plan.activations[0] ?? '');
  const kernelBefore = before && float32.nodes.get(before);
  // Such a kernel has the name of its convolution; the others are named after their last node.
  if (kernelBefore?.op === 'FusedConv') return [before as NodeProto];
  const found = new Set<NodeProto>();
  const passed = new Set<NodeProto>(ownNodes(plan));
  const queue = [...passed];
  for (const node of queue) {
    for (const { node: reader } of node.output.flatMap((name) => index.consumersOf.get(name) ?? [])) {
      if (passed.has(reader)) continue;
      passed.add(reader);
      const owner = planOf.get(reader);
      const hasKernel = [reader, ...(owner === undefined ? [] : ownNodes(owner))].some((own) =>
        float32.nodes.has(own),
      );
      if (hasKernel) found.add(reader);
      else queue.push(reader);
    }
  }
  return [...found];
}

/** Disjoint sets of planned nodes, each in the order of the plan. */
function createGroups(planned: readonly PlannedNode[]) {
  const parent = new Map(planned.map((plan) => [plan, plan]));
  const leader = (plan: PlannedNode): PlannedNode => {
    let at = plan;
    for (let up = parent.get(at); up !== undefined && up !== at; up = parent.get(at)) at = up;
    return at;
  };
  return {
    join: (a: PlannedNode, b: PlannedNode) => {
      parent.set(leader(b), leader(a));
    },
    all: (): readonly (readonly PlannedNode[])[] => {
      const groups = new Map<PlannedNode, PlannedNode[]>();
      for (const plan of planned) {
        const first = leader(plan);
        const group = groups.get(first);
        if (group === undefined) groups.set(first, [plan]);
        else group.push(plan);
      }
      return [...groups.values()];
    },
  };
}
