import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NodeProto, TensorProto } from '../../../../../src/onnx/messages.ts';
import { viewGraph } from '../../../../../src/quantization/graph-view.ts';
import { findChannelGroups } from '../../../../../src/quantization/tuning/equalization/channel-groups.ts';
import { rescale } from '../../../../../src/quantization/tuning/equalization/rescale.ts';
import { graph, model, node, tensor, value } from '../../../../support/graph-builder.ts';
import { randomConvNet } from '../../../../support/random-conv-net.ts';
import { type Feeds, floatFeed, runModel } from '../../../../support/run-model.ts';

const wave = (count: number, phase: number) =>
  Array.from({ length: count }, (_, index) => Math.sin(index * 1.7 + phase));

const weights = (name: string, dims: readonly number[]): TensorProto =>
  tensor(
    name,
    dims,
    wave(
      dims.reduce((a, b) => a * b, 1),
      name.length,
    ),
  );

/** x [1, 3, 5, 5] or rows [2, 4] → nodes → y. */
function net(
  nodes: readonly NodeProto[],
  constants: readonly TensorProto[],
  dims: readonly number[] = [1, 3, 5, 5],
) {
  return model(
    graph({
      inputs: [value('x', 'float', dims)],
      nodes,
      outputs: [value('y', 'float')],
      initializers: constants,
    }),
    { opset: 17 },
  );
}

const first = [weights('w', [4, 3, 3, 3]), weights('b', [4])];
const last = weights('last', [2, 4, 1, 1]);
const conv = (input: string, output: string, constants: readonly string[] = ['w', 'b'], attributes = {}) =>
  node('Conv', [input, ...constants], [output], attributes);

/** Groups of tensors' channels that may be scaled. */
function freeOf(given: ReturnType<typeof net>, name: string): readonly number[] {
  const { channelsOf, isFixed } = findChannelGroups(viewGraph(given));
  return [...(channelsOf.get(name)?.groups ?? [])].filter((group) => !isFixed(group));
}

describe('findChannelGroups', () => {
  it.each<[string, readonly NodeProto[], readonly TensorProto[]]>([
    ['Relu', [node('Relu', ['a'], ['c'])], []],
    ['MaxPool', [node('MaxPool', ['a'], ['c'], { kernel_shape: [2, 2] })], []],
    [
      'a Clip from 0 on',
      [node('Clip', ['a', 'zero', 'six'], ['c'])],
      [tensor('zero', [], [0]), tensor('six', [], [6])],
    ],
    ['an added vector', [node('Add', ['a', 'v'], ['c'])], [weights('v', [4, 1, 1])]],
    ['a depthwise Conv', [conv('a', 'c', ['dw'], { group: 4 })], [weights('dw', [4, 1, 2, 2])]],
  ])('lets scales go through %s, or be taken up by it', (_, between, constants) => {
    const given = net([conv('x', 'a'), ...between, conv('c', 'y', ['last'])], [...first, ...constants, last]);
    expect(freeOf(given, 'a')).toHaveLength(4);
    expect(freeOf(given, 'c')).toHaveLength(4);
  });

  it.each<[string, NodeProto, readonly TensorProto[]]>([
    ['Sigmoid', node('Sigmoid', ['a'], ['c']), []],
    [
      'a Clip from −1 on',
      node('Clip', ['a', 'low', 'high'], ['c']),
      [tensor('low', [], [-1]), tensor('high', [], [1])],
    ],
    ['an added scalar', node('Add', ['a', 'v'], ['c']), [tensor('v', [], [2])]],
    ['an operator of another domain', node('Relu', ['a'], ['c'], {}, { domain: 'own' }), []],
  ])('holds what %s reads', (_, between, constants) => {
    const given = net([conv('x', 'a'), between, conv('c', 'y', ['last'])], [...first, ...constants, last]);
    expect(freeOf(given, 'a')).toEqual([]);
  });

  it('holds what the model gives, and what nothing can take up besides', () => {
    const given = net([conv('x', 'a'), node('Relu', ['a'], ['y'])], first);
    expect(freeOf(given, 'a')).toEqual([]);
    const both = net(
      [conv('x', 'a'), node('Sigmoid', ['a'], ['s']), conv('a', 'y', ['last'])],
      [...first, last],
    );
    expect(freeOf(both, 'a')).toEqual([]);
  });

  it('ties the operands of a sum, and lays those of a Concat side by side', () => {
    const sum = net(
      [conv('x', 'a'), conv('x', 'c', ['w2']), node('Add', ['a', 'c'], ['s']), conv('s', 'y', ['last'])],
      [...first, weights('w2', [4, 3, 3, 3]), last],
    );
    const groups = findChannelGroups(viewGraph(sum)).channelsOf;
    expect(groups.get('a')?.groups).toEqual(groups.get('c')?.groups);
    const joined = net(
      [conv('x', 'a'), node('Concat', ['a', 'a'], ['c'], { axis: 1 }), conv('c', 'y', ['wide'])],
      [...first, weights('wide', [2, 8, 1, 1])],
    );
    const { channelsOf } = findChannelGroups(viewGraph(joined));
    const of = [...(channelsOf.get('a')?.groups ?? [])];
    expect([...(channelsOf.get('c')?.groups ?? [])]).toEqual([...of, ...of]);
  });
});

