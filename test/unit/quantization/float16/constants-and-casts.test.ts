import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { emptyAttribute, findAttribute, intAttribute } from '../../../../src/onnx/attributes.ts';
import { ATTRIBUTE_TYPE, DATA_TYPE, type NodeProto } from '../../../../src/onnx/messages.ts';
import { readAsFloat32 } from '../../../../src/onnx/tensor-data.ts';
import { chain, graphOf, opTypesOf } from '../../../support/chain.ts';
import { float, graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import { copyOf } from '../../../support/quantize-in-memory.ts';
import { floatFeed, runModel, wavyFeed } from '../../../support/run-model.ts';
import { unwrap } from '../../../support/unwrap.ts';
import { convert, convertAndCompare, initializerTypes, nodesOf, wavy } from './conversion.ts';

describe('constants', () => {
  it('exist in both forms where operators of both kinds read them', async () => {
    const given = chain(
      14,
      [node('Add', ['x', 'c'], ['a']), node('CumSum', ['c', 'axis'], ['b']), node('Mul', ['a', 'b'], ['y'])],
      [4],
    );
    graphOf(given).initializer.push(tensor('c', [4], wavy(4)), tensor('axis', [], [0], 'int64'));
    const { converted } = await convertAndCompare(given, { x: wavyFeed(4) });
    expect(initializerTypes(converted)).toMatchObject({ c: DATA_TYPE.float, c_float16: DATA_TYPE.float16 });
  });

  it('of Constant and ConstantOfShape nodes are converted in place', async () => {
    const given = chain(
      13,
      [
        node('Constant', [], ['one'], { value_float: float(1.5) }),
        node('ConstantOfShape', ['shape'], ['zeros']),
        node('ConstantOfShape', ['shape'], ['fives'], { value: tensor('', [1], [5]) }),
        node('Add', ['x', 'one'], ['a']),
        node('Sum', ['a', 'zeros', 'fives'], ['y']),
      ],
      [4],
    );
    graphOf(given).initializer.push(tensor('shape', [1], [4], 'int64'));
    const { converted, report } = await convertAndCompare(given, { x: wavyFeed(4) });
    for (const made of [...nodesOf(converted, 'Constant'), ...nodesOf(converted, 'ConstantOfShape')]) {
      expect(findAttribute(made, 'value')?.t?.dataType).toBe(DATA_TYPE.float16);
    }
    expect(report).toMatchObject({ converted: 2, casts: 2 });
  });

  it('of a Constant node are repeated for readers of both kinds', () => {
    const given = chain(14, [
      node('Constant', [], ['c'], { value: tensor('', [2], [1, 2]) }),
      node('Add', ['x', 'c'], ['a']),
      node('CumSum', ['c', 'axis'], ['b']),
      node('Mul', ['a', 'b'], ['y']),
    ]);
    graphOf(given).initializer.push(tensor('axis', [], [0], 'int64'));
    convert(given);
    const types = nodesOf(given, 'Constant').map((made) => findAttribute(made, 'value')?.t?.dataType);
    expect(types).toEqual([DATA_TYPE.float, DATA_TYPE.float16]);
    expect(nodesOf(given, 'CumSum')[0]?.input[0]).toBe('c');
    expect(nodesOf(given, 'Add')[0]?.input[1]).toBe('c_float16');
  });

  it('are limited to the range of float16 where that says the same, and told of', async () => {
    const mask = [0, -3.4e38, 0, -1e9];
    const given = chain(13, [node('Add', ['x', 'mask'], ['a']), node('Softmax', ['a'], ['y'])], [1, 4]);
    graphOf(given).initializer.push(tensor('mask', [4], mask));
    const { converted, report } = await convertAndCompare(given, { x: wavyFeed(1, 4) });
    expect(report).toMatchObject({ converted: 2, clamped: [{ tensor: 'mask', count: 2 }] });
    const [stored] = graphOf(converted).initializer;
    expect([...unwrap(readAsFloat32(converted, stored ?? tensor('', [], [])))]).toEqual([
      0, -65504, 0, -65504,
    ]);
  });

  it('outside the range keep a product float32, and its float16 copy is limited', async () => {
    const given = chain(
      13,
      [
        node('Div', ['x', 'c'], ['small']),
        node('Mul', ['small', 'c'], ['big']),
        node('Relu', ['big'], ['y']),
      ],
      [4],
    );
    graphOf(given).initializer.push(tensor('c', [], [1e6]));
    const converted = copyOf(given);
    const { float: kept } = convert(converted);
    expect(kept.map(({ op }) => op)).toEqual(['Div', 'Mul']);
    expect(kept[0]?.reason).toBe("the constant 'c' is outside the range of float16: 1 of 1 values");
    expect(opTypesOf(converted)).toEqual(['Div', 'Mul', 'Clip', 'Cast', 'Relu', 'Cast']);
    const { y } = await runModel(converted, { x: floatFeed([4], [1, 2, 1e6, -1e6]) });
    expect(y?.data).toEqual(Float32Array.of(1, 2, 65504, 0));
  });

  it('keep a convolution float32 if some of its weights are too large', () => {
    const given = chain(13, [node('Conv', ['x', 'w'], ['a']), node('Relu', ['a'], ['y'])], [1, 1, 3, 3]);
    graphOf(given).initializer.push(tensor('w', [2, 1, 1, 1], [1, 1e5]));
    expect(convert(given).float[0]?.reason).toBe(
      "the constant 'w' is outside the range of float16: 1 of 2 values",
    );
    expect(initializerTypes(given)['w']).toBe(DATA_TYPE.float);
  });

  it('of tiny values alone keep the product float32, but not where they are only added', async () => {
    const tiny = (name: string, dims: readonly number[], count: number) =>
      tensor(name, dims, wavy(count, 1e-30));
    const product = chain(13, [node('MatMul', ['x', 'w'], ['y'])], [1, 4]);
    graphOf(product).initializer.push(tiny('w', [4, 3], 12));
    graphOf(product).node.unshift(node('Relu', ['x'], ['r']));
    (graphOf(product).node[1] as NodeProto).input[0] = 'r';
    const { report } = await convertAndCompare(product, { x: wavyFeed(1, 4) });
    expect(report.float).toMatchObject([
      { op: 'MatMul', reason: expect.stringContaining('12 values of at most') },
    ]);

    const sum = chain(13, [node('Gemm', ['x', 'w', 'b'], ['y'])], [1, 4]);
    graphOf(sum).initializer.push(tensor('w', [4, 3], wavy(12)), tiny('b', [3], 3));
    expect((await convertAndCompare(sum, { x: wavyFeed(1, 4) })).report.float).toEqual([]);
  });

  it('that would vanish do not, so that nothing is divided by zero', async () => {
    const given = chain(
      13,
      [node('Abs', ['x'], ['p']), node('Add', ['p', 'epsilon'], ['q']), node('Div', ['p', 'q'], ['y'])],
      [2],
    );
    graphOf(given).initializer.push(tensor('epsilon', [], [1e-12]));
    const { report } = await convertAndCompare(given, { x: floatFeed([2], [0, 3]) });
    expect(report.raised).toEqual([{ tensor: 'epsilon', count: 1 }]);
  });

  it('that are sparse stay float32, and are cast', () => {
    const made = node('Constant', [], ['c']);
    const sparseTensor = {
      values: tensor('', [1], [2.5]),
      indices: tensor('', [1], [1], 'int64'),
      dims: [2],
    };
    made.attribute = [{ ...emptyAttribute('sparse_value', ATTRIBUTE_TYPE.sparseTensor), sparseTensor }];
    const given = chain(13, [made, node('Add', ['x', 'c'], ['y'])]);
    convert(given);
    expect(opTypesOf(given)).toEqual(['Cast', 'Constant', 'Cast', 'Add', 'Cast']);
    expect(sparseTensor.values.dataType).toBe(DATA_TYPE.float);
  });

  it('computed from constants in several steps follow their readers', async () => {
    const given = chain(
      13,
      [node('Neg', ['w'], ['n']), node('Transpose', ['n'], ['t']), node('MatMul', ['x', 't'], ['y'])],
      [1, 4],
    );
    graphOf(given).initializer.push(tensor('w', [3, 4], wavy(12)));
    const { converted, report } = await convertAndCompare(given, { x: wavyFeed(1, 4) });
    expect(initializerTypes(converted)).toEqual({ w: DATA_TYPE.float16 });
    expect(report).toMatchObject({ converted: 3, casts: 2 });
  });
});

describe('Cast nodes', () => {
  it('to float32 give float16 instead', async () => {
    const given = model(
      graph({
        inputs: [value('b', 'bool', [4])],
        nodes: [node('Cast', ['b'], ['f'], { to: DATA_TYPE.float }), node('Sigmoid', ['f'], ['y'])],
        outputs: [value('y')],
      }),
    );
    const { converted } = await convertAndCompare(given, {
      b: new Tensor('bool', [true, false, true, true], [4]),
    });
    expect(opTypesOf(converted)).toEqual(['Cast', 'Sigmoid', 'Cast']);
    expect(intAttribute(nodesOf(converted, 'Cast')[0] as NodeProto, 'to')).toBe(DATA_TYPE.float16);
  });

  it('that have nothing left to do become Identity, so that the model loads without optimizations too', async () => {
    const given = chain(
      18,
      [
        node('Cast', ['x'], ['same'], { to: DATA_TYPE.float }),
        node('Mul', ['same', 'same'], ['square']),
        node('Cast', ['square'], ['half'], { to: DATA_TYPE.float16 }),
        node('CastLike', ['half', 'half'], ['like']),
        node('Cast', ['like'], ['back'], { to: DATA_TYPE.float }),
        node('Sqrt', ['back'], ['y']),
      ],
      [4],
    );
    const { converted } = await convertAndCompare(given, { x: wavyFeed(4) });
    expect(opTypesOf(converted)).toEqual('Cast Identity Mul Identity Identity Identity Sqrt Cast'.split(' '));
  });

  it('in bodies, too', async () => {
    const branch = () =>
      graph({
        nodes: [
          node('Cast', ['a'], ['half'], { to: DATA_TYPE.float16 }),
          node('Cast', ['half'], ['back'], { to: DATA_TYPE.float }),
          node('Sqrt', ['back'], ['root']),
        ],
        outputs: [value('root')],
      });
    const given = chain(
      18,
      [
        node('Abs', ['x'], ['a']),
        node('If', ['yes'], ['y'], { then_branch: branch(), else_branch: branch() }),
      ],
      [4],
    );
    graphOf(given).input.push(value('yes', 'bool', []));
    const yes = new Tensor('bool', [true], []);
    const { converted } = await convertAndCompare(given, { x: wavyFeed(4), yes });
    const body = findAttribute(nodesOf(converted, 'If')[0] as NodeProto, 'then_branch')?.g;
    expect(body?.node.map(({ opType }) => opType)).toEqual(['Identity', 'Identity', 'Sqrt', 'Cast']);
  });

  it('to other types read what there is', () => {
    const given = chain(13, [
      node('Relu', ['x'], ['a']),
      node('Cast', ['a'], ['d'], { to: DATA_TYPE.double }),
      node('Cast', ['d'], ['y'], { to: DATA_TYPE.float }),
    ]);
    convert(given);
    expect(opTypesOf(given)).toEqual(['Cast', 'Relu', 'Cast', 'Cast']);
    expect(nodesOf(given, 'Cast').map((cast) => [cast.input[0], intAttribute(cast, 'to')])).toEqual([
      ['x', DATA_TYPE.float16],
      ['a', DATA_TYPE.double],
      ['d', DATA_TYPE.float],
    ]);
  });

  it('are repeated from their source for readers of both kinds', () => {
    const given = model(
      graph({
        inputs: [value('b', 'bool', [4])],
        nodes: [
          node('Cast', ['b'], ['f'], { to: DATA_TYPE.float }),
          node('CumSum', ['f', 'axis'], ['s']),
          node('Mul', ['s', 'f'], ['y']),
        ],
        outputs: [value('y')],
        initializers: [tensor('axis', [], [0], 'int64')],
      }),
    );
    convert(given);
    expect(
      nodesOf(given, 'Cast')
        .slice(0, 2)
        .map(({ input, output }) => [...input, ...output]),
    ).toEqual([
      ['b', 'f'],
      ['b', 'f_float16'],
    ]);
  });
});
