import { describe, expect, it } from 'vitest';
import { pairGraphs } from '../../../../src/quantization/explain/pair-graphs.ts';
import { readQuantizedGraph } from '../../../../src/quantization/explain/quantized-graph.ts';
import { weightStatistics } from '../../../../src/quantization/explain/weight-statistics.ts';
import { viewGraph } from '../../../../src/quantization/graph-view.ts';
import { graph, model, node, tensor, value } from '../../../support/graph-builder.ts';

/** y = x·W of [3, 2] weights, and the same with codes and a scale for each column. */
function statisticsOf(weights: readonly number[], codes: readonly number[], scales: readonly number[]) {
  const ports = { inputs: [value('x', 'float', [1, 3])], outputs: [value('y', 'float', [1, 2])] };
  const float = model(
    graph({
      ...ports,
      nodes: [node('MatMul', ['x', 'w'], ['y'], {}, { name: 'm' })],
      initializers: [tensor('w', [3, 2], weights)],
    }),
  );
  const quantized = model(
    graph({
      ...ports,
      nodes: [
        node('DequantizeLinear', ['c', 's'], ['w'], { axis: 1 }),
        node('MatMul', ['x', 'w'], ['y'], {}, { name: 'm' }),
      ],
      initializers: [tensor('c', [3, 2], codes, 'int8'), tensor('s', [2], scales)],
    }),
  );
  const [view, coded] = [viewGraph(float), viewGraph(quantized)];
  const [pair] = pairGraphs(readQuantizedGraph(coded), coded, view).nodes;
  if (pair?.weights === undefined) throw new Error('the weights were not paired');
  return weightStatistics({ ...pair, weights: pair.weights }, view);
}

describe('weightStatistics', () => {
  it('tells channels apart, and which of them are dead', () => {
    const told = statisticsOf([1.27, 0, 0.5, 0, -0.25, 0], [127, 0, 50, 0, -25, 0], [0.01, 1]);
    expect(told).toMatchObject({
      elements: 6,
      bits: 8,
      scales: 'channel',
      deadChannels: 1,
      usedCodes: 4,
      codes: 256,
    });
    expect([...told.channelAbsMax]).toEqual([expect.closeTo(1.27), 0]);
    expect(told.noise).toBeLessThan(1e-9);
  });

  it('does not take the largest weight of a channel, which sets its scale, for one that is cut off', () => {
    expect(
      statisticsOf([1.27, 2.54, 0.5, 0, -0.25, 0], [127, 127, 50, 0, -25, 0], [0.01, 0.02]).cutOffRatio,
    ).toBe(0);
    expect(
      statisticsOf([1.4, 2.54, 0.5, 0, -0.25, 0], [127, 127, 50, 0, -25, 0], [0.01, 0.02]).cutOffRatio,
    ).toBe(1 / 6);
  });
});
