import { describe, expect, it } from 'vitest';
import { liftOpset } from '../../../../src/onnx/lift-opset/lift-opset.ts';
import { DATA_TYPE, type NodeProto } from '../../../../src/onnx/messages.ts';
import type { OnnxModel } from '../../../../src/onnx/model-file.ts';
import { chain, graphOf, lift } from '../../../support/chain.ts';
import { float, floats, graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import { floatFeed, wavyFeed } from '../../../support/run-model.ts';
import { expectSameResults } from '../../../support/same-results.ts';
import { unwrap } from '../../../support/unwrap.ts';

function problemOf(given: OnnxModel) {
  const result = liftOpset(given);
  if (result.ok) throw new Error('The model was lifted.');
  return result.error;
}

describe('liftOpset', () => {
  it('says what it did, and raises opset and IR version', () => {
    const given = chain(
      9,
      [node('Squeeze', ['x'], ['s']), node('Squeeze', ['s'], ['y'], { axes: [0] })],
      [1, 1, 3],
    );
    given.proto.irVersion = 3;
    expect(unwrap(liftOpset(given))).toEqual({
      modified: true,
      fromVersion: 9,
      toVersion: 13,
      rewritten: { Squeeze: 1 },
    });
    expect(given.proto.opsetImport).toEqual([{ domain: '', version: 13 }]);
    expect(given.proto.irVersion).toBe(7);
  });

  it.each([13, 17, 22])('leaves a model of opset %i as it is', (opset) => {
    const given = chain(opset, [node('Relu', ['x'], ['y'])], [3]);
    const before = structuredClone(given.proto);
    expect(unwrap(liftOpset(given))).toMatchObject({ modified: false, fromVersion: opset, toVersion: opset });
    expect(given.proto).toEqual(before);
  });

  it('knows ai.onnx by its long name', () => {
    const given = chain(9, [node('Unsqueeze', ['x'], ['y'], { axes: [0] }, { domain: 'ai.onnx' })], [3]);
    given.proto.opsetImport = [{ domain: 'ai.onnx', version: 9 }];
    expect(unwrap(liftOpset(given)).rewritten).toEqual({ Unsqueeze: 1 });
    expect(given.proto.opsetImport).toEqual([{ domain: 'ai.onnx', version: 13 }]);
  });

  it('leaves operators of other domains alone, whatever they are called', () => {
    const given = chain(9, [node('Squeeze', ['x'], ['y'], { axes: [0] }, { domain: 'mine' })], [1, 3]);
    unwrap(liftOpset(given));
    expect(graphOf(given).node[0]?.attribute).toHaveLength(1);
  });

  it('gives new tensors names that are free in the whole model', () => {
    const squeeze = node('Squeeze', ['x'], ['y'], { axes: [0] }, { name: 'sq' });
    const given = chain(9, [squeeze], [1, 3]);
    graphOf(given).initializer.push(tensor('sq_axes', [1], [7]));
    unwrap(liftOpset(given));
    expect(graphOf(given).node[0]?.input).toEqual(['x', 'sq_axes_1']);
  });

  it('lifts the bodies of If, which may use tensors from outside', async () => {
    const branch = (name: string, axes: number[]) =>
      graph({
        name,
        nodes: [node('Unsqueeze', ['r'], [`${name}_y`], { axes })],
        outputs: [value(`${name}_y`)],
      });
    const given = model(
      graph({
        inputs: [value('x', 'float', [2])],
        initializers: [tensor('yes', [], [1], 'bool')],
        nodes: [
          node('Relu', ['x'], ['r']),
          node('If', ['yes'], ['y'], { then_branch: branch('a', [0]), else_branch: branch('b', [1]) }),
        ],
        outputs: [value('y')],
      }),
      { opset: 11 },
    );
    await expectSameResults(given, { x: floatFeed([2], [-1, 5]) }, (m) => {
      expect(unwrap(liftOpset(m)).rewritten).toEqual({ Unsqueeze: 2 });
    });
  });

  it('lifts model-local functions, with their constants as nodes', async () => {
    const given = model(
      graph({
        inputs: [value('x', 'float', [3])],
        nodes: [node('Widen', ['x'], ['y'], {}, { domain: 'mine' })],
        outputs: [value('y')],
      }),
      { opset: 12, imports: { mine: 1 } },
    );
    given.proto.functions.push({
      name: 'Widen',
      domain: 'mine',
      input: ['a'],
      output: ['b'],
      attribute: [],
      attributeProto: [],
      node: [node('Unsqueeze', ['a'], ['b'], { axes: [1] })],
      opsetImport: [{ domain: '', version: 12 }],
      valueInfo: [],
      metadataProps: [],
    });
    await expectSameResults(given, { x: floatFeed([3], [1, 2, 3]) }, (m) => {
      expect(unwrap(liftOpset(m)).rewritten).toEqual({ Unsqueeze: 1 });
    });
    expect(given.proto.functions[0]?.node.map(({ opType }) => opType)).toEqual(['Constant', 'Unsqueeze']);
    expect(given.proto.functions[0]?.opsetImport).toEqual([{ domain: '', version: 13 }]);
  });

  it('does not lift a function that passes one of its attributes on to an attribute that is now an input', () => {
    const given = chain(12, [node('Relu', ['x'], ['y'])], [3]);
    const inner = node('Unsqueeze', ['a'], ['b'], { axes: [1] }, { name: 'inner' });
    inner.attribute[0] = { ...inner.attribute[0], name: 'axes', refAttrName: 'where' } as never;
    given.proto.functions.push({
      name: 'Widen',
      domain: 'mine',
      input: ['a'],
      output: ['b'],
      attribute: ['where'],
      attributeProto: [],
      node: [inner],
      opsetImport: [{ domain: '', version: 12 }],
      valueInfo: [],
      metadataProps: [],
    });
    expect(problemOf(given)).toMatchObject({ kind: 'operator-not-liftable', place: { node: 'inner' } });
  });
});

describe('liftOpset refuses, and says why,', () => {
  it('an opset that there never was', () => {
    const problem = problemOf(chain(0, [node('Relu', ['x'], ['y'])], [3]));
    expect(problem.kind).toBe('opset-too-old');
    expect(problem.message).toContain('opset 0');
    expect(problem.hint).toContain('Export');
  });

  it('a model without an import of ai.onnx that uses it', () => {
    const given = chain(9, [node('Relu', ['x'], ['y'])], [3]);
    given.proto.opsetImport = [];
    expect(problemOf(given).kind).toBe('opset-missing');
  });

  it('a model without a graph', () => {
    const given = chain(9, [], [3]);
    given.proto.graph = undefined;
    expect(problemOf(given).kind).toBe('no-graph');
  });

  it.each([
    ['BatchNormalization', 8, { spatial: 0 }],
    ['Scan', 8, {}],
    ['MeanVarianceNormalization', 8, {}],
    ['ImageScaler', 9, { scale: float(2) }],
  ] as const)('%s of opset %i', (opType, opset, attributes) => {
    const given = chain(opset, [node(opType, ['x'], ['y'], attributes, { name: 'culprit' })], [1, 3]);
    const problem = problemOf(given);
    expect(problem).toMatchObject({ kind: 'operator-not-liftable', place: { node: 'culprit' } });
    expect(problem.message).toContain(opType);
  });

  it('a Clip of integers, which had no such thing before opset 12', () => {
    const given = chain(9, [node('Clip', ['x'], ['y'], { min: float(0) })], [3]);
    graphOf(given).input = [value('x', 'int32', [3])];
    expect(problemOf(given)).toMatchObject({ kind: 'operator-not-liftable', place: { node: 'y_node' } });
  });

  it('a Dropout whose mask is used', () => {
    const nodes = [node('Dropout', ['x'], ['d', 'mask']), node('Mul', ['d', 'mask'], ['y'])];
    expect(problemOf(chain(9, nodes, [3])).message).toContain('mask');
  });
});

describe('liftOpset keeps the results of', () => {
  const cases: readonly (readonly [name: string, opset: number, dims: number[], node: NodeProto])[] = [
    ['Squeeze with axes', 9, [1, 2, 1], node('Squeeze', ['x'], ['y'], { axes: [2] })],
    ['Squeeze without axes', 9, [1, 2, 1], node('Squeeze', ['x'], ['y'])],
    ['Squeeze with a negative axis', 11, [1, 2, 1], node('Squeeze', ['x'], ['y'], { axes: [-1] })],
    ['Unsqueeze', 7, [2, 3], node('Unsqueeze', ['x'], ['y'], { axes: [0, 3] })],
    ['ReduceSum with axes', 7, [2, 3, 4], node('ReduceSum', ['x'], ['y'], { axes: [1], keepdims: 0 })],
    ['ReduceSum without axes', 12, [2, 3, 4], node('ReduceSum', ['x'], ['y'], { keepdims: 1 })],
    ['ReduceMean, which keeps its attribute', 11, [2, 3], node('ReduceMean', ['x'], ['y'], { axes: [-1] })],
    ['Clip with both limits', 7, [7], node('Clip', ['x'], ['y'], { min: float(-0.5), max: float(1.1) })],
    ['Clip with a minimum', 10, [7], node('Clip', ['x'], ['y'], { min: float(0.1) })],
    ['Clip with a maximum', 9, [7], node('Clip', ['x'], ['y'], { max: float(0.1) })],
    ['Clip without limits', 9, [7], node('Clip', ['x'], ['y'])],
    ['Pad with a value', 7, [2, 3], node('Pad', ['x'], ['y'], { pads: [0, 1, 2, 0], value: float(1.5) })],
    ['Pad that crops', 9, [2, 3], node('Pad', ['x'], ['y'], { pads: [0, -1, 0, 0] })],
    ['Pad by reflection', 10, [2, 3], node('Pad', ['x'], ['y'], { pads: [0, 1, 0, 2], mode: 'reflect' })],
    ['Pad by the edge', 10, [2, 3], node('Pad', ['x'], ['y'], { pads: [1, 0, 0, 2], mode: 'edge' })],
    ['Slice with axes', 9, [4, 5], node('Slice', ['x'], ['y'], { starts: [1], ends: [-1], axes: [1] })],
    [
      'Slice beyond the end',
      7,
      [4, 5],
      node('Slice', ['x'], ['y'], { starts: [0, 2], ends: [3, 2147483647] }),
    ],
    ['Dropout', 7, [3], node('Dropout', ['x'], ['y'], { ratio: float(0.9) })],
    ['Dropout with an unused mask', 10, [3], node('Dropout', ['x'], ['y', 'mask'], { ratio: float(0.3) })],
    ['Upsample by an attribute', 7, [1, 1, 2, 3], upsample('nearest', 1, 1, 2, 3)],
    ['Upsample by an uneven factor', 7, [1, 1, 5, 7], upsample('nearest', 1, 1, 1.3, 2.7)],
    ['Upsample by interpolation', 7, [1, 1, 3, 5], upsample('linear', 1, 1, 2, 1.7)],
    ['Softmax over the last axis', 9, [2, 3], node('Softmax', ['x'], ['y'])],
    ['Softmax over several axes', 9, [2, 3, 4], node('Softmax', ['x'], ['y'])],
    ['Softmax over everything', 11, [2, 3, 4], node('Softmax', ['x'], ['y'], { axis: 0 })],
    ['Softmax over a negative axis', 11, [2, 3, 4], node('Softmax', ['x'], ['y'], { axis: -2 })],
    ['LogSoftmax', 12, [2, 3, 4], node('LogSoftmax', ['x'], ['y'], { axis: 1 })],
    ['Hardmax', 9, [2, 3, 4], node('Hardmax', ['x'], ['y'])],
    ['MaxPool, which is as it was', 8, [1, 1, 4, 4], node('MaxPool', ['x'], ['y'], { kernel_shape: [2, 2] })],
  ];

  it.each(cases)('%s (opset %i)', async (_name, opset, dims, given) => {
    await expectSameResults(chain(opset, [given], dims), { x: wavyFeed(...dims) }, lift);
  });

  it('Split into uneven and into even parts', async () => {
    const given = model(
      graph({
        inputs: [value('x', 'float', [6])],
        nodes: [
          node('Split', ['x'], ['a', 'b'], { split: [4, 2] }),
          node('Split', ['x'], ['c', 'd'], {}, { name: 'even' }),
        ],
        outputs: [value('a'), value('b'), value('c'), value('d')],
      }),
      { opset: 11 },
    );
    await expectSameResults(given, { x: wavyFeed(6) }, lift);
  });

  it('TopK', async () => {
    const given = model(
      graph({
        inputs: [value('x', 'float', [2, 5])],
        nodes: [node('TopK', ['x'], ['y', 'at'], { k: 3 })],
        outputs: [value('y'), value('at', 'int64')],
      }),
      { opset: 9 },
    );
    await expectSameResults(given, { x: wavyFeed(2, 5) }, lift);
  });

  it('Scatter', async () => {
    const given = chain(9, [node('Scatter', ['x', 'at', 'updates'], ['y'], { axis: 1 })], [1, 4]);
    graphOf(given).initializer.push(tensor('at', [1, 2], [3, 0], 'int64'), tensor('updates', [1, 2], [8, 9]));
    await expectSameResults(given, { x: wavyFeed(1, 4) }, lift);
  });

  it('BatchNormalization with spatial=1', async () => {
    const names = ['scale', 'bias', 'mean', 'var'];
    const given = chain(7, [node('BatchNormalization', ['x', ...names], ['y'], { spatial: 1 })], [2, 2, 3]);
    graphOf(given).initializer.push(...names.map((name) => tensor(name, [2], [0.7, 1.3])));
    await expectSameResults(given, { x: wavyFeed(2, 2, 3) }, lift);
  });

  it('OneHot', async () => {
    const given = chain(9, [node('OneHot', ['at', 'depth', 'values'], ['y'])], [2]);
    graphOf(given).initializer.push(
      tensor('at', [4], [0, 2, -1, 5], 'int64'),
      tensor('depth', [1], [3], 'int64'),
      tensor('values', [2], [0, 1]),
    );
    await expectSameResults(given, { x: wavyFeed(2) }, lift);
  });
});

describe('a lifted Clip', () => {
  it('has limits of the type of its input', () => {
    const given = model(
      graph({
        inputs: [value('x', 'float16', [3])],
        nodes: [node('Clip', ['x'], ['y'], { min: float(0), max: float(6) }, { name: 'relu6' })],
        outputs: [value('y', 'float16')],
      }),
      { opset: 9 },
    );
    unwrap(liftOpset(given));
    expect(graphOf(given).initializer).toMatchObject([
      { name: 'relu6_min', dims: [], dataType: DATA_TYPE.float16 },
      tensor('relu6_max', [], [6], 'float16'),
    ]);
  });
});

function upsample(mode: string, ...scales: readonly number[]): NodeProto {
  return node('Upsample', ['x'], ['y'], { mode, scales: floats(...scales) });
}
