import type { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { NamedTensors } from '../../../../src/core/tensor.ts';
import type { NodeProto, TensorProto } from '../../../../src/onnx/messages.ts';
import type { OnnxModel } from '../../../../src/onnx/model-file.ts';
import { viewGraph } from '../../../../src/quantization/graph-view.ts';
import { collectGrams } from '../../../../src/quantization/reconstruction/collect-grams.ts';
import type { GramSums } from '../../../../src/quantization/reconstruction/gram-sums.ts';
import { multiplyHere } from '../../../../src/quantization/reconstruction/matrix-product.ts';
import type { LayerInput } from '../../../../src/quantization/reconstruction/observe-grams.ts';
import {
  type ProductLayer,
  productLayer,
} from '../../../../src/quantization/reconstruction/product-layer.ts';
import { float, graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import { copyOf } from '../../../support/quantize-in-memory.ts';
import { type Feeds, floatFeed, runModel, wavyFeed } from '../../../support/run-model.ts';

/** Numbers without a pattern. */
function weights(name: string, ...dims: readonly number[]): TensorProto {
  const count = dims.reduce((product, dim) => product * dim, 1);
  return tensor(
    name,
    dims,
    Array.from({ length: count }, (_, index) => Math.sin(index * 2.3 + 0.7)),
  );
}

function oneLayer(layer: NodeProto, constants: readonly TensorProto[], dims: readonly number[]): OnnxModel {
  return model(
    graph({
      inputs: [value('x', 'float', dims)],
      nodes: [layer],
      outputs: [value('y', 'float')],
      initializers: constants,
    }),
  );
}

/** Gram matrices of the layers of a model over samples, by the node's name. */
async function gramsOf(
  given: OnnxModel,
  samples: readonly Feeds[],
  {
    mostElements,
    ...more
  }: Partial<Pick<LayerInput, 'everyOther' | 'positions'>> & { mostElements?: number } = {},
): Promise<{ readonly grams: Map<string, GramSums>; readonly passes: number }> {
  const view = viewGraph(given);
  const layers = view.graph.node.flatMap((each) => productLayer(each, view) ?? []);
  const grams = new Map<string, GramSums>();
  let passes = 0;
  await collectGrams(
    layers,
    () => ({
      model: copyOf(given),
      inputOf: (layer: ProductLayer) => ({ input: layer.node.input[0] as string, ...more }),
    }),
    {
      run: async function* (observing) {
        passes += 1;
        for (const feeds of samples)
          yield { outputs: (await runModel(observing, feeds, 'all')) as unknown as NamedTensors };
      },
      multiply: multiplyHere,
      ...(mostElements === undefined ? {} : { mostElements }),
    },
    async (layer, sums) => {
      grams.set(layer.node.name ?? '', sums);
    },
  );
  return { grams, passes };
}

/** The energy of each output channel, wᵀ·G·w, by which a Gram matrix is checked without unfolding anything by hand. */
function energies(layer: ProductLayer, { gram }: GramSums, values: Float32Array): number[] {
  const { groups, rows, columns, rowStride, columnStride, factor } = layer;
  return Array.from({ length: groups * rows }, (_, channel) => {
    const weight = (k: number) => factor * (values[channel * rowStride + k * columnStride] as number);
    const start = Math.floor(channel / rows) * columns * columns;
    let energy = 0;
    for (let i = 0; i < columns; i++) {
      for (let j = 0; j < columns; j++)
        energy += weight(i) * (gram[start + i * columns + j] as number) * weight(j);
    }
    return energy;
  });
}

const wave = (dims: readonly number[], shift: number) =>
  Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * 1.7 + shift));

const LAYERS: readonly [string, NodeProto, TensorProto, readonly number[]][] = [
  ['Conv', node('Conv', ['x', 'w'], ['y']), weights('w', 4, 3, 3, 3), [1, 3, 6, 7]],
  ['a pointwise Conv of a batch', node('Conv', ['x', 'w'], ['y']), weights('w', 4, 3, 1, 1), [2, 3, 5, 4]],
  [
    'a Conv with strides, padding and dilations',
    node('Conv', ['x', 'w'], ['y'], { strides: [2, 1], pads: [1, 0, 2, 1], dilations: [1, 2] }),
    weights('w', 2, 3, 3, 2),
    [1, 3, 6, 7],
  ],
  ['a Conv in groups', node('Conv', ['x', 'w'], ['y'], { group: 2 }), weights('w', 6, 2, 2, 2), [1, 4, 5, 5]],
  [
    'a depthwise Conv with automatic padding',
    node('Conv', ['x', 'w'], ['y'], { group: 4, auto_pad: 'SAME_UPPER' }),
    weights('w', 4, 1, 3, 3),
    [1, 4, 5, 5],
  ],
  [
    'a Conv along one axis',
    node('Conv', ['x', 'w'], ['y'], { strides: [2] }),
    weights('w', 3, 2, 3),
    [1, 2, 9],
  ],
  ['MatMul', node('MatMul', ['x', 'w'], ['y']), weights('w', 5, 3), [2, 4, 5]],
  ['MatMul of a vector', node('MatMul', ['x', 'w'], ['y']), weights('w', 5, 3), [5]],
  [
    'Gemm with a factor',
    node('Gemm', ['x', 'w'], ['y'], { transB: 1, alpha: float(0.5) }),
    weights('w', 3, 5),
    [4, 5],
  ],
];

