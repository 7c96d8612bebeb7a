import type { GraphView } from '../graph-view.ts';
import type { Placement, PlannedNode } from '../placement.ts';
import { type AttributedTimes, attributeKernels } from './attribute-kernels.ts';
import { conversionPrice } from './conversion-price.ts';
import type { KernelTime } from './kernel-times.ts';
import { type CapacityEdge, minCut } from './min-cut.ts';
import { type PrecisionUnit, precisionUnits } from './precision-units.ts';

/** A connected part of a placement that takes longer in int8 than in float32, by the times of its kernels. */
export interface SlowerPart {
  readonly nodes: readonly PlannedNode[];
  /** Its kernels, and the conversions that it alone makes necessary. */
  readonly int8Ns: number;
  readonly float32Ns: number;
}

/**
 * Finds the assignment of precisions to planned nodes that takes least in sum: the time of each in its precision, and a
 * conversion for each tensor that is made in one precision and read in the other. It is the least cut of a network in
 * which the source stands for int8 and the sink for float32.
 * @param view the graph before quantization, whose plan is `placement`
 * @param kernels of the same model in float32 and quantized after this placement
 * @returns what should stay float32, the part that saves most first; none where int8 is best throughout
 */
export function findSlowerParts(
  view: GraphView,
  placement: Placement,
  kernels: { readonly float32: readonly KernelTime[]; readonly int8: readonly KernelTime[] },
): readonly SlowerPart[] {
  const float32 = attributeKernels(kernels.float32, view.graph);
  const int8 = attributeKernels(kernels.int8, view.graph);
  const units = precisionUnits(view, placement.nodes, { float32, int8 });
  const price = conversionPrice(int8.conversions);
  const crossings = findCrossings(view, placement, units, (tensor) =>
    price(elementsOf(tensor, view, float32, int8)),
  );
  const stays = cheapest(units, crossings);
  const slower = units.flatMap((_, unit) => (stays[unit] === true ? [] : [unit]));
  return connected(slower, crossings)
    .map((part) => describePart(part, units, crossings))
    .sort((a, b) => b.int8Ns - b.float32Ns - (a.int8Ns - a.float32Ns));
}

/** A tensor at which precisions may change. Units are given by number; no maker is one that is always float32. */
interface Crossing {
  readonly maker: number | undefined;
  readonly readers: readonly number[];
  /** Whether something that is always float32 reads it. */
  readonly readAsFloat: boolean;
  readonly toInt8Ns: number;
  readonly toFloatNs: number;
  /** Readers that have no int8 form unless the tensor is made in int8. */
  readonly bound: readonly number[];
}

function findCrossings(
  view: GraphView,
  { nodes, edges, producedInInt8 }: Placement,
  units: readonly PrecisionUnit[],
  price: (tensor: string) => number,
): readonly Crossing[] {
  const unitOf = new Map(units.flatMap((unit, at) => unit.nodes.map((plan) => [plan, at] as const)));
  const makerOf = new Map(nodes.flatMap((plan) => plan.outputEdges.map((edge) => [edge, plan] as const)));
  const { index } = view;
  return [...edges.keys()].map((edge) => {
    const maker = makerOf.get(edge);
    const takers = nodes.filter(({ activations }) => activations.includes(edge));
    const unitsOf = (plans: readonly PlannedNode[]) => [
      ...new Set(plans.map((plan) => unitOf.get(plan) as number)),
    ];
    const taking = new Set(takers.map(({ node }) => node));
    const readAsFloat =
      index.outputs.has(edge) ||
      index.capturedBySubgraphs.has(edge) ||
      (index.consumersOf.get(edge) ?? []).some(({ node }) => !taking.has(node));
    // These two give float32 straight from their int8 kernels.
    const givesFloat = maker?.node.opType === 'Gemm' || maker?.node.opType === 'MatMul';
    const ns = price(edge);
    return {
      maker: maker && unitOf.get(maker),
      readers: unitsOf(takers),
      readAsFloat: readAsFloat && producedInInt8.has(edge),
      toInt8Ns: ns,
      toFloatNs: givesFloat ? 0 : ns,
      bound: maker === undefined ? [] : unitsOf(takers.filter(({ weights }) => weights === undefined)),
    };
  });
}

