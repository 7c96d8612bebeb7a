import { describe, expect, it } from 'vitest';
import type { NodeProto, TensorProto } from '../../../src/onnx/messages.ts';
import { viewGraph } from '../../../src/quantization/graph-view.ts';
import { EMPTY_SELECTION } from '../../../src/quantization/node-selection.ts';
import { type Placement, placeQuantization } from '../../../src/quantization/placement.ts';
import { intsConstant, waveConstant } from '../../support/constants.ts';
import { graph, model, node, tensor, value } from '../../support/graph-builder.ts';
import { recipeWith } from '../../support/quantize-in-memory.ts';

const CONSTANTS: readonly TensorProto[] = [
  waveConstant('w', [3, 3, 1, 1]),
  waveConstant('v', [3, 3, 1, 1]),
  waveConstant('b', [3]),
  waveConstant('m', [3, 3]),
  waveConstant('k', [3, 1, 1]),
  tensor('lo', [], [0]),
  tensor('hi', [], [6]),
  tensor('one', [], [1]),
  intsConstant('shape', 1, 3, 4, 4),
  tensor('scales', [4], [1, 1, 2, 2]),
  intsConstant('first', 0),
];

/** Where things go in the graph x → `nodes` → `outputs`, x of shape [1, 3, 4, 4]. */
function place(
  nodes: readonly NodeProto[],
  outputs: readonly string[] = ['y'],
  exclude: { readonly opTypes?: readonly string[]; readonly nodes?: readonly string[] } = {},
): Placement {
  const given = model(
    graph({
      inputs: [value('x', 'float', [1, 3, 4, 4]), value('flag', 'bool', [])],
      nodes,
      outputs: outputs.map((name) => value(name)),
      initializers: CONSTANTS,
    }),
    { imports: { other: 1 } },
  );
  return placeQuantization(viewGraph(given), recipeWith({ exclude: { ...EMPTY_SELECTION, ...exclude } }));
}

/** The planned nodes by their first output. */
function int8(placement: Placement): (string | undefined)[] {
  return placement.nodes.map((planned) => planned.node.output[0]);
}

const conv = (from: string, to: string, weights = 'w') => node('Conv', [from, weights, 'b'], [to]);

