import { describe, expect, it } from 'vitest';
import { liftOpset } from '../../../../src/onnx/lift-opset/lift-opset.ts';
import type { NodeProto, TensorProto } from '../../../../src/onnx/messages.ts';
import type { OnnxModel } from '../../../../src/onnx/model-file.ts';
import { chain, graphOf, lift, opTypesOf } from '../../../support/chain.ts';
import { float, node, tensor } from '../../../support/graph-builder.ts';
import { floatFeed, runModel } from '../../../support/run-model.ts';

function legacy(
  opset: number,
  dims: readonly number[],
  nodes: readonly NodeProto[],
  ...constants: readonly TensorProto[]
): OnnxModel {
  const given = chain(opset, nodes, dims);
  graphOf(given).initializer.push(...constants);
  return given;
}

/** ONNX Runtime refuses most operators of such opsets, so that results are compared with what the schemas say. */
async function lifted(given: OnnxModel, dims: readonly number[], x: readonly number[]) {
  lift(given);
  const y = (await runModel(given, { x: floatFeed(dims, x) }))['y'];
  return { dims: y?.dims, data: Array.from(y?.data as Float32Array) };
}

describe('liftOpset from an opset below 7', () => {
  it('aligns the second operand at the axis that the node names', async () => {
    const add = node('Add', ['x', 'k'], ['y'], { broadcast: 1, axis: 0, consumed_inputs: [0, 0] });
    const given = legacy(1, [2, 2], [add], tensor('k', [2], [10, 20]));
    expect(await lifted(given, [2, 2], [1, 2, 3, 4])).toEqual({ dims: [2, 2], data: [11, 12, 23, 24] });
    expect(opTypesOf(given)).toEqual(['Unsqueeze', 'Add']);
  });

  it('aligns the ends without an axis, or where the axis is the last', async () => {
    const nodes = [
      node('Add', ['x', 'k'], ['s'], { broadcast: 1 }),
      node('Mul', ['s', 'k'], ['y'], { broadcast: 1, axis: -1 }),
    ];
    const given = legacy(6, [2, 2], nodes, tensor('k', [2], [10, 20]));
    expect((await lifted(given, [2, 2], [1, 2, 3, 4])).data).toEqual([110, 440, 130, 480]);
    expect(opTypesOf(given)).toEqual(['Add', 'Mul']);
  });

  it('refuses an axis when the rank is not known', () => {
    const given = chain(6, [node('Add', ['x', 'x2'], ['y'], { broadcast: 1, axis: 1 })]);
    expect(liftOpset(given)).toMatchObject({
      ok: false,
      error: { kind: 'operator-not-liftable', place: { node: 'y_node' } },
    });
  });

  it('takes BatchNormalization and Dropout for inference, and refuses one that gives out statistics', async () => {
    const norm = (output: string[]) =>
      node('BatchNormalization', ['x', 'one', 'zero', 'zero', 'one'], output, { epsilon: float(0) });
    const given = legacy(
      6,
      [1, 1, 2],
      [
        norm(['n', 'mean', 'var', 'savedMean', 'savedVar']),
        node('Dropout', ['n'], ['y', 'm'], { is_test: 1 }),
      ],
      tensor('one', [1], [4]),
      tensor('zero', [1], [1]),
    );
    expect((await lifted(given, [1, 1, 2], [1, 3])).data).toEqual([1, 5]);
    const trains = chain(6, [norm(['n', 'y'])], [1, 1, 2]);
    expect(liftOpset(trains)).toMatchObject({ ok: false, error: { kind: 'operator-not-liftable' } });
  });

  it('gives a slope per channel its axis', async () => {
    const given = legacy(6, [1, 2, 2], [node('PRelu', ['x', 'k'], ['y'])], tensor('k', [2], [0.5, 0.25]));
    expect((await lifted(given, [1, 2, 2], [-4, 4, -4, 4])).data).toEqual([-2, 4, -1, 4]);
  });

  it('turns attributes that became inputs, words or others into those', async () => {
    const given = legacy(
      1,
      [1, 1, 2, 2],
      [
        node('Upsample', ['x'], ['u'], { height_scale: float(1), width_scale: float(2), mode: 'nearest' }),
        node('Pad', ['u'], ['p'], { paddings: [0, 0, 0, 0, 0, 0, 1, 0] }),
        node('Reshape', ['p'], ['r'], { shape: [3, 4] }),
        node('Cast', ['r'], ['i'], { to: 'INT32' }),
        node('Cast', ['i'], ['f'], { to: 'FLOAT' }),
        node('Concat', ['f', 'f'], ['y']),
      ],
    );
    expect(await lifted(given, [1, 1, 2, 2], [1.5, 2.5, 3.5, 4.5])).toEqual({
      dims: [3, 8],
      data: [1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4, 0, 0, 0, 0, 0, 0, 0, 0],
    });
  });

  it('writes out defaults that changed, and takes off what only trained or hinted', async () => {
    const given = legacy(
      1,
      [1, 1],
      [
        node('Selu', ['x'], ['s'], { consumed_inputs: [0] }),
        node('Gemm', ['s', 'k', 'b'], ['g'], { broadcast: 1 }),
        node('GlobalLpPool', ['x3'], ['l'], { p: float(3) }),
        node('LSTM', ['x3', 'k', 'k'], ['h'], { output_sequence: 1 }),
        node('Identity', ['g'], ['y']),
      ],
      tensor('k', [1, 1], [2]),
      tensor('b', [1], [1]),
    );
    lift(given);
    const [selu, gemm, pool, lstm] = graphOf(given).node;
    expect(selu?.attribute.map(({ name, f }) => [name, f])).toEqual([
      ['alpha', 1.6732],
      ['gamma', 1.0507],
    ]);
    expect([gemm?.attribute, lstm?.attribute]).toEqual([[], []]);
    expect(pool?.attribute.map(({ name, i }) => [name, i])).toEqual([['p', 3n]]);
  });

  it.each([
    ['Tile', node('Tile', ['x', 'x', 'x'], ['y'])],
    ['a cast to no type', node('Cast', ['x'], ['y'], { to: 'constructor' })],
    ['a norm of broken order', node('LpPool', ['x'], ['y'], { p: float(1.5) })],
  ])('refuses %s', (_what, given) => {
    expect(liftOpset(chain(1, [given], [1, 1]))).toMatchObject({
      ok: false,
      error: { kind: 'operator-not-liftable', place: { node: 'y_node' } },
    });
  });

  it('takes a file of IR version 2 without an import for opset 1', async () => {
    const given = chain(1, [node('Relu', ['x'], ['y'], { consumed_inputs: [0] })], [2]);
    given.proto.irVersion = 2;
    given.proto.opsetImport = [];
    expect(await lifted(given, [2], [-1, 1])).toEqual({ dims: [2], data: [0, 1] });
    expect(given.proto.opsetImport).toEqual([{ domain: '', version: 13 }]);
  });
});
