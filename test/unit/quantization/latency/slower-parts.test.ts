import { describe, expect, it } from 'vitest';
import type { NodeProto } from '../../../../src/onnx/messages.ts';
import { viewGraph } from '../../../../src/quantization/graph-view.ts';
import { latencyReasons } from '../../../../src/quantization/latency/latency-reasons.ts';
import { partKinds } from '../../../../src/quantization/latency/part-kinds.ts';
import { findSlowerParts, type SlowerPart } from '../../../../src/quantization/latency/slower-parts.ts';
import { placeQuantization } from '../../../../src/quantization/placement.ts';
import { waveConstant } from '../../../support/constants.ts';
import { graph, model, node, value } from '../../../support/graph-builder.ts';
import { recipeWith } from '../../../support/quantize-in-memory.ts';

const ELEMENTS = 1000;

/** Kernel times by name of a node or, for conversions, of a tensor; `as` is the operator that the runtime made of it. */
type Times = Readonly<Record<string, number | { readonly ns: number; readonly as: string }>>;

/** A conversion of 1000 elements takes 2000 ns, 500 of them fixed. */
const CONVERSION = { node: 'x_QuantizeLinear', op: 'QuantizeLinear', ns: 2000, outputBytes: ELEMENTS };
const QUICK_CONVERSION = { node: 'q', op: 'QuantizeLinear', ns: 500, outputBytes: 0 };

function find(
  nodes: readonly NodeProto[],
  times: { readonly float32: Times; readonly int8: Times },
  outputs: readonly string[] = ['y'],
): readonly SlowerPart[] {
  const weights = ['w1', 'w2', 'w3'].map((name) => waveConstant(name, [4, 4, 1, 1]));
  const matrices = ['m1', 'm2'].map((name) => waveConstant(name, [4, 4]));
  const given = model(
    graph({
      inputs: [value('x')],
      nodes,
      outputs: outputs.map((name) => value(name)),
      initializers: [...weights, ...matrices, waveConstant('b', [4])],
    }),
  );
  const view = viewGraph(given);
  const kernels = (of: Times, bytes: number) =>
    Object.entries(of).map(([name, time]) => {
      const { ns, as } = typeof time === 'number' ? { ns: time, as: 'Kernel' } : time;
      return { node: name, op: as, ns, outputBytes: bytes };
    });
  return findSlowerParts(view, placeQuantization(view, recipeWith()), {
    float32: kernels(times.float32, 4 * ELEMENTS),
    int8: [...kernels(times.int8, ELEMENTS), CONVERSION, QUICK_CONVERSION],
  });
}

const namesOf = (parts: readonly SlowerPart[]) =>
  parts.map(({ nodes }) => nodes.map(({ node }) => node.name));

const CONVS = [
  node('Conv', ['x', 'w1'], ['a'], {}, { name: 'c1' }),
  node('Conv', ['a', 'w2'], ['b1'], {}, { name: 'c2' }),
  node('Conv', ['b1', 'w3'], ['y'], {}, { name: 'c3' }),
];

