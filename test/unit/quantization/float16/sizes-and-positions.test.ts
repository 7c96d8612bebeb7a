import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { DATA_TYPE } from '../../../../src/onnx/messages.ts';
import { graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import { floatFeed, wavyFeed } from '../../../support/run-model.ts';
import { convert, convertAndCompare, nodesOf, wavy } from './conversion.ts';

describe('sizes and positions', () => {
  it('are computed in float32, and so exactly', async () => {
    const given = model(
      graph({
        inputs: [value('x', 'float', ['n'])],
        nodes: [
          node('Shape', ['x'], ['shape']),
          node('Cast', ['shape'], ['f'], { to: DATA_TYPE.float }),
          node('Mul', ['f', 'half'], ['h']),
          node('Floor', ['h'], ['g']),
          node('Cast', ['g'], ['count'], { to: DATA_TYPE.int64 }),
          node('Slice', ['x', 'start', 'count'], ['s']),
          node('Relu', ['s'], ['y']),
        ],
        outputs: [value('y')],
        initializers: [tensor('half', [], [0.5]), tensor('start', [1], [0], 'int64')],
      }),
    );
    // Float16 holds 4097 / 2 as 2048 and 4103 / 2 as 2052.
    const { converted, report } = await convertAndCompare(given, { x: wavyFeed(4103) });
    expect(report.float.map(({ op }) => op)).toEqual(['Mul', 'Floor']);
    expect(report.converted).toBe(2);
    expect(nodesOf(converted, 'Shape')[0]?.input).toEqual(['x']);
    expect(report.casts).toBe(2);
  });

  it('keep their digits until angles are made of them', async () => {
    const given = model(
      graph({
        inputs: [value('positions', 'int64', [1, 'n']), value('x', 'float', ['n', 2])],
        nodes: [
          node('Cast', ['positions'], ['p'], { to: DATA_TYPE.float }),
          node('Transpose', ['p'], ['column']),
          node('Expand', ['frequencies', 'shape'], ['row']),
          node('MatMul', ['column', 'row'], ['angles']),
          node('Cos', ['angles'], ['cosines']),
          node('Mul', ['x', 'cosines'], ['y']),
        ],
        outputs: [value('y')],
        initializers: [tensor('frequencies', [2], [1, 0.0137]), tensor('shape', [2], [1, 2], 'int64')],
      }),
    );
    const feeds = {
      positions: new Tensor('int64', BigInt64Array.of(3n, 4095n, 5001n), [1, 3]),
      x: wavyFeed(3, 2),
    };
    const { report } = await convertAndCompare(given, feeds);
    expect(report.float.map(({ op }) => op)).toEqual(['Transpose', 'MatMul', 'Cos']);
  });

  it('end where weights are applied, as with features that are integers', () => {
    const given = model(
      graph({
        inputs: [value('features', 'int32', [1, 4])],
        nodes: [
          node('Cast', ['features'], ['f'], { to: DATA_TYPE.float }),
          node('MatMul', ['f', 'w'], ['a']),
          node('Relu', ['a'], ['y']),
        ],
        outputs: [value('y')],
        initializers: [tensor('w', [4, 3], wavy(12))],
      }),
    );
    expect(convert(given)).toMatchObject({ converted: 2, float: [] });
  });

  it('make masks that are limited to the range of float16', async () => {
    const given = model(
      graph({
        inputs: [value('mask', 'int64', [1, 3]), value('x', 'float', [1, 3])],
        nodes: [
          node('Cast', ['mask'], ['m'], { to: DATA_TYPE.float }),
          node('Sub', ['one', 'm'], ['inverse']),
          node('Mul', ['inverse', 'lowest'], ['scaled']),
          node('Unsqueeze', ['scaled', 'axes'], ['wide']),
          node('Add', ['x', 'wide'], ['a']),
          node('Softmax', ['a'], ['y']),
        ],
        outputs: [value('y')],
        initializers: [
          tensor('one', [], [1]),
          tensor('lowest', [], [-3.4028234e38]),
          tensor('axes', [1], [0], 'int64'),
        ],
      }),
    );
    const x = floatFeed([1, 3], [0.5, 1, -1]);
    for (const mask of [
      [1n, 0n, 1n],
      [0n, 0n, 0n],
    ]) {
      const { converted, report } = await convertAndCompare(
        given,
        { mask: new Tensor('int64', BigInt64Array.from(mask), [1, 3]), x },
        3,
      );
      expect(report.float.map(({ op }) => op)).toEqual(['Sub', 'Mul', 'Unsqueeze']);
      expect(nodesOf(converted, 'Clip')[0]?.input).toEqual(['wide', 'float16_lowest', 'float16_largest']);
    }
  });
});
