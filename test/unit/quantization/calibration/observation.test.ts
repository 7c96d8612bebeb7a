import { describe, expect, it } from 'vitest';
import type { Tensor as CoreTensor } from '../../../../src/core/tensor.ts';
import { intsAttribute } from '../../../../src/onnx/attributes.ts';
import type { NodeProto, TensorProto } from '../../../../src/onnx/messages.ts';
import { readExtremes } from '../../../../src/quantization/calibration/extremes.ts';
import {
  type ObservedExtremes,
  type ObservedTensor,
  observeTensors,
} from '../../../../src/quantization/calibration/observation.ts';
import { viewGraph } from '../../../../src/quantization/graph-view.ts';
import { graphOf } from '../../../support/chain.ts';
import { waveConstant } from '../../../support/constants.ts';
import { float, graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import { naiveRanges } from '../../../support/quantize-in-memory.ts';
import { type Feeds, runModel, wavyFeed } from '../../../support/run-model.ts';

const CONSTANTS: readonly TensorProto[] = [
  waveConstant('w', [4, 3, 3, 3]),
  tensor('zero', [], [0]),
  tensor('minus', [], [-1]),
  tensor('six', [], [6]),
];

function netOf(nodes: readonly NodeProto[], dims: readonly (number | string)[] = [1, 3, 8, 8], opset = 13) {
  return model(
    graph({
      inputs: [value('x', 'float', dims)],
      nodes,
      outputs: [value(nodes.at(-1)?.output[0] ?? '')],
      initializers: CONSTANTS,
    }),
    { opset },
  );
}

const conv = node('Conv', ['x', 'w'], ['c'], { pads: [1, 1, 1, 1] });

function extremesOf(observed: readonly ObservedTensor[]): readonly ObservedExtremes[] {
  return observed.filter((tensor): tensor is ObservedExtremes => tensor.kind === 'extremes');
}

/** The operators that observe a tensor, by the first output that each gives. */
function observersOf(nodes: readonly NodeProto[], tensor: string) {
  const view = viewGraph(netOf(nodes));
  const { model: observing, observed } = observeTensors(view, [tensor], { values: false });
  const makers = new Map(graphOf(observing).node.flatMap((n) => n.output.map((name) => [name, n.opType])));
  const { maxOutput, minOutput } = extremesOf(observed)[0] ?? { maxOutput: '', minOutput: undefined };
  return [makers.get(maxOutput), minOutput === undefined ? undefined : makers.get(minOutput)];
}

describe('observeTensors', () => {
  it('reduces feature maps with GlobalMaxPool, which keeps the blocked layout, and all else with ReduceMax', () => {
    expect(observersOf([conv], 'c')).toEqual(['GlobalMaxPool', 'ReduceMin']);
    expect(observersOf([conv], 'x')).toEqual(['ReduceMax', 'ReduceMin']);
    expect(observersOf([conv, node('Flatten', ['c'], ['f'])], 'f')).toEqual(['ReduceMax', 'ReduceMin']);
  });

  it.each([
    ['Relu', ['c']],
    ['Sigmoid', ['c']],
    ['Clip', ['c', 'zero', 'six']],
  ])('asks for no minimum behind a %s, which is never negative', (opType, inputs) => {
    expect(observersOf([conv, node(opType, inputs, ['a'])], 'a')).toEqual(['GlobalMaxPool', undefined]);
  });

  it.each([
    ['LeakyRelu', ['c']],
    ['Clip', ['c', 'minus', 'six']],
    ['Clip', ['c', 'zero', 'minus']],
    ['Clip', ['c']],
  ])('asks for the minimum behind a %s of %j', (opType, inputs) => {
    expect(observersOf([conv, node(opType, inputs, ['a'])], 'a')[1]).toBe('ReduceMin');
  });

  it.each([13, 18])(
    'gives the exact extremes of every tensor at opset %i and leaves results alone',
    async (opset) => {
      const nodes = [
        conv,
        node('LeakyRelu', ['c'], ['l'], { alpha: float(0.1) }),
        node('Clip', ['l', 'zero', 'six'], ['r']),
        node('MaxPool', ['r'], ['p'], { kernel_shape: [2, 2] }),
        node('Flatten', ['p'], ['f']),
      ];
      const given = netOf(nodes, undefined, opset);
      const tensors = ['x', 'c', 'l', 'r', 'p', 'f'];
      const feeds: Feeds = { x: wavyFeed(1, 3, 8, 8) };
      const view = viewGraph(given);
      const before = await runModel(given, feeds);
      const { model: observing, observed } = observeTensors(view, tensors, { values: false });
      const outputs = await runModel(observing, feeds);
      expect(outputs['f']?.data).toEqual(before['f']?.data);
      const wanted = await naiveRanges(given, tensors, [feeds]);
      for (const tensor of extremesOf(observed)) {
        const { min, max } = wanted.get(tensor.tensor) ?? { min: Number.NaN, max: Number.NaN };
        expect(
          readExtremes(tensor, 0, outputs as Readonly<Record<string, CoreTensor>>),
          tensor.tensor,
        ).toEqual({
          min: Math.min(0, min),
          max: Math.max(0, max),
        });
      }
    },
  );

  /** What is run to see the values of `c`, behind a 3x3 convolution of an input with these dimensions. */
  function samplerOf(dims: readonly (number | string)[], wholeMaps = false) {
    const view = viewGraph(netOf([conv], dims));
    const { model: observing, observed } = observeTensors(view, ['c'], { values: true, wholeMaps });
    expect(observed).toEqual([{ kind: 'values', tensor: 'c', valuesOutput: 'c_values' }]);
    const made = graphOf(observing).node.filter(({ output }) => output[0] === 'c_values');
    expect(graphOf(observing).node).toHaveLength(2);
    return made.map((n) => [n.opType, intsAttribute(n, 'strides')])[0];
  }

  it.each([
    { why: 'every third row and column', dims: [1, 3, 20, 30], strides: [3, 3] },
    { why: 'those also where the size is not known', dims: [1, 3, 'h', 'w'], strides: [3, 3] },
    { why: 'more of a small map', dims: [1, 3, 13, 16], strides: [2, 2] },
    {
      why: 'another stride where the third would end at the far border',
      dims: [1, 3, 28, 25],
      strides: [4, 5],
    },
    { why: 'all along a short axis', dims: [1, 3, 8, 50], strides: [1, 3] },
  ])('picks $why of a feature map for its values', ({ dims, strides }) =>
    expect(samplerOf(dims)).toEqual(['MaxPool', strides]),
  );

  it('gives a tiny map, and any map where all is asked for, as a whole', () => {
    expect(samplerOf([1, 3, 7, 7])).toEqual(['Identity', undefined]);
    expect(samplerOf([1, 3, 40, 40], true)).toEqual(['Identity', undefined]);
  });

  it('picks values as they are', async () => {
    const given = netOf([conv], [1, 3, 20, 20]);
    const feeds: Feeds = { x: wavyFeed(1, 3, 20, 20) };
    const { model: observing } = observeTensors(viewGraph(given), ['c'], { values: true });
    const { c, c_values: picked } = await runModel(observing, feeds);
    const whole = c?.data;
    if (!(whole instanceof Float32Array)) throw new Error('c is no float tensor');
    const every = whole.filter((_, i) => (i % 20) % 3 === 0 && (Math.floor(i / 20) % 20) % 3 === 0);
    expect(picked?.data).toEqual(every);
  });
});
