import type { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { NodeProto, TensorProto } from '../../../../src/onnx/messages.ts';
import type { OnnxModel } from '../../../../src/onnx/model-file.ts';
import { eliminateDead } from '../../../../src/onnx/passes/eliminate-dead.ts';
import { foldBatchNorm } from '../../../../src/onnx/passes/fold-batch-norm.ts';
import { readAsFloat32 } from '../../../../src/onnx/tensor-data.ts';
import { chain, graphOf, opTypesOf } from '../../../support/chain.ts';
import { float, node, tensor, value } from '../../../support/graph-builder.ts';
import { runModel, wavyFeed } from '../../../support/run-model.ts';
import { unwrap } from '../../../support/unwrap.ts';

const NORM_INPUTS = ['scale', 'offset', 'mean', 'var'];

function wave(name: string, dims: readonly number[], shift = 0): TensorProto {
  const count = dims.reduce((product, dim) => product * dim, 1);
  return tensor(
    name,
    dims,
    Array.from({ length: count }, (_, index) => shift + Math.sin(index * 2.3 + name.length)),
  );
}

/** Parameters of a BatchNormalization; the variance is positive. */
function normParameters(channels: number): TensorProto[] {
  return NORM_INPUTS.map((name) => wave(name, [channels], name === 'var' ? 1.2 : 0.4));
}

function norm(input: string, output: string, attributes = {}): NodeProto {
  return node('BatchNormalization', [input, ...NORM_INPUTS], [output], attributes);
}

function withConstants(given: OnnxModel, ...constants: readonly TensorProto[]): OnnxModel {
  graphOf(given).initializer.push(...constants);
  return given;
}

/** x → `linear`, with weight w and bias b where it names them → BatchNormalization → y. */
function normalized(
  linear: NodeProto,
  dims: number[],
  weight: number[],
  channels: number,
  bias = [channels],
): OnnxModel {
  return withConstants(
    chain(13, [linear, norm('c', 'y')], dims),
    wave('w', weight),
    ...(linear.input.includes('b') ? [wave('b', bias)] : []),
    ...normParameters(channels),
  );
}

function relativeError(expected: Tensor | undefined, actual: Tensor | undefined): number {
  const a = expected?.data as Float32Array;
  const b = actual?.data as Float32Array;
  expect(actual?.dims).toEqual(expected?.dims);
  const largest = a.reduce((most, entry) => Math.max(most, Math.abs(entry)), 0);
  return (
    a.reduce((most, entry, index) => Math.max(most, Math.abs(entry - (b[index] ?? Number.NaN))), 0) / largest
  );
}

function constant(given: OnnxModel, name: string): number[] {
  const found = graphOf(given).initializer.find((entry) => entry.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return Array.from(unwrap(readAsFloat32(given, found)));
}

describe('foldBatchNorm', () => {
  const conv = (input: string[], attributes = {}) => node('Conv', input, ['c'], attributes, { name: 'conv' });
  const transposed = (input: string[], attributes = {}) => node('ConvTranspose', input, ['c'], attributes);
  const gemm = (input: string[], attributes = {}) => node('Gemm', input, ['c'], attributes);

  it.each<readonly [string, OnnxModel, readonly number[]]>([
    ['Conv', normalized(conv(['x', 'w']), [2, 3, 5, 5], [4, 3, 3, 3], 4), [2, 3, 5, 5]],
    ['Conv with a bias', normalized(conv(['x', 'w', 'b']), [1, 3, 5, 5], [4, 3, 2, 2], 4), [1, 3, 5, 5]],
    ['Conv in one dimension', normalized(conv(['x', 'w', '']), [1, 3, 8], [4, 3, 3], 4), [1, 3, 8]],
    ['grouped Conv', normalized(conv(['x', 'w'], { group: 2 }), [1, 4, 5, 5], [6, 2, 3, 3], 6), [1, 4, 5, 5]],
    [
      'depthwise Conv',
      normalized(conv(['x', 'w'], { group: 4 }), [1, 4, 5, 5], [4, 1, 3, 3], 4),
      [1, 4, 5, 5],
    ],
    ['ConvTranspose', normalized(transposed(['x', 'w']), [1, 3, 4, 4], [3, 5, 2, 2], 5), [1, 3, 4, 4]],
    [
      'grouped ConvTranspose',
      normalized(transposed(['x', 'w', 'b'], { group: 2 }), [1, 4, 3, 3], [4, 3, 2, 2], 6),
      [1, 4, 3, 3],
    ],
    ['Gemm', normalized(gemm(['x', 'w']), [2, 3], [3, 4], 4), [2, 3]],
    ['Gemm, transposed', normalized(gemm(['x', 'w', 'b'], { transB: 1 }), [2, 3], [4, 3], 4, [1, 4]), [2, 3]],
    [
      'Gemm with factors and one bias for all',
      normalized(gemm(['x', 'w', 'b'], { alpha: float(0.5), beta: float(3) }), [2, 3], [3, 4], 4, [1]),
      [2, 3],
    ],
  ])('%s gives the same up to rounding', async (_name, given, dims) => {
    const feeds = { x: wavyFeed(...dims) };
    const before = await runModel(given, feeds);
    expect(unwrap(foldBatchNorm(given))).toEqual({ modified: true, count: 1 });
    eliminateDead(given);
    expect(graphOf(given).node).toHaveLength(1);
    expect(graphOf(given).initializer).toHaveLength(2);
    const after = await runModel(given, feeds);
    expect(relativeError(before['y'], after['y'])).toBeLessThan(1e-6);
  });

  it('scales the weights of each output channel and moves the bias', () => {
    const given = withConstants(
      chain(13, [conv(['x', 'w', 'b']), norm('c', 'y', { epsilon: float(0.25) })], [1, 1, 1, 1]),
      tensor('w', [2, 1, 1, 1], [2, 5]),
      tensor('b', [2], [1, 10]),
      tensor('scale', [2], [3, 4]),
      tensor('offset', [2], [100, 200]),
      tensor('mean', [2], [7, 8]),
      // With epsilon the square roots are 0.5 and 1.
      tensor('var', [2], [0, 0.75]),
    );
    unwrap(foldBatchNorm(given));
    expect(constant(given, 'w')).toEqual([2 * 6, 5 * 4]);
    expect(constant(given, 'b')).toEqual([(1 - 7) * 6 + 100, (10 - 8) * 4 + 200]);
  });

  it('names a new bias after the node', () => {
    const given = normalized(conv(['x', 'w']), [1, 3, 5, 5], [4, 3, 3, 3], 4);
    unwrap(foldBatchNorm(given));
    expect(graphOf(given).node[0]?.input).toEqual(['x', 'w', 'conv_bias']);
  });

  it('copies weights that another node reads, too', async () => {
    const given = normalized(conv(['x', 'w']), [1, 3, 4, 4], [3, 3, 1, 1], 3);
    graphOf(given).node.push(node('Conv', ['x', 'w'], ['plain']));
    graphOf(given).output.push(value('plain'));
    const feeds = { x: wavyFeed(1, 3, 4, 4) };
    const before = await runModel(given, feeds);
    expect(unwrap(foldBatchNorm(given)).count).toBe(1);
    expect(graphOf(given).node[0]?.input[1]).toBe('conv_weight');
    const after = await runModel(given, feeds);
    expect(after['plain']?.data).toEqual(before['plain']?.data);
    expect(relativeError(before['y'], after['y'])).toBeLessThan(1e-6);
  });

  const foldable = () => normalized(conv(['x', 'w']), [1, 3, 4, 4], [3, 3, 1, 1], 3);

  it.each<readonly [string, (given: OnnxModel) => void]>([
    ['the output of the Conv is a graph output', (given) => graphOf(given).output.push(value('c'))],
    ['another node reads it', (given) => graphOf(given).node.push(node('Relu', ['c'], ['other']))],
    [
      'a body reads it',
      (given) => {
        const branch = {
          ...graphOf(chain(13, [node('Relu', ['c'], ['o'])])),
          input: [],
          output: [value('o')],
        };
        graphOf(given).node.push(node('If', ['x'], ['other'], { then_branch: branch, else_branch: branch }));
      },
    ],
    ['the weights are computed', (given) => graphOf(given).initializer.splice(0, 1)],
    ['the weights can be fed', (given) => graphOf(given).input.push(value('w'))],
    [
      'the statistics are computed',
      (given) => {
        graphOf(given).initializer.splice(3, 1);
      },
    ],
    ['the node trains', (given) => graphOf(given).node[1]?.output.push('running_mean', 'running_var')],
    [
      'the Conv is of another domain',
      (given) => Object.assign(graphOf(given).node[0] ?? {}, { domain: 'mine' }),
    ],
    [
      'the variance is zero and nothing is added to it',
      (given) => {
        graphOf(given).initializer.splice(4, 1, tensor('var', [3], [1, 0, 1]));
        graphOf(given).node[1] = norm('c', 'y', { epsilon: float(0) });
      },
    ],
    [
      'there are fewer statistics than channels',
      (given) => graphOf(given).initializer.splice(4, 1, tensor('var', [1], [1])),
    ],
    [
      'the weights are not float32',
      (given) =>
        graphOf(given).initializer.splice(0, 1, tensor('w', [3, 3, 1, 1], Array(9).fill(1), 'float16')),
    ],
  ])('leaves the two nodes when %s', (_reason, change) => {
    const given = foldable();
    change(given);
    const before = structuredClone(graphOf(given));
    expect(unwrap(foldBatchNorm(given))).toEqual({ modified: false, count: 0 });
    expect(graphOf(given)).toEqual(before);
    expect(opTypesOf(given).slice(0, 2)).toEqual(['Conv', 'BatchNormalization']);
  });

  it('names the tensor whose values cannot be read', () => {
    const given = foldable();
    const [weight] = graphOf(given).initializer;
    if (weight !== undefined) weight.dims = [3, 3, 2, 2];
    const result = foldBatchNorm(given);
    expect(result).toMatchObject({ ok: false, error: { place: { tensor: 'w' } } });
  });
});