describe('collectGrams', () => {
  it.each(LAYERS)(
    'gives matrices that tell the energy of every output channel of %s',
    async (_, layer, w, dims) => {
      const given = oneLayer(layer, [w], dims);
      const samples = [
        { x: wavyFeed(...dims) },
        { x: floatFeed(dims, Array(dims.reduce((a, b) => a * b)).fill(0.5)) },
      ];
      const { grams } = await gramsOf(given, samples);
      const view = viewGraph(given);
      const product = productLayer(layer, view) as ProductLayer;
      const channels = product.groups * product.rows;
      const measured = new Array<number>(channels).fill(0);
      let positions = 0;
      for (const feeds of samples) {
        const { dims: shape, data } = (await runModel(given, feeds))['y'] as Tensor;
        const inner: number = layer.opType === 'Conv' ? shape.slice(2).reduce((a, b) => a * b, 1) : 1;
        (data as Float32Array).forEach((element, at) => {
          const channel = Math.floor(at / inner) % channels;
          measured[channel] = (measured[channel] as number) + element ** 2;
        });
        positions += data.length / channels;
      }
      const sums = grams.get('y_node') as GramSums;
      expect(sums.positions).toBe(positions);
      energies(product, sums, view.readFloats(w)).forEach((energy, channel) => {
        expect(energy / (measured[channel] as number)).toBeCloseTo(1, 4);
      });
    },
  );

  it('takes more passes where memory for all layers at once is not there, with the same result', async () => {
    const two = model(
      graph({
        inputs: [value('x', 'float', [2, 5])],
        nodes: [node('MatMul', ['x', 'v'], ['h']), node('MatMul', ['h', 'w'], ['y'])],
        outputs: [value('y', 'float')],
        initializers: [weights('v', 5, 4), weights('w', 4, 3)],
      }),
    );
    const samples = [{ x: wavyFeed(2, 5) }];
    const atOnce = await gramsOf(two, samples);
    const inTurn = await gramsOf(two, samples, { mostElements: 30 });
    expect([atOnce.passes, inTurn.passes]).toEqual([1, 2]);
    expect(inTurn.grams).toEqual(atOnce.grams);
  });

  it('leaves out a layer whose input is not finite', async () => {
    const given = oneLayer(node('MatMul', ['x', 'w'], ['y']), [weights('w', 2, 2)], [1, 2]);
    const { grams } = await gramsOf(given, [{ x: floatFeed([1, 2], [1, Number.POSITIVE_INFINITY]) }]);
    expect(grams.size).toBe(0);
  });

  it.each([
    ['two pictures a run', node('Conv', ['x', 'w'], ['y']), weights('w', 4, 3, 2, 2), [2, 3, 4, 3]],
    ['rows', node('MatMul', ['x', 'w'], ['y']), weights('w', 7, 3), [3, 7]],
  ])('sums up the same where columns come out, which several runs fill: %s', async (_, layer, w, dims) => {
    const given = oneLayer(layer, [w], dims);
    const samples = [0, 1, 2, 3].map((shift) => ({ x: floatFeed(dims, wave(dims, shift)) }));
    const inside = (await gramsOf(given, samples)).grams.get('y_node') as GramSums;
    const outside = (await gramsOf(given, samples, { positions: 3 })).grams.get('y_node') as GramSums;
    expect(outside.positions).toBe(inside.positions);
    outside.gram.forEach((sum, at) => {
      expect(sum).toBeCloseTo(inside.gram[at] as number, 4);
    });
  });

  it('leaves out a layer whose columns are not finite', async () => {
    const given = oneLayer(node('MatMul', ['x', 'w'], ['y']), [weights('w', 2, 2)], [1, 2]);
    const samples = [Number.POSITIVE_INFINITY, 1, 2].map((x) => ({ x: floatFeed([1, 2], [1, x]) }));
    expect((await gramsOf(given, samples, { positions: 1 })).grams.size).toBe(0);
  });

  it.each([
    ['a Conv', weights('w', 2, 3, 3, 3), { pads: [1, 1, 1, 1] }],
    ['a pointwise Conv', weights('w', 2, 3, 1, 1), {}],
  ])('sees the positions of %s with strides where it is told to skip others', async (_, w, attributes) => {
    const dims = [1, 3, 7, 9];
    const samples = [{ x: wavyFeed(...dims) }];
    const conv = (strides: number[]) =>
      oneLayer(node('Conv', ['x', 'w'], ['y'], { ...attributes, strides }), [w], dims);
    const [all] = [(await gramsOf(conv([2, 3]), samples)).grams.get('y_node') as GramSums];
    const { grams } = await gramsOf(conv([1, 1]), samples, { everyOther: [2, 3] });
    expect(grams.get('y_node')).toEqual(all);
  });

  it.each([
    ['weights that are computed', node('MatMul', ['x', 'h'], ['y']), weights('w', 2, 2)],
    ['a transposed input', node('Gemm', ['x', 'w'], ['y'], { transA: 1 }), weights('w', 2, 2)],
    ['a batch of matrices', node('MatMul', ['x', 'w'], ['y']), weights('w', 2, 2, 2)],
    ['another operator', node('Add', ['x', 'w'], ['y']), weights('w', 2, 2)],
  ])('knows no layer of %s', (_, layer, w) => {
    const view = viewGraph(oneLayer(layer, [w], [2, 2]));
    expect(productLayer(layer, view)).toBeUndefined();
  });
});