describe('parts that are slower in int8', () => {
  it('are none where int8 is faster everywhere', () => {
    const times = { float32: { c1: 9000, c2: 9000, c3: 9000 }, int8: { c1: 3000, c2: 3000, c3: 3000 } };
    expect(find(CONVS, times)).toEqual([]);
  });

  it('are found at an edge, where leaving them needs no further conversion', () => {
    const times = { float32: { c1: 2000, c2: 9000, c3: 9000 }, int8: { c1: 2500, c2: 3000, c3: 3000 } };
    const [part, ...others] = find(CONVS, times);
    expect(others).toEqual([]);
    expect(part).toMatchObject({ nodes: [{ node: { name: 'c1' } }], int8Ns: 2500, float32Ns: 2000 });
  });

  it('are left in int8 in the middle, where they lose less than the two conversions would cost', () => {
    const int8 = { c1: 3000, c2: 5000, c3: 3000 };
    expect(find(CONVS, { float32: { c1: 9000, c2: 1001, c3: 9000 }, int8 })).toEqual([]);
    const [part] = find(CONVS, { float32: { c1: 9000, c2: 999, c3: 9000 }, int8 });
    expect(part).toMatchObject({ nodes: [{ node: { name: 'c2' } }], int8Ns: 5000, float32Ns: 4999 });
  });

  it('count the conversions that they alone make necessary', () => {
    const nodes = [node('Conv', ['x', 'w1'], ['y'], {}, { name: 'c1' })];
    const [part] = find(nodes, { float32: { c1: 5000 }, int8: { c1: 2000 } });
    expect(part).toMatchObject({ int8Ns: 2000 + 2 * 2000, float32Ns: 5000 });
    expect(find(nodes, { float32: { c1: 6001 }, int8: { c1: 2000 } })).toEqual([]);
  });

  it('share one conversion of a tensor that several of them read', () => {
    const nodes = [
      node('MatMul', ['x', 'm1'], ['y'], {}, { name: 'p1' }),
      node('MatMul', ['x', 'm2'], ['z'], {}, { name: 'p2' }),
    ];
    const int8 = { p1: 1000, p2: 1000 };
    // Each alone would not pay for the conversion of 2000 ns; both together do. Neither needs one behind it.
    expect(find(nodes, { float32: { p1: 2100, p2: 2100 }, int8 }, ['y', 'z'])).toEqual([]);
    const parts = find(nodes, { float32: { p1: 1900, p2: 1900 }, int8 }, ['y', 'z']);
    expect(namesOf(parts)).toEqual([['p1', 'p2']]);
  });

  it('hold what float32 computes in one kernel together, whether the runtime names it after its end or its start', () => {
    const nodes = [
      node('Conv', ['x', 'w1'], ['a'], {}, { name: 'c1' }),
      node('LeakyRelu', ['a'], ['l'], {}, { name: 'leaky' }),
      node('Conv', ['l', 'w2'], ['b1'], {}, { name: 'c2' }),
      node('Add', ['b1', 'l'], ['s'], {}, { name: 'add' }),
      node('Conv', ['s', 'w3'], ['y'], {}, { name: 'c3' }),
    ];
    const float32 = { c1: { ns: 1000, as: 'FusedConv' }, s_nchwc: 1500, c3: 9000 };
    const int8 = { c1: 2000, leaky: 800, c2: 2000, add: 900, c3: 1000 };
    const parts = find(nodes, { float32, int8 });
    expect(namesOf(parts)).toEqual([['c1', 'leaky', 'c2', 'add']]);
    expect(parts[0]).toMatchObject({ int8Ns: 5700, float32Ns: 2500 });
    // Its Conv has no kernel of its own, but it is not free in float32: it goes with the Add.
    expect(find(nodes, { float32: { ...float32, s_nchwc: 6000 }, int8 })).toEqual([]);
  });

  it('join an activation to the convolution before it, where float32 computes the two in one', () => {
    const nodes = [
      node('Conv', ['x', 'w1'], ['a'], {}, { name: 'c1' }),
      node('LeakyRelu', ['a'], ['l'], {}, { name: 'leaky' }),
      node('Conv', ['l', 'w2'], ['y'], {}, { name: 'c2' }),
    ];
    const int8 = { c1: 2000, leaky: 1000, c2: 1000 };
    const parts = find(nodes, { float32: { c1: { ns: 2500, as: 'FusedConv' }, c2: 9000 }, int8 });
    expect(namesOf(parts)).toEqual([['c1', 'leaky']]);
  });

  it('pay nothing behind a MatMul, which gives float32 of itself', () => {
    const nodes = [
      node('MatMul', ['x', 'm1'], ['p'], {}, { name: 'first' }),
      node('MatMul', ['p', 'm2'], ['y'], {}, { name: 'second' }),
    ];
    const parts = find(nodes, {
      float32: { first: 9000, second: 2500 },
      int8: { first: 1000, second: 3000 },
    });
    expect(namesOf(parts)).toEqual([['second']]);
    expect(parts[0]).toMatchObject({ int8Ns: 3000, float32Ns: 2500 });
  });

  it('charge a MatMul with the Add of its bias, and with a float kernel that computes it along', () => {
    const nodes = [
      node('MatMul', ['x', 'm1'], ['p'], {}, { name: 'product' }),
      node('Add', ['p', 'b'], ['sum'], {}, { name: 'bias' }),
      node('MatMul', ['sum', 'm2'], ['q'], {}, { name: 'scaled' }),
      node('Neg', ['q'], ['n'], {}, { name: 'computed along' }),
      node('Sqrt', ['n'], ['y'], {}, { name: 'sqrt' }),
    ];
    const float32 = { 'product/MatMulAddFusion': 1000, sqrt: 700 };
    const int8 = { bias: 3000, scaled: 600, sqrt: 600 };
    const parts = find(nodes, { float32, int8 });
    expect(namesOf(parts)).toEqual([['product'], ['scaled']]);
    expect(parts[0]).toMatchObject({ int8Ns: 5000, float32Ns: 1000 });
    expect(parts[1]).toMatchObject({ int8Ns: 3200, float32Ns: 700 });
  });

  it('never leave an operator in int8 that has no int8 form behind a float one', () => {
    const nodes = [
      node('Conv', ['x', 'w1'], ['a'], {}, { name: 'c1' }),
      node('Sigmoid', ['a'], ['g'], {}, { name: 'gate' }),
      node('Conv', ['g', 'w2'], ['y'], {}, { name: 'c2' }),
    ];
    const parts = find(nodes, {
      float32: { c1: 1000, gate: 2500, c2: 9000 },
      int8: { c1: 4000, gate: 1500, c2: 1000 },
    });
    expect(namesOf(parts)).toEqual([['c1', 'gate']]);
  });

  it('come with the one first that loses most', () => {
    const nodes = [
      node('Conv', ['x', 'w1'], ['a'], {}, { name: 'c1' }),
      node('Sqrt', ['a'], ['r'], {}, { name: 'sqrt' }),
      node('Conv', ['r', 'w2'], ['y'], {}, { name: 'c2' }),
    ];
    const float32 = { c1: 1000, sqrt: 1, c2: 1000 };
    expect(namesOf(find(nodes, { float32, int8: { c1: 2000, sqrt: 1, c2: 3000 } }))).toEqual([
      ['c2'],
      ['c1'],
    ]);
    expect(namesOf(find(nodes, { float32, int8: { c1: 3000, sqrt: 1, c2: 2000 } }))).toEqual([
      ['c1'],
      ['c2'],
    ]);
  });
});

describe('what is said about slower parts', () => {
  const parts = find(CONVS, {
    float32: { c1: 2000, c2: 9_000_000, c3: 1000 },
    int8: { c1: 41_000, c2: 3000, c3: 3000 },
  });

  it('tells the figures of the part to each of its nodes', () => {
    expect([...latencyReasons(parts)]).toEqual([
      ['c1', 'int8 was measured slower here: 41.0 µs against 2.00 µs in float32'],
      ['c3', 'int8 was measured slower here: 3.00 µs against 1.00 µs in float32'],
    ]);
    const [first, second] = parts as [SlowerPart, SlowerPart];
    const joined = { ...first, nodes: [...first.nodes, ...second.nodes] };
    expect(latencyReasons([joined]).get('c3')).toContain('slower in this part of 2 nodes: 41.0 µs');
  });

  it('groups parts of equal work and puts the kind first that loses most in sum', () => {
    const [large, small] = parts as [SlowerPart, SlowerPart];
    const other = { ...small, nodes: [] };
    const kinds = partKinds([other, small, large]);
    expect(kinds.map((kind) => kind.length)).toEqual([2, 1]);
    expect(kinds[0]).toEqual([small, large]);
  });
});
