import { describe, expect, it } from 'vitest';
import type { OnnxModel } from '../../../../src/onnx/model-file.ts';
import { buildLocalErrorModel } from '../../../../src/quantization/explain/local-error-model.ts';
import { pairGraphs } from '../../../../src/quantization/explain/pair-graphs.ts';
import { readQuantizedGraph } from '../../../../src/quantization/explain/quantized-graph.ts';
import { viewGraph } from '../../../../src/quantization/graph-view.ts';
import { FITTING, floatChain, qdqChain, WIDTH, wave } from '../../../support/explained-models.ts';
import { floatFeed, runModel } from '../../../support/run-model.ts';

const X = wave(WIDTH, 0.9);

/** What the copies beside each node of a quantized chain say, by the node's name. */
async function errorsOf(given: OnnxModel) {
  const quantized = viewGraph(given);
  const float = viewGraph(floatChain());
  const pairing = pairGraphs(readQuantizedGraph(quantized), quantized, float);
  const { model, outputs } = buildLocalErrorModel(float, pairing, pairing.nodes);
  const results = await runModel(model, { x: floatFeed([1, WIDTH], X) });
  const of = (name: string | undefined) =>
    name === undefined ? undefined : Number(Array.from(results[name]?.data as ArrayLike<number | bigint>)[0]);
  return new Map(
    outputs.map(({ node, signal, size, weights, inputs, clipping }) => [
      node.float.name,
      {
        signal: of(signal),
        size: of(size),
        weights: of(weights),
        inputs: of(inputs),
        clipping: of(clipping),
      },
    ]),
  );
}

/** A vector times one of the chain's matrices. */
const times = (vector: readonly number[], layer: number) => {
  const weights = wave(WIDTH * WIDTH, 1.3 + layer);
  return Array.from({ length: WIDTH }, (_, column) =>
    vector.reduce((sum, value, row) => sum + value * (weights[row * WIDTH + column] as number), 0),
  );
};
const relu = (values: readonly number[]) => values.map((value) => Math.max(0, value));
const squares = (values: readonly number[]) => values.reduce((sum, value) => sum + value * value, 0);
const apart = (one: readonly number[], other: readonly number[]) =>
  squares(one.map((value, at) => value - (other[at] as number)));

describe('buildLocalErrorModel', () => {
  it('tells the error of a result behind the Relu that its grid does the work of', async () => {
    const first = (await errorsOf(qdqChain(FITTING))).get('first');
    const result = relu(times(X, 0));
    expect(first?.size).toBe(WIDTH);
    expect(first?.signal).toBeCloseTo(squares(result), 4);
    const rounded = X.map((value) => Math.round(value * 127.5) / 127.5);
    expect(first?.inputs).toBeCloseTo(apart(relu(times(rounded, 0)), result), 5);
    const scale = Math.max(...wave(WIDTH * WIDTH, 1.3).map(Math.abs)) / 127;
    // Weights are off by half a step at most, each.
    expect(first?.weights).toBeGreaterThan(0);
    expect(first?.weights).toBeLessThan(WIDTH * (WIDTH * scale * 0.5) ** 2);
  });

  it('tells what is cut off apart from what is rounded, from inputs of the float32 model', async () => {
    const errors = await errorsOf(qdqChain({ ...FITTING, x: 0.5 }));
    const [low, high] = [(-128 * 1) / 255, (127 * 1) / 255];
    const cut = X.map((value) => Math.min(high, Math.max(low, value)));
    expect(errors.get('first')?.clipping).toBeCloseTo(apart(relu(times(cut, 0)), relu(times(X, 0))), 4);
    expect(errors.get('first')?.inputs).toBeGreaterThan(0.9 * (errors.get('first')?.clipping ?? 0));
    // What the node before lost is no error of the next.
    const inTheClear = await errorsOf(qdqChain(FITTING));
    expect(errors.get('second')).toEqual(inTheClear.get('second'));
  });

  it('says nothing of inputs that nobody rounds', async () => {
    const weightsAlone = qdqChain(FITTING);
    const { graph } = weightsAlone.proto;
    if (graph === undefined) throw new Error('no graph');
    graph.node = graph.node.filter(
      ({ opType, input }) => opType === 'MatMul' || (input[0] as string).startsWith('w'),
    );
    for (const node of graph.node)
      node.input = node.input.map((name) => name.replace(/^([xh]\d?)_dq$/, '$1'));
    const relued = graph.node.findIndex(({ name }) => name === 'second');
    graph.node.splice(relued, 0, {
      ...(floatChain().proto.graph?.node[1] as (typeof graph.node)[number]),
    });
    (graph.node[relued + 1] as (typeof graph.node)[number]).input[0] = 'r0';
    const errors = await errorsOf(weightsAlone);
    expect([...errors.keys()]).toEqual(['first', 'second', 'third']);
    for (const error of errors.values()) {
      expect(error).toMatchObject({ inputs: undefined, clipping: undefined });
      expect(error.weights).toBeGreaterThan(0);
    }
  });
});
