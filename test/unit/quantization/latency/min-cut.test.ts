import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CapacityEdge, minCut } from '../../../../src/quantization/latency/min-cut.ts';

const SOURCE = 0;
const SINK = 1;

/** What it costs to part a network so. */
function cost(edges: readonly CapacityEdge[], onSourceSide: readonly boolean[]): number {
  return edges
    .filter(({ from, to }) => onSourceSide[from] === true && onSourceSide[to] === false)
    .reduce((sum, { capacity }) => sum + capacity, 0);
}

/** Every way to part `nodeCount` nodes of which the first is the source and the second the sink. */
function partings(nodeCount: number): readonly (readonly boolean[])[] {
  return Array.from({ length: 2 ** (nodeCount - 2) }, (_, bits) => [
    true,
    false,
    ...Array.from({ length: nodeCount - 2 }, (_, node) => ((bits >> node) & 1) === 1),
  ]);
}

const networks = fc.integer({ min: 2, max: 7 }).chain((nodeCount) => {
  const node = fc.nat(nodeCount - 1);
  const capacity = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant(Number.POSITIVE_INFINITY));
  return fc.record({
    nodeCount: fc.constant(nodeCount),
    edges: fc.array(fc.record({ from: node, to: node, capacity }), { maxLength: 24 }),
  });
});

describe('the least cut of a network', () => {
  it('is as cheap as the cheapest of all partings, and the one of these with most on the side of the source', () => {
    fc.assert(
      fc.property(networks, ({ nodeCount, edges }) => {
        const least = Math.min(...partings(nodeCount).map((sides) => cost(edges, sides)));
        fc.pre(Number.isFinite(least));
        const found = minCut(nodeCount, edges, SOURCE, SINK);
        expect(cost(edges, found)).toBe(least);
        const most = Math.max(
          ...partings(nodeCount)
            .filter((sides) => cost(edges, sides) === least)
            .map((sides) => sides.filter(Boolean).length),
        );
        expect(found.filter(Boolean)).toHaveLength(most);
      }),
      { numRuns: 500 },
    );
  });

  it('takes networks that are deeper than a stack', () => {
    const length = 20_000;
    const edges = Array.from({ length }, (_, at) => ({
      from: at === 0 ? SOURCE : at + 1,
      to: at === length - 1 ? SINK : at + 2,
      capacity: at === 12_345 ? 1 : 2,
    }));
    const sides = minCut(length + 1, edges, SOURCE, SINK);
    expect(sides.filter(Boolean)).toHaveLength(12_346);
  });
});