describe('placeQuantization', () => {
  it('quantizes a chain of convolutions with the Relu between them absorbed', () => {
    const placement = place([conv('x', 'c'), node('Relu', ['c'], ['r']), conv('r', 'y', 'v')]);
    expect(int8(placement)).toEqual(['c', 'y']);
    expect(placement.nodes.map(({ absorbed }) => absorbed?.opType)).toEqual(['Relu', undefined]);
    expect(Object.fromEntries(placement.edges)).toEqual({ x: 'x', r: 'r', y: 'y' });
    expect([...placement.producedInInt8].sort()).toEqual(['r', 'y']);
    expect(placement.float).toEqual([]);
  });

  it('keeps a residual Add in int8 where its result reaches an anchor', () => {
    const placement = place([
      conv('x', 'c'),
      conv('c', 'd'),
      node('Add', ['c', 'd'], ['s']),
      node('Relu', ['s'], ['r']),
      conv('r', 'y', 'v'),
    ]);
    expect(int8(placement)).toEqual(['c', 'd', 's', 'y']);
    expect(placement.nodes[2]?.activations).toEqual(['c', 'd']);
    expect(placement.edges.has('s')).toBe(false);
    expect(placement.edges.get('r')).toBe('r');
  });

  it.each([
    ['MaxPool', ['c'], { kernel_shape: [2, 2] }],
    ['Flatten', ['c'], {}],
    ['Reshape', ['c', 'shape'], {}],
    ['Transpose', ['c'], {}],
    ['Squeeze', ['c', 'first'], {}],
    ['Unsqueeze', ['c', 'first'], {}],
    ['Slice', ['c', 'first', 'first'], {}],
    ['Resize', ['c', '', 'scales'], {}],
  ])('lets a %s pass codes on with the parameters of its input', (opType, inputs, attributes) => {
    const placement = place([conv('x', 'c'), node(opType, inputs, ['p'], attributes), conv('p', 'y', 'v')]);
    expect(int8(placement)).toEqual(['c', 'p', 'y']);
    expect(placement.edges.get('p')).toBe('c');
    expect(placement.nodes[1]?.activations).toEqual(['c']);
  });

  it('follows shared parameters through several operators', () => {
    const placement = place([
      conv('x', 'c'),
      node('MaxPool', ['c'], ['p'], { kernel_shape: [2, 2] }),
      node('Flatten', ['p'], ['f']),
      node('MatMul', ['f', 'm'], ['y']),
    ]);
    expect(placement.edges.get('f')).toBe('c');
  });

  const relu = (from: string, to: string) => node('Relu', [from], [to]);
  const concat = (...names: string[]) => node('Concat', names.slice(0, -1), names.slice(-1), { axis: 1 });
  const edgesOf = (nodes: readonly NodeProto[]) => Object.fromEntries(place(nodes).edges);

  it('gives what a Concat alone reads the parameters of the result, through Concats inside others', () => {
    expect(
      edgesOf([
        ...[conv('x', 'a'), conv('x', 'e'), conv('x', 'd')],
        ...[concat('a', 'e', 'j'), concat('j', 'd', 'o'), conv('o', 'y', 'v')],
      ]),
    ).toEqual({ x: 'x', a: 'o', e: 'o', d: 'o', j: 'o', o: 'o', y: 'y' });
    expect(
      edgesOf([
        ...[conv('x', 'a'), relu('a', 'p'), conv('x', 'e'), relu('e', 'q')],
        ...[concat('p', 'q', 'j'), conv('j', 'y', 'v')],
      ]),
    ).toMatchObject({ p: 'j', q: 'j' });
  });

  it.each<[string, readonly NodeProto[]]>([
    ['is read elsewhere too', [conv('x', 'p'), conv('x', 'q'), conv('p', 'z', 'v')]],
    [
      'comes partly out of a Relu, which a grid with negative values cannot absorb',
      [conv('x', 'a'), relu('a', 'p'), conv('x', 'q')],
    ],
    [
      'comes out of a Clip, whose end would have to be that of the grid',
      [
        conv('x', 'a'),
        node('Clip', ['a', 'lo', 'hi'], ['p']),
        conv('x', 'e'),
        node('Clip', ['e', 'lo', 'hi'], ['q']),
      ],
    ],
    ['comes from a graph input', [node('Identity', ['x'], ['p']), conv('x', 'q'), conv('p', 'z', 'v')]],
  ])('leaves the parameters of what %s', (_, nodes) => {
    const edges = edgesOf([...nodes, concat('p', 'q', 'j'), conv('j', 'y', 'v')]);
    expect([edges['p'] ?? 'p', edges['q'] ?? 'q']).toEqual(['p', 'q']);
  });

  it('gives a Concat parameters of its own', () => {
    const placement = place([
      conv('x', 'c'),
      node('Concat', ['c', 'c', 'x'], ['k2'], { axis: 1 }),
      conv('k2', 'y', 'v'),
    ]);
    expect(int8(placement)).toEqual(['c', 'k2', 'y']);
    expect(placement.edges.get('k2')).toBe('k2');
  });

  it('quantizes all outputs of a Split, also one that only float nodes read', () => {
    const placement = place(
      [
        conv('x', 'c'),
        node('Split', ['c'], ['s', 't'], { axis: 2 }),
        conv('s', 'y', 'v'),
        node('Tanh', ['t'], ['z']),
      ],
      ['y', 'z'],
    );
    expect(placement.nodes[1]?.outputEdges).toEqual(['s', 't']);
    expect(placement.edges.get('t')).toBe('c');
  });

  it('leaves a Split with an unread output float, because the runtime would not fuse it', () => {
    const placement = place([
      conv('x', 'c'),
      node('Split', ['c'], ['s', 't'], { axis: 2 }),
      conv('s', 'y', 'v'),
    ]);
    expect(int8(placement)).toEqual(['c', 'y']);
  });

  it('leaves what comes after the last anchor float', () => {
    const placement = place([
      conv('x', 'c'),
      node('Sigmoid', ['c'], ['s']),
      node('Mul', ['c', 's'], ['p']),
      node('GlobalAveragePool', ['p'], ['y']),
    ]);
    expect(int8(placement)).toEqual(['c']);
  });

  it('gives the last Gemm or MatMul no output pair, as its kernel gives float32 itself', () => {
    const placement = place([
      node('Flatten', ['x'], ['f']),
      node('Gemm', ['f', 'm', 'b'], ['g']),
      node('Relu', ['g'], ['r']),
      node('MatMul', ['r', 'm'], ['y']),
    ]);
    expect(placement.nodes.map(({ outputEdges }) => outputEdges)).toEqual([['r'], []]);
    expect(placement.nodes[0]?.absorbed?.opType).toBe('Relu');
    expect(placement.edges.has('y')).toBe(false);
  });

  it('leaves the Add of a bias behind a MatMul float', () => {
    const placement = place([
      node('MatMul', ['x', 'm'], ['p']),
      node('Add', ['p', 'b'], ['a']),
      node('MatMul', ['a', 'm'], ['y']),
    ]);
    expect(int8(placement)).toEqual(['p', 'y']);
    expect(placement.nodes[0]?.outputEdges).toEqual([]);
    expect(placement.producedInInt8.has('a')).toBe(false);
  });

  it('does not touch the arithmetic of shapes', () => {
    const placement = place([
      conv('x', 'c'),
      node('Shape', ['c'], ['sh']),
      node('Slice', ['sh', 'first', 'first'], ['part']),
      node('Concat', ['part', 'sh'], ['target'], { axis: 0 }),
      node('Reshape', ['c', 'target'], ['p']),
      conv('p', 'y', 'v'),
    ]);
    expect(int8(placement)).toEqual(['c', 'p', 'y']);
    expect(placement.nodes[1]?.activations).toEqual(['c']);
    expect(placement.edges.has('target')).toBe(false);
  });

  it('quantizes constants of elementwise operators and reads a tensor that is there twice', () => {
    const placement = place([
      conv('x', 'c'),
      node('Mul', ['k', 'c'], ['p']),
      node('Add', ['p', 'p'], ['q']),
      conv('q', 'y', 'v'),
    ]);
    expect(int8(placement)).toEqual(['c', 'p', 'q', 'y']);
    expect(placement.nodes[1]?.constants.map(({ name }) => name)).toEqual(['k']);
    expect(placement.nodes[1]?.activations).toEqual(['c']);
    expect(placement.nodes[2]?.activations).toEqual(['p', 'p']);
  });

  it.each([
    ['MaxPool', { kernel_shape: [2, 2] }, ['p', 'indices']],
    ['AveragePool', { kernel_shape: [2, 2], dilations: [2, 2] }, ['p']],
    ['AveragePool', { kernel_shape: [2, 2], ceil_mode: 1, count_include_pad: 1 }, ['p']],
    ['Resize', { mode: 'linear' }, ['p']],
    ['Resize', { coordinate_transformation_mode: 'tf_crop_and_resize' }, ['p']],
    ['Tanh', {}, ['p']],
  ])('leaves a %s with %j float', (opType, attributes, outputs) => {
    const inputs = opType === 'Resize' ? ['c', '', 'scales'] : ['c'];
    const nodes = [
      conv('x', 'c'),
      node(opType, inputs, outputs, attributes),
      conv('p', 'y', 'v'),
      ...(outputs.length > 1 ? [node('Identity', ['indices'], ['i'])] : []),
    ];
    const placement = place(nodes, outputs.length > 1 ? ['y', 'i'] : ['y']);
    expect(int8(placement)).toEqual(['c', 'y']);
    expect(placement.producedInInt8.has('p')).toBe(false);
    expect(placement.edges.get('p')).toBe('p');
  });

  it('takes no operator of another domain for one of ONNX', () => {
    const placement = place([
      node('Conv', ['x', 'w'], ['c'], {}, { domain: 'other' }),
      node('MaxPool', ['c'], ['p'], {}, { domain: 'other' }),
      conv('p', 'y', 'v'),
    ]);
    expect(int8(placement)).toEqual(['y']);
    expect(placement.edges.has('c')).toBe(false);
  });

  it('makes no relay of a tensor whose type is not known', () => {
    const placement = place([
      node('Frob', ['x'], ['f'], {}, { domain: 'other' }),
      node('Conv', ['f', 'w'], ['c']),
      node('MaxPool', ['f'], ['p'], { kernel_shape: [1, 1] }),
      node('Add', ['p', 'c'], ['s']),
      conv('s', 'y', 'v'),
    ]);
    expect(int8(placement)).toEqual(['c', 'y']);
  });

  it('keeps a tensor that int8 and float nodes read: both read the same edge', () => {
    const placement = place([conv('x', 'c'), conv('c', 'y', 'v'), node('Tanh', ['c'], ['t'])], ['y', 't']);
    expect(placement.producedInInt8.has('c')).toBe(true);
    expect([...placement.edges.keys()].sort()).toEqual(['c', 'x', 'y']);
  });

  it('says why an anchor stays float, and what the recipe excludes', () => {
    const nodes = [
      node('MatMul', ['x', 'x'], ['p'], {}, { name: 'scores' }),
      node('Conv', ['p', 'w'], ['c'], {}, { name: 'stem/conv' }),
      node('Relu', ['c'], ['r']),
      node('MaxPool', ['r'], ['q'], { kernel_shape: [2, 2] }, { name: 'pool' }),
      node('Conv', ['q', 'v'], ['y'], {}, { name: 'head/conv' }),
    ];
    const placement = place(nodes, ['y'], { opTypes: ['MaxPool'], nodes: ['stem/*'] });
    expect(int8(placement)).toEqual(['y']);
    expect(placement.float).toEqual([
      { node: 'scores', op: 'MatMul', reason: 'both inputs vary at run time' },
      { node: 'stem/conv', op: 'Conv', reason: 'excluded by the recipe' },
      { node: 'pool', op: 'MaxPool', reason: 'excluded by the recipe' },
    ]);
  });

  it('quantizes nothing where there is no anchor', () => {
    const placement = place([
      node('Relu', ['x'], ['r']),
      node('MaxPool', ['r'], ['y'], { kernel_shape: [1, 1] }),
    ]);
    expect(placement.nodes).toEqual([]);
    expect(placement.edges.size).toBe(0);
  });
});
