import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { emptyAttribute } from '../../../../src/onnx/attributes.ts';
import { ATTRIBUTE_TYPE } from '../../../../src/onnx/messages.ts';
import type { OnnxModel } from '../../../../src/onnx/model-file.ts';
import { auditDynamic } from '../../../../src/quantization/dynamic/audit-dynamic.ts';
import { graphOf } from '../../../support/chain.ts';
import { float, graph, model, node, value } from '../../../support/graph-builder.ts';
import { optimizedGraph, runOptimized, sqnrDb } from '../../../support/quantize-in-memory.ts';
import { type Feeds, runModel, wavyFeed } from '../../../support/run-model.ts';
import { netOf, noise, quantizeCopy, recipeWith } from './quantize-copy.ts';

const [steps, batch, inputs, hidden] = [6, 2, 20, 24];

function lstm(
  directions: number,
  attributes: Parameters<typeof node>[3],
  optional: readonly string[] = [],
): { readonly given: OnnxModel; readonly feeds: Feeds } {
  const state = [directions, batch, hidden];
  const has = (name: string) => optional.includes(name);
  const input = ['x', 'w', 'r', ...['b', 'len', 'h0', 'c0', 'p'].map((name) => (has(name) ? name : ''))];
  const constants = [
    noise('w', [directions, 4 * hidden, inputs], 0.4),
    noise('r', [directions, 4 * hidden, hidden], 0.4),
    ...(has('b') ? [noise('b', [directions, 8 * hidden])] : []),
    ...(has('p') ? [noise('p', [directions, 3 * hidden], 3)] : []),
  ];
  const given = model(
    graph({
      inputs: [
        value('x', 'float', [steps, batch, inputs]),
        ...(has('len') ? [value('len', 'int32', [batch])] : []),
        ...['h0', 'c0'].filter(has).map((name) => value(name, 'float', state)),
      ],
      nodes: [node('LSTM', input, ['y', 'yh', 'yc'], { hidden_size: hidden, ...attributes })],
      outputs: ['y', 'yh', 'yc'].map((name) => value(name)),
      initializers: constants,
    }),
    { opset: 14 },
  );
  return {
    given,
    feeds: {
      x: wavyFeed(steps, batch, inputs),
      ...(has('len') ? { len: new Tensor('int32', Int32Array.of(steps, 3), [batch]) } : {}),
      ...(has('h0') ? { h0: wavyFeed(...state) } : {}),
      ...(has('c0') ? { c0: wavyFeed(...state) } : {}),
    },
  };
}

function withActivations<T extends { readonly given: OnnxModel }>(net: T, ...names: readonly string[]): T {
  const strings = names.map((name) => new TextEncoder().encode(name));
  const attribute = { ...emptyAttribute('activations', ATTRIBUTE_TYPE.strings), strings };
  for (const found of graphOf(net.given).node) found.attribute.push(attribute);
  return net;
}

describe('an LSTM with constant weights', () => {
  it.each([
    ['forward', false],
    ['reverse', false],
    ['bidirectional', false],
    ['bidirectional', true],
  ])('runs %s in int8 (one scale a direction: %s)', async (direction, perTensor) => {
    const { given, feeds } = lstm(direction === 'bidirectional' ? 2 : 1, { direction }, ['b']);
    const { quantized, report } = quantizeCopy(given, recipeWith({ perTensor }));
    const reference = await runModel(given, feeds);
    expect(sqnrDb(reference, await runOptimized(quantized, feeds))).toBeGreaterThan(30);
    expect(report).toEqual({
      quantized: [{ node: 'y_node', op: 'LSTM', weights: 'w_quantized' }],
      float: [],
    });
    expect(auditDynamic(report.quantized, await optimizedGraph(quantized)).kernels).toEqual([
      { node: 'y_node', op: 'LSTM', kernel: 'DynamicQuantizeLSTM' },
    ]);
    expect(graphOf(quantized).initializer.some(({ name }) => name === 'w' || name === 'r')).toBe(false);
  });

  it.each([
    ['lengths', ['len']],
    ['initial states', ['h0', 'c0']],
    ['peepholes', ['p']],
  ])('takes %s', async (_, optional) => {
    const { given, feeds } = lstm(1, {}, optional);
    const reference = await runModel(given, feeds);
    const { quantized } = quantizeCopy(given);
    expect(sqnrDb(reference, await runModel(quantized, feeds))).toBeGreaterThan(30);
    const without = await runModel(lstm(1, {}).given, { x: feeds['x'] as Tensor });
    expect(sqnrDb(reference, without), 'without it').toBeLessThan(20);
  });

  it.each([
    ['a clip', () => lstm(1, { clip: float(0.2) })],
    ['coupled gates', () => lstm(1, { input_forget: 1 })],
    ['activations', () => withActivations(lstm(1, {}), 'HardSigmoid', 'Softsign', 'Tanh')],
  ])('keeps %s', async (_, make) => {
    const { given, feeds } = make();
    const reference = await runModel(given, feeds);
    const { quantized } = quantizeCopy(given);
    expect(sqnrDb(reference, await runModel(quantized, feeds))).toBeGreaterThan(30);
    expect(sqnrDb(reference, await runModel(lstm(1, {}).given, feeds)), 'without it').toBeLessThan(20);
  });

  it('takes a layout of 0 that is written out, and a hidden size that is not', async () => {
    const { given, feeds } = lstm(1, { layout: 0 }, ['b']);
    const { quantized } = quantizeCopy(given);
    const [made] = graphOf(quantized).node;
    expect(made?.attribute.map(({ name, i }) => [name, i])).toEqual([['hidden_size', BigInt(hidden)]]);
    expect(sqnrDb(await runModel(given, feeds), await runModel(quantized, feeds))).toBeGreaterThan(30);
    const unsized = lstm(1, {}).given;
    for (const found of graphOf(unsized).node) found.attribute = [];
    expect(graphOf(quantizeCopy(unsized).quantized).node[0]?.attribute).toEqual(made?.attribute);
  });

  it('stays float, with the reason, where the kernel has no such form', () => {
    const reasonFor = (given: OnnxModel) => quantizeCopy(given).report.float[0]?.reason;
    expect(reasonFor(lstm(1, { layout: 1 }).given)).toBe('its batch axis comes first (layout 1)');
    const tiny = netOf(
      [node('LSTM', ['x', 'w', 'r'], ['y'], { hidden_size: 8 })],
      [noise('w', [1, 32, 8]), noise('r', [1, 32, 8])],
      [1, 1, 8],
    );
    expect(reasonFor(tiny)).toMatch(/^its weights are so few/);
    const { given } = lstm(1, {});
    const body = graphOf(given);
    body.input.push(value('w', 'float', [1, 4 * hidden, inputs]));
    body.initializer = body.initializer.filter(({ name }) => name !== 'w');
    expect(reasonFor(given)).toBe('its weights are not constant');
  });

  it('has the model import the domain of the runtime, once', () => {
    const { quantized } = quantizeCopy(lstm(1, {}).given);
    expect(quantized.proto.opsetImport.map(({ domain }) => domain ?? '')).toEqual(['', 'com.microsoft']);
    const { given } = lstm(1, {});
    given.proto.opsetImport.push({ domain: 'com.microsoft', version: 1 });
    expect(quantizeCopy(given).quantized.proto.opsetImport).toHaveLength(2);
  });
});