/** Whether each unit stays in int8. */
function cheapest(units: readonly PrecisionUnit[], crossings: readonly Crossing[]): readonly boolean[] {
  const int8 = units.length;
  const float = units.length + 1;
  const edges: CapacityEdge[] = units.flatMap(({ float32Ns, int8Ns }, unit) => [
    { from: int8, to: unit, capacity: float32Ns },
    { from: unit, to: float, capacity: int8Ns },
  ]);
  const forbid = (from: number, to: number) => edges.push({ from, to, capacity: Number.POSITIVE_INFINITY });
  let nodes = units.length + 2;
  for (const { maker, readers, readAsFloat, toInt8Ns, toFloatNs, bound } of crossings) {
    // One conversion serves all readers of a kind, so each kind is joined in a node of its own.
    const codes = nodes++;
    for (const reader of readers) forbid(reader, codes);
    edges.push({ from: codes, to: maker ?? float, capacity: toInt8Ns });
    if (maker === undefined) continue;
    for (const reader of bound) forbid(reader, maker);
    const floats = nodes++;
    edges.push({ from: maker, to: floats, capacity: toFloatNs });
    if (readAsFloat) forbid(floats, float);
    for (const reader of readers) forbid(floats, reader);
  }
  return minCut(nodes, edges, int8, float);
}

/** Units in groups that share crossings. */
function connected(
  chosen: readonly number[],
  crossings: readonly Crossing[],
): readonly ReadonlySet<number>[] {
  const left = new Set(chosen);
  const parts: ReadonlySet<number>[] = [];
  for (const first of chosen) {
    if (!left.delete(first)) continue;
    const part = new Set([first]);
    for (const unit of part) {
      const near = neighbours(unit, crossings).filter((neighbour) => left.delete(neighbour));
      for (const neighbour of near) part.add(neighbour);
    }
    parts.push(part);
  }
  return parts;
}

function neighbours(unit: number, crossings: readonly Crossing[]): readonly number[] {
  return crossings
    .map(({ maker, readers }) => (maker === undefined ? readers : [maker, ...readers]))
    .filter((touched) => touched.includes(unit))
    .flat();
}

function describePart(
  part: ReadonlySet<number>,
  units: readonly PrecisionUnit[],
  crossings: readonly Crossing[],
): SlowerPart {
  const members = [...part].sort((a, b) => a - b).map((unit) => units[unit] as PrecisionUnit);
  const nothing: ReadonlySet<number> = new Set();
  const spared = conversionsNs(crossings, nothing) - conversionsNs(crossings, part);
  const total = (of: 'int8Ns' | 'float32Ns') => members.reduce((sum, unit) => sum + unit[of], 0);
  return {
    nodes: members.flatMap(({ nodes }) => nodes),
    int8Ns: total('int8Ns') + Math.max(0, spared),
    float32Ns: total('float32Ns') + Math.max(0, -spared),
  };
}

/** What conversions take where the units in `float` are float32 and all others int8. */
function conversionsNs(crossings: readonly Crossing[], float: ReadonlySet<number>): number {
  return crossings.reduce((sum, { maker, readers, readAsFloat, toInt8Ns, toFloatNs }) => {
    const madeInInt8 = maker !== undefined && !float.has(maker);
    const wantedInInt8 = readers.some((reader) => !float.has(reader));
    const wantedInFloat = readAsFloat || readers.some((reader) => float.has(reader));
    if (madeInInt8) return sum + (wantedInFloat ? toFloatNs : 0);
    return sum + (wantedInInt8 ? toInt8Ns : 0);
  }, 0);
}

/** As many as its maker writes: floats of 4 bytes, or codes of 1. */
function elementsOf(
  tensor: string,
  { index }: GraphView,
  float32: AttributedTimes,
  int8: AttributedTimes,
): number {
  const quantized = int8.conversions.find(({ node }) => node.startsWith(`${tensor}_QuantizeLinear`));
  if (quantized !== undefined) return quantized.outputBytes;
  // Where the maker has no kernel in either graph, what it works on is about as large.
  for (let maker = index.producerOf.get(tensor); maker !== undefined; ) {
    const floats = float32.nodes.get(maker);
    if (floats !== undefined) return floats.outputBytes / 4;
    const codes = int8.nodes.get(maker);
    if (codes !== undefined) return codes.outputBytes;
    maker = index.producerOf.get(maker.input[0] ?? '');
  }
  return 0;
}
