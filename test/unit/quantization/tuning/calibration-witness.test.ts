import { describe, expect, it } from 'vitest';
import type { NamedTensors } from '../../../../src/core/tensor.ts';
import { observeTensors } from '../../../../src/quantization/calibration/observation.ts';
import { viewGraph } from '../../../../src/quantization/graph-view.ts';
import { witnessCalibration } from '../../../../src/quantization/tuning/calibration-witness.ts';
import { channelsToObserve } from '../../../../src/quantization/tuning/draft-statistics.ts';
import { graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import { runModel, wavyFeed } from '../../../support/run-model.ts';
import { tuningTools } from '../../../support/tuning-tools.ts';

/** A Conv, cut off from 0 to 6, pooled, and another one that reads it. */
const clipped = model(
  graph({
    inputs: [value('x', 'float', [1, 2, 20, 20])],
    nodes: [
      node('Conv', ['x', 'w'], ['c']),
      node('Clip', ['c', 'zero', 'six'], ['h']),
      node('MaxPool', ['h'], ['p'], { kernel_shape: [2, 2], strides: [2, 2] }),
      node('Conv', ['p', 'v'], ['y']),
    ],
    outputs: [value('y', 'float')],
    initializers: [
      tensor('w', [3, 2, 1, 1], [1, 0, 0, 2, -3, 0.5]),
      tensor('v', [2, 3, 1, 1], [1, 1, 1, 1, 2, 3]),
      tensor('zero', [], [0]),
      tensor('six', [], [6]),
    ],
  }),
);

/** Waves with one high point, in a row and a column that are not picked. */
function peaked(phase: number) {
  const feed = wavyFeed(1, 2, 20, 20);
  const data = feed.data as Float32Array;
  data.forEach((of, at) => {
    data[at] = of * (1 + phase / 10);
  });
  data[10 * 20 + 10] = 4;
  return feed;
}

async function witnessed(method: 'values' | 'extremes') {
  const samples = [0, 1, 2].map((phase) => ({ x: peaked(phase) }));
  const view = viewGraph(clipped);
  const draft = await tuningTools(clipped, { learn: samples, judge: [] }).draft();
  const tensors = [...new Set(draft.placement.edges.values())];
  const observing = observeTensors(view, tensors, { values: method === 'values' });
  const witness = witnessCalibration(view, channelsToObserve(draft), {
    samples: samples.length,
    keptSamples: new Set([0, 2]),
  });
  const observed = witness.observe(observing);
  for (const [sample, feeds] of samples.entries()) {
    witness.add(sample, (await runModel(observed, feeds)) as unknown as NamedTensors);
  }
  return { witness, observing, observed };
}

describe('witnessCalibration', () => {
  it.each(['values', 'extremes'] as const)(
    'tells of channels beside a calibration that looks at %s',
    async (method) => {
      const { witness } = await witnessed(method);
      const statistics = witness.statistics();
      const inputs = [0, 1, 2].map((phase) => [...(peaked(phase).data as Float32Array)]);
      const seen = statistics.get('x');
      [0, 1].forEach((channel) => {
        const values = inputs.flatMap((of) => of.slice(channel * 400, channel * 400 + 400));
        const energy = values.reduce((sum, of) => sum + of * of, 0) / values.length;
        expect((seen?.meanSquare[channel] as number) / energy).toBeGreaterThan(0.6);
        expect((seen?.meanSquare[channel] as number) / energy).toBeLessThan(1.4);
        expect(seen?.min[channel]).toBeLessThanOrEqual(Math.min(...values) / 2);
        expect(seen?.max[channel]).toBeLessThanOrEqual(Math.max(...values));
      });
      // What the second layer reads shares the range of what the Clip gives, and is told apart.
      expect(statistics.get('p')?.meanSquare[0]).toBeGreaterThan(
        statistics.get('h')?.meanSquare[0] as number,
      );
    },
  );

  it('misses no value that a Clip might cut', async () => {
    const { witness } = await witnessed('values');
    expect(witness.statistics().get('h')?.max[0]).toBeCloseTo(4, 5);
    expect([...(witness.statistics().get('h')?.min ?? [])]).toEqual([0, 0, 0]);
  });

  it('keeps values of tensors that can be scaled, of the samples that it is told', async () => {
    const { witness } = await witnessed('values');
    const kept = witness.kept();
    expect([...kept.keys()]).toEqual(['h']);
    const [first, second] = kept.get('h') ?? [];
    expect(kept.get('h')).toHaveLength(2);
    expect(first?.channels).toBe(second?.channels);
    expect(first?.values).not.toEqual(second?.values);
    expect(new Set(first?.channels)).toEqual(new Set([0, 1, 2]));
  });

  it('adds outputs only for what the calibration does not tell', async () => {
    const { observing, observed } = await witnessed('values');
    const before = observing.model.proto.graph?.output.length ?? 0;
    // The pooled tensor and the exact maximum.
    expect(observed.proto.graph?.output.length).toBe(before + 2);
  });
});
