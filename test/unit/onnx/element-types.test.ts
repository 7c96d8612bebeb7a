import { describe, expect, it } from 'vitest';
import { inferElementTypes } from '../../../src/onnx/element-types.ts';
import { DATA_TYPE, type NodeProto } from '../../../src/onnx/messages.ts';
import { float, graph, model, node, tensor, value } from '../../support/graph-builder.ts';

const { float: float32, int64, bool, int32, uint8, int8, double, float16 } = DATA_TYPE;

/** The types of what `nodes` make from x (float), i (int64) and h (float16). */
function typesOf(...nodes: readonly NodeProto[]): Readonly<Record<string, number>> {
  const inputs = [value('x', 'float', [2, 3]), value('i', 'int64', [3]), value('h', 'float16', [3])];
  const body = graph({ inputs, nodes, outputs: [{ name: 'y', metadataProps: [] }] });
  const types = new Map(inferElementTypes(model(body).proto));
  for (const { name } of inputs) types.delete(name ?? '');
  return Object.fromEntries(types);
}

describe('inferElementTypes', () => {
  it.each<readonly [string, NodeProto, Readonly<Record<string, number>>]>([
    ['an elementwise operator gives what it takes', node('Relu', ['h'], ['y']), { y: float16 }],
    ['so does one that moves data', node('Gather', ['x', 'i'], ['y']), { y: float32 }],
    ['one known operand tells the other', node('Add', ['unknown', 'h'], ['y']), { y: float16 }],
    ['Shape gives int64', node('Shape', ['x'], ['y']), { y: int64 }],
    ['a comparison gives bool', node('Less', ['x', 'x'], ['y']), { y: bool }],
    ['Cast gives what it is told', node('Cast', ['x'], ['y'], { to: int32 }), { y: int32 }],
    ['Where looks past the condition', node('Where', ['b', 'i', 'i'], ['y']), { y: int64 }],
    ['MaxPool gives indices', node('MaxPool', ['x'], ['y', 'at']), { y: float32, at: int64 }],
    ['TopK gives indices', node('TopK', ['h', 'i'], ['y', 'at']), { y: float16, at: int64 }],
    ['Dropout gives a mask', node('Dropout', ['x'], ['y', 'mask']), { y: float32, mask: bool }],
    ['Split has one type', node('Split', ['x', 'i'], ['y', 'z']), { y: float32, z: float32 }],
    ['Split of the unknown is unknown', node('Split', ['unknown', 'i'], ['y', 'z']), {}],
    ['ConstantOfShape is float', node('ConstantOfShape', ['i'], ['y']), { y: float32 }],
    [
      'unless it has a value',
      node('ConstantOfShape', ['i'], ['y'], { value: tensor('', [1], [0], 'int32') }),
      { y: int32 },
    ],
    [
      'a Constant has its tensor',
      node('Constant', [], ['y'], { value: tensor('', [], [0], 'double') }),
      { y: double },
    ],
    ['or its number', node('Constant', [], ['y'], { value_float: float(1) }), { y: float32 }],
    ['or its numbers', node('Constant', [], ['y'], { value_ints: [1, 2] }), { y: int64 }],
    ['EyeLike follows its input', node('EyeLike', ['i'], ['y']), { y: int64 }],
    ['or its attribute', node('EyeLike', ['i'], ['y'], { dtype: float32 }), { y: float32 }],
    ['QuantizeLinear is uint8', node('QuantizeLinear', ['x', 's'], ['y']), { y: uint8 }],
    ['of an unknown zero point nothing is known', node('QuantizeLinear', ['x', 's', 'z'], ['y']), {}],
    ['a custom operator is unknown', node('Relu', ['x'], ['y'], {}, { domain: 'mine' }), {}],
    ['so is an operator of a newer ONNX', node('NotYetMade', ['x'], ['y']), {}],
    ['and one that is called like a property of objects', node('toString', ['x'], ['y']), {}],
  ])('%s', (_name, given, expected) => {
    expect(typesOf(given)).toEqual(expected);
  });

  it('follows a chain as far as it is sure', () => {
    const types = typesOf(
      node('Shape', ['x'], ['s']),
      node('Gather', ['s', 'i'], ['g']),
      node('Mystery', ['g'], ['m'], {}, { domain: 'mine' }),
      node('Relu', ['m'], ['y']),
    );
    expect(types).toEqual({ s: int64, g: int64 });
  });

  it('takes the type of a zero point', () => {
    const body = graph({
      inputs: [value('x')],
      initializers: [tensor('s', [], [1]), tensor('z', [], [0], 'int8')],
      nodes: [
        node('QuantizeLinear', ['x', 's', 'z'], ['q']),
        node('DequantizeLinear', ['q', 's', 'z'], ['d'], {}, { domain: 'com.microsoft' }),
      ],
      outputs: [],
    });
    const types = inferElementTypes(model(body).proto);
    expect([types.get('q'), types.get('d')]).toEqual([int8, float32]);
  });

  it('believes value_info about operators that it does not know', () => {
    const body = graph({
      inputs: [value('x')],
      nodes: [node('Mystery', ['x'], ['m'], {}, { domain: 'mine' }), node('Relu', ['m'], ['y'])],
      outputs: [],
      valueInfo: [value('m', 'int32')],
    });
    expect(inferElementTypes(model(body).proto).get('y')).toBe(int32);
  });

  it('looks into the bodies of Loop and If', () => {
    const body = graph({
      inputs: [value('n', 'int64'), value('go', 'bool'), value('state', 'float16')],
      nodes: [
        node('Shape', ['x'], ['size']),
        node('Relu', ['state'], ['next']),
        node('Not', ['go'], ['again']),
      ],
      outputs: ['again', 'next', 'size'].map((name) => ({ name, metadataProps: [] })),
    });
    const branch = graph({ nodes: [node('Neg', ['i'], ['t'])], outputs: [{ name: 't', metadataProps: [] }] });
    const types = typesOf(
      node('Loop', ['', '', 'h'], ['last', 'sizes'], { body }),
      node('If', ['b'], ['y'], { then_branch: branch, else_branch: branch }),
    );
    expect(types).toEqual({ last: float16, sizes: int64, y: int64 });
  });

  it('knows nothing of a model without a graph', () => {
    const { proto } = model(graph({ nodes: [], outputs: [] }));
    proto.graph = undefined;
    expect(inferElementTypes(proto).size).toBe(0);
  });
});
