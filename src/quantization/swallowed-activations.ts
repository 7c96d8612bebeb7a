import { hasOneReader } from '../onnx/graph-index.ts';
import { isDefaultDomain } from '../onnx/make-node.ts';
import type { NodeProto } from '../onnx/messages.ts';
import type { ActivationGrid } from './activation-grid.ts';
import type { AffineParameters } from './affine.ts';
import { clipBounds, type GraphView } from './graph-view.ts';
import type { Placement } from './placement.ts';
import { roundHalfEven } from './round-half-even.ts';

/** Relu and Clip nodes that rounding to a grid makes superfluous. */
interface Swallowing {
  readonly nodes: ReadonlySet<NodeProto>;
  /** For edges with such nodes in front: the tensor that is quantized instead. */
  readonly sourceOf: ReadonlyMap<string, string>;
}

/**
 * Finds each Relu and Clip whose result is read as codes alone, and whose cut is where the grid of those codes ends:
 * without it every code is the same. Leaving these nodes out is not for speed. ONNX Runtime 1.30 drops some of them in an
 * early pass by a stricter rule, and where it finds one later by this rule, it refuses to load the model («two nodes with
 * same node name»).
 */
export function swallowActivations(
  view: GraphView,
  placement: Placement,
  affine: (edge: string) => AffineParameters,
  grid: ActivationGrid,
): Swallowing {
  const { index } = view;
  const planned = new Map(placement.nodes.map((plan) => [plan.node, plan]));
  const isReadAsCodes = (edge: string) =>
    placement.producedInInt8.has(edge) ||
    (!index.outputs.has(edge) &&
      !index.capturedBySubgraphs.has(edge) &&
      (index.consumersOf.get(edge) ?? []).every(({ node }) => planned.get(node)?.activations.includes(edge)));
  const nodes = new Set<NodeProto>();
  const sourceOf = new Map<string, string>();
  for (const edge of placement.edges.keys()) {
    let tensor = edge;
    for (;;) {
      const producer = index.producerOf.get(tensor);
      const isPrivate = tensor === edge ? isReadAsCodes(edge) : hasOneReader(tensor, index);
      if (producer === undefined || !isPrivate || !endsWithGrid(producer, affine(edge), grid, view)) break;
      nodes.add(producer);
      tensor = producer.input[0] ?? '';
      sourceOf.set(edge, tensor);
    }
  }
  return { nodes, sourceOf };
}

/**
 * Whether a Relu or Clip changes no code on the grid: what it cuts off would be saturated to the same codes anyway.
 * Source: ONNX Runtime, qdq_util.cc, IsClipMadeRedundantByQ.
 */
function endsWithGrid(
  node: NodeProto,
  { scale, zeroPoint }: AffineParameters,
  { codes }: ActivationGrid,
  view: GraphView,
): boolean {
  if (!isDefaultDomain(node.domain)) return false;
  if (node.opType === 'Relu') return zeroPoint === codes.min;
  if (node.opType !== 'Clip') return false;
  const { min, max } = clipBounds(node, view);
  const codeOf = (bound: number) => roundHalfEven(Math.fround(bound / scale)) + zeroPoint;
  return min <= max && codeOf(min) <= codes.min && codeOf(max) >= codes.max;
}
