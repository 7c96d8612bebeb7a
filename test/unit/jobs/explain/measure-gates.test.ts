import { describe, expect, it } from 'vitest';
import type { NamedTensors } from '../../../../src/core/tensor.ts';
import type { Sample } from '../../../../src/data/sample-source.ts';
import {
  costsAlone,
  costsWithout,
  type GateMeasurement,
  withReferences,
} from '../../../../src/jobs/explain/measure-gates.ts';
import { roundingsLeft, roundingsOf, startOf } from '../../../../src/jobs/explain/roundings.ts';
import { createModelRunner } from '../../../../src/jobs/model-runner.ts';
import { pairGraphs } from '../../../../src/quantization/explain/pair-graphs.ts';
import { readQuantizedGraph } from '../../../../src/quantization/explain/quantized-graph.ts';
import { createGraphSplitter, type GraphSplitter } from '../../../../src/quantization/explain/split-graph.ts';
import { viewGraph } from '../../../../src/quantization/graph-view.ts';
import { FITTING, floatChain, qdqChain, WIDTH, wave } from '../../../support/explained-models.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const feedsOf = (sample: number): NamedTensors => ({
  x: { type: 'float32', dims: [1, WIDTH], data: Float32Array.from(wave(WIDTH, 0.9 + sample)) },
});

async function* read(): AsyncGenerator<Sample> {
  for (let index = 0; index < 6; index++) yield { index, id: String(index), feeds: feedsOf(index) };
}

const quantized = viewGraph(qdqChain(FITTING));
const view = viewGraph(floatChain());
const pairing = pairGraphs(readQuantizedGraph(quantized), quantized, view);
const splitter = createGraphSplitter(view);

/** Measures with a splitter, and notes where it cuts. */
function measurementWith(given: GraphSplitter): {
  readonly measurement: GateMeasurement;
  readonly cuts: number[];
} {
  const cuts: number[] = [];
  const split = (place: number) => {
    cuts.push(place);
    return given.split(place);
  };
  const samples = { count: 6, read };
  const runner = createModelRunner({ scratch: temporaryFolder(), threads: 1, sessionEntry: undefined });
  return {
    measurement: { view, splitter: { ...given, split }, pairing, runner, samples, task: undefined },
    cuts,
  };
}

const uncut: GraphSplitter = { ...splitter, cutBefore: () => 0 };

describe('measuring nodes at the outputs', () => {
  it('tells the same whether what lies in front of a node is run with it or once', async () => {
    for (const node of pairing.nodes) {
      const groups = [roundingsOf(node, pairing), roundingsLeft(node, pairing)];
      const [cut, whole] = [measurementWith(splitter), measurementWith(uncut)];
      expect(await costsAlone(groups, cut.measurement)).toEqual(await costsAlone(groups, whole.measurement));
      const without = ({ measurement }: typeof cut) =>
        withReferences(measurement, (references) => costsWithout(groups, measurement, references));
      expect(await without(cut)).toEqual(await without(whole));
      const start = startOf(groups[0] as (typeof groups)[number], splitter);
      expect([cut.cuts, whole.cuts]).toEqual([start === 0 ? [] : [start, start], []]);
    }
    expect(pairing.nodes.map((node) => startOf(roundingsOf(node, pairing), splitter))).toEqual([0, 2, 3]);
  });

  it('costs something to round a node, and changes something to leave it out', async () => {
    const groups = pairing.nodes.map((node) => roundingsOf(node, pairing));
    const { measurement } = measurementWith(splitter);
    for (const { sqnrDb } of await costsAlone(groups, measurement)) expect(sqnrDb).toBeLessThan(60);
    const measured = await withReferences(measurement, (references) =>
      costsWithout(groups, measurement, references),
    );
    for (const { cost, ofAll } of measured) {
      expect(cost.sqnrDb).not.toBeCloseTo(ofAll.sqnrDb as number, 3);
      expect(ofAll).toEqual(measured[0]?.ofAll);
    }
  });

  it('runs the float32 model once a sample for all that is asked', async () => {
    const { measurement } = measurementWith(splitter);
    let runs = 0;
    const counting: GateMeasurement = {
      ...measurement,
      runner: {
        ...measurement.runner,
        with: (model, use, how) =>
          measurement.runner.with(
            model,
            (session) =>
              use({
                ...session,
                run: (feeds) => {
                  runs += 1;
                  return session.run(feeds);
                },
              }),
            how,
          ),
      },
    };
    await withReferences(counting, async (references) => {
      for (let time = 0; time < 2; time++) for await (const sample of read()) await references(sample);
    });
    expect(runs).toBe(6);
  });
});
