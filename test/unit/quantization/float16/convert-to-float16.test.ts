import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { DATA_TYPE, type FunctionProto } from '../../../../src/onnx/messages.ts';
import { convertToFloat16 } from '../../../../src/quantization/float16/convert-to-float16.ts';
import { viewGraph } from '../../../../src/quantization/graph-view.ts';
import { chain, graphOf, opTypesOf } from '../../../support/chain.ts';
import { graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import { copyOf, sqnrDb } from '../../../support/quantize-in-memory.ts';
import { float16Feed, float16Values, floatFeed, runModel, wavyFeed } from '../../../support/run-model.ts';
import { convert, convertAndCompare, initializerTypes, layer, nodesOf, recipe, wavy } from './conversion.ts';

describe('the edges of the model', () => {
  it('keep their type with one Cast each', async () => {
    const { converted, report } = await convertAndCompare(layer(), { x: wavyFeed(1, 4) });
    expect(opTypesOf(converted)).toEqual(['Cast', 'MatMul', 'Add', 'Relu', 'Cast']);
    expect(report).toEqual({ converted: 3, casts: 2, float: [], clamped: [], raised: [] });
    expect(initializerTypes(converted)).toEqual({ w: DATA_TYPE.float16, b: DATA_TYPE.float16 });
  });

  it('become float16 without a Cast if the recipe says so', async () => {
    const given = layer();
    const reference = await runModel(given, { x: floatFeed([1, 4], [1, 2, 3, 4]) });
    expect(convert(given, recipe({ keepIo: false })).casts).toBe(0);
    const { input, output } = graphOf(given);
    for (const port of [...input, ...output]) expect(port.type?.tensorType?.elemType).toBe(DATA_TYPE.float16);
    const { y } = await runModel(given, { x: float16Feed([1, 4], [1, 2, 3, 4]) });
    expect(y?.type).toBe('float16');
    expect(sqnrDb(reference, { y: floatFeed([1, 3], float16Values(y)) })).toBeGreaterThan(50);
  });

  it('may be an output that a float32 operator makes, and that others read', () => {
    const given = chain(13, [node('CumSum', ['x', 'axis'], ['y']), node('Relu', ['y'], ['z'])], [4]);
    graphOf(given).output.push(value('z'));
    graphOf(given).initializer.push(tensor('axis', [], [0], 'int64'));
    convert(given, recipe({ keepIo: false }));
    expect(opTypesOf(given)).toEqual(['Cast', 'CumSum', 'Cast', 'Relu']);
    expect(nodesOf(given, 'CumSum')[0]).toMatchObject({
      input: ['x_float32', 'axis'],
      output: ['y_float32'],
    });
    expect(nodesOf(given, 'Relu')[0]?.input).toEqual(['y']);
  });

  it('declare the types that tensors inside have now', () => {
    const given = layer();
    convert(given);
    expect(graphOf(given).valueInfo[0]?.type?.tensorType?.elemType).toBe(DATA_TYPE.float16);
    expect(graphOf(given).input[0]?.type?.tensorType?.elemType).toBe(DATA_TYPE.float);
  });
});

describe('tensors of other types', () => {
  it('stay as they are, and optional inputs stay left out', async () => {
    const given = model(
      graph({
        inputs: [value('x', 'float', [1, 4]), value('d', 'double', [4]), value('i', 'int64', [1])],
        nodes: [
          node('Clip', ['x', '', 'top'], ['clipped']),
          node('Gather', ['clipped', 'i'], ['y'], { axis: 1 }),
          node('Add', ['d', 'offset'], ['e']),
        ],
        outputs: [value('y'), value('e', 'double')],
        initializers: [tensor('top', [], [0.5]), tensor('offset', [], [1], 'double')],
      }),
    );
    const feeds = {
      x: wavyFeed(1, 4),
      d: new Tensor('float64', Float64Array.of(1, 2, 3, 4), [4]),
      i: new Tensor('int64', BigInt64Array.of(2n), [1]),
    };
    const { converted, report } = await convertAndCompare(given, feeds);
    expect(nodesOf(converted, 'Clip')[0]?.input).toEqual(['x_float16', '', 'top']);
    expect(initializerTypes(converted)).toEqual({ top: DATA_TYPE.float16, offset: DATA_TYPE.double });
    expect(report.converted).toBe(2);
  });
});

describe('operators that stay float32', () => {
  it('get one Cast a tensor, however many read it', async () => {
    const given = chain(
      14,
      [
        node('Relu', ['x'], ['a']),
        node('CumSum', ['a', 'axis'], ['b']),
        node('CumSum', ['a', 'axis'], ['c'], { reverse: 1 }),
        node('Add', ['b', 'c'], ['d']),
        node('Mul', ['d', 'b'], ['y']),
      ],
      [4],
    );
    graphOf(given).initializer.push(tensor('axis', [], [0], 'int64'));
    const { converted, report } = await convertAndCompare(given, { x: wavyFeed(4) });
    expect(opTypesOf(converted)).toEqual('Cast Relu Cast CumSum Cast CumSum Cast Add Mul Cast'.split(' '));
    expect(report.float.map(({ op, reason }) => ({ op, reason }))).toEqual([
      { op: 'CumSum', reason: 'running sums and products need more digits than float16 has' },
      { op: 'CumSum', reason: 'running sums and products need more digits than float16 has' },
    ]);
  });

  it('hand float32 on to each other without Casts', () => {
    const given = chain(14, [
      node('CumSum', ['x', 'axis'], ['a']),
      node('CumSum', ['a', 'axis'], ['b']),
      node('Relu', ['b'], ['y']),
    ]);
    graphOf(given).initializer.push(tensor('axis', [], [0], 'int64'));
    convert(given);
    expect(opTypesOf(given)).toEqual(['CumSum', 'CumSum', 'Cast', 'Relu', 'Cast']);
  });

  it.each([
    ['an excluded operator', recipe({ opTypes: ['Relu'] })],
    ['an excluded name', recipe({ nodes: ['y_*'] })],
  ])('are %s', (_, how) => {
    const given = layer();
    const { float: kept, converted } = convert(given, how);
    expect(kept).toEqual([{ node: 'y_node', op: 'Relu', reason: 'excluded by the recipe' }]);
    expect(converted).toBe(2);
    expect(opTypesOf(given)).toEqual(['Cast', 'MatMul', 'Add', 'Cast', 'Relu']);
  });

  it('are operators of other domains, even under the name of a known one', () => {
    const given = chain(13, [
      node('Gelu', ['x'], ['a'], {}, { domain: 'com.microsoft' }),
      node('Relu', ['a'], ['y']),
    ]);
    graphOf(given).valueInfo.push(value('a'));
    expect(convert(given).float[0]?.reason).toBe('an operator of the domain com.microsoft');
    expect(opTypesOf(given)).toEqual(['Gelu', 'Cast', 'Relu', 'Cast']);
  });

  it('are functions of the model, whose insides nobody converts', () => {
    const given = chain(13, [node('Twice', ['x'], ['a'], {}, { domain: 'own' }), node('Relu', ['a'], ['y'])]);
    graphOf(given).valueInfo.push(value('a'));
    const body = node('Add', ['p', 'p'], ['q']);
    const twice: FunctionProto = {
      name: 'Twice',
      domain: 'own',
      input: ['p'],
      output: ['q'],
      attribute: [],
      attributeProto: [],
      node: [body],
      opsetImport: [{ domain: '', version: 13 }],
      valueInfo: [],
      metadataProps: [],
    };
    given.proto.functions.push(twice);
    expect(convert(given).float[0]?.reason).toBe('a function of the model');
    expect(body).toEqual(node('Add', ['p', 'p'], ['q']));
  });

  it('are those that read a tensor of unknown type', () => {
    const given = chain(13, [
      node('Odd', ['x'], ['a'], {}, { domain: 'own' }),
      node('Relu', ['x'], ['b']),
      node('Add', ['b', 'a'], ['y']),
    ]);
    expect(convert(given).float.map(({ op, reason }) => [op, reason])).toEqual([
      ['Odd', 'an operator of the domain own'],
      ['Add', 'the types of its tensors are not all known'],
    ]);
    expect(nodesOf(given, 'Add')[0]?.input).toEqual(['b_float32', 'a']);
  });

  it.each([
    [19, 'IsInf', false],
    [20, 'IsInf', true],
    [13, 'Celu', false],
  ] as const)('depend on the opset: %i, %s', (opset, opType, converts) => {
    const given = model(
      graph({
        inputs: [value('x')],
        nodes: [node('Relu', ['x'], ['r']), node(opType, ['r'], ['y'])],
        outputs: [value('y', opType === 'IsInf' ? 'bool' : 'float')],
      }),
      { opset },
    );
    expect(convert(given).float).toHaveLength(converts ? 0 : 1);
  });

  it('are those that runtimes replace by nodes with float32 constants', async () => {
    const given = chain(
      13,
      [
        node('Relu', ['x'], ['a']),
        node('MeanVarianceNormalization', ['a'], ['b']),
        node('Sigmoid', ['b'], ['y']),
      ],
      [1, 2, 3, 3],
    );
    const { report } = await convertAndCompare(given, { x: wavyFeed(1, 2, 3, 3) });
    expect(report.float).toMatchObject([
      { op: 'MeanVarianceNormalization', reason: expect.stringContaining('float32 constants') },
    ]);
  });

  it('are scatters that reduce', () => {
    const given = model(
      graph({
        inputs: [value('x', 'float', [4]), value('i', 'int64', [4])],
        nodes: [
          node('ScatterElements', ['x', 'i', 'x'], ['a'], { reduction: 'add' }),
          node('ScatterElements', ['a', 'i', 'x'], ['y']),
        ],
        outputs: [value('y')],
      }),
      { opset: 16 },
    );
    expect(convert(given).float.map(({ node: name }) => name)).toEqual(['a_node']);
  });

  it('include the scales of a Resize, which stays float16 otherwise', async () => {
    const given = chain(13, [node('Resize', ['x', '', 'scales'], ['y'], { mode: 'linear' })], [1, 1, 4, 4]);
    graphOf(given).initializer.push(tensor('scales', [4], [1, 1, 2, 2]));
    const { converted } = await convertAndCompare(given, { x: wavyFeed(1, 1, 4, 4) });
    expect(initializerTypes(converted)).toEqual({ scales: DATA_TYPE.float });
    expect(opTypesOf(converted)).toEqual(['Cast', 'Resize', 'Cast']);
  });

  it('include the statistics that a LayerNormalization gives', async () => {
    const given = chain(
      17,
      [node('LayerNormalization', ['x', 'w'], ['n', 'mean']), node('Add', ['n', 'mean'], ['y'])],
      [2, 8],
    );
    graphOf(given).initializer.push(tensor('w', [8], wavy(8)));
    const { converted } = await convertAndCompare(given, { x: wavyFeed(2, 8) });
    expect(nodesOf(converted, 'Add')[0]?.input).toEqual(['n', 'mean_float16']);
  });
});

describe('models that cannot be converted', () => {
  it('are refused when their opset is older than the rules', () => {
    const result = convertToFloat16(viewGraph(chain(12, [node('Relu', ['x'], ['y'])])), recipe());
    expect(result).toMatchObject({ ok: false, error: { kind: 'opset-too-old' } });
  });

  it('are refused, and left as they are, when no node would compute in float16', () => {
    const given = layer();
    const before = copyOf(given);
    const result = convertToFloat16(viewGraph(given), recipe({ nodes: ['*'] }));
    expect(result).toMatchObject({
      ok: false,
      error: {
        kind: 'nothing-to-quantize',
        message: expect.stringContaining("MatMul 'product_node': excluded by the recipe"),
      },
    });
    expect(graphOf(given).node).toEqual(graphOf(before).node);
  });

  it('name the tensor whose values the file does not hold', () => {
    const given = layer();
    const [w] = graphOf(given).initializer;
    if (w !== undefined) w.dims = [5, 3];
    const result = convertToFloat16(viewGraph(given), recipe());
    expect(result).toMatchObject({
      ok: false,
      error: { kind: 'tensor-size-mismatch', place: { tensor: 'w' } },
    });
  });
});