describe('rescale', () => {
  /** Scales every free channel by a power of two, which costs no precision, and compares. */
  async function expectSameFunction(given: ReturnType<typeof net>, feeds: Feeds, seed = 0): Promise<number> {
    const view = viewGraph(given);
    const groups = findChannelGroups(view);
    const cut = new Set(
      groups.clipped.flatMap(({ tensor: name }) => [...(groups.channelsOf.get(name)?.groups ?? [])]),
    );
    let scaled = 0;
    const scaleOf = (group: number) => {
      if (groups.isFixed(group) || cut.has(group)) return 1;
      scaled += 1;
      return 2 ** (((group * 7 + seed) % 11) - 5);
    };
    const changed = rescale(view, groups, scaleOf);
    const [before, after] = [await runModel(given, feeds), await runModel(changed.model, feeds)];
    for (const [name, { data }] of Object.entries(before)) {
      const other = after[name]?.data as Float32Array;
      (data as Float32Array).forEach((value, index) => {
        expect(Math.abs((other[index] as number) - value)).toBeLessThan(1e-4 * (1 + Math.abs(value)));
      });
    }
    return scaled;
  }

  it('changes nothing of what random networks compute', { timeout: 120_000 }, async () => {
    let scaled = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), async (seed) => {
        const { model: given, samples } = randomConvNet(seed);
        scaled += await expectSameFunction(given, samples[0] as Feeds, seed % 100);
      }),
      { numRuns: 40 },
    );
    expect(scaled).toBeGreaterThan(100);
  });

  it('changes nothing where a constant is read twice, each time with another scale', async () => {
    const given = net(
      [
        conv('x', 'a'),
        conv('a', 'c', ['sq']),
        node('Relu', ['c'], ['r']),
        conv('r', 'd', ['sq']),
        conv('d', 'y', ['last']),
      ],
      [...first, weights('sq', [4, 4, 1, 1]), last],
    );
    expect(await expectSameFunction(given, { x: floatFeed([1, 3, 5, 5], wave(75, 1)) })).toBeGreaterThan(0);
  });

  it('changes nothing between a normalization and the products that read it', async () => {
    const given = net(
      [
        node('LayerNormalization', ['x', 'g', 'h'], ['n'], { axis: -1 }),
        node('MatMul', ['n', 'm'], ['p']),
        node('Add', ['p', 'v'], ['q']),
        node('Gemm', ['n', 't'], ['r'], { transB: 1 }),
        node('Add', ['q', 'r'], ['s']),
        node('Mul', ['s', 'g'], ['u']),
        node('MatMul', ['u', 'm'], ['y']),
      ],
      [weights('g', [4]), weights('h', [4]), weights('m', [4, 4]), weights('v', [4]), weights('t', [4, 4])],
      [2, 4],
    );
    expect(await expectSameFunction(given, { x: floatFeed([2, 4], wave(8, 1)) })).toBeGreaterThan(0);
  });
});
