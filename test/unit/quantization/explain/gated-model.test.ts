import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { OnnxModel } from '../../../../src/onnx/model-file.ts';
import { buildGatedModel, type GateState } from '../../../../src/quantization/explain/gated-model.ts';
import { pairGraphs } from '../../../../src/quantization/explain/pair-graphs.ts';
import { readQuantizedGraph } from '../../../../src/quantization/explain/quantized-graph.ts';
import { viewGraph } from '../../../../src/quantization/graph-view.ts';
import { FITTING, floatChain, qdqChain, WIDTH, wave } from '../../../support/explained-models.ts';
import { floatFeed, runModel } from '../../../support/run-model.ts';

const FEEDS = { x: floatFeed([1, WIDTH], wave(WIDTH, 0.9)) };

async function outputOf(model: OnnxModel, feeds = {}): Promise<readonly number[]> {
  const { y } = await runModel(model, { ...FEEDS, ...feeds });
  return Array.from((y as Tensor).data as Float32Array);
}

function gated(choose: (what: 'weights' | 'activation', name: string) => GateState) {
  const quantized = viewGraph(qdqChain(FITTING));
  const float = viewGraph(floatChain());
  return buildGatedModel(float, pairGraphs(readQuantizedGraph(quantized), quantized, float), choose);
}

const gates = (name: string, values: readonly number[]) => ({
  [name]: new Tensor('bool', Uint8Array.from(values), [values.length]),
});

const close = (values: readonly number[]) => values.map((each) => expect.closeTo(each, 5) as number);

describe('buildGatedModel', () => {
  it('computes as float32 with every gate shut, and as the quantized model with every gate open', async () => {
    const { model, gatesInput, gateCount } = gated(() => 'gated');
    expect(gateCount).toBe(6);
    const run = (value: number) => outputOf(model, gates(gatesInput, new Array(gateCount).fill(value)));
    const [float, codes] = [await outputOf(floatChain()), await outputOf(qdqChain(FITTING))];
    expect(await run(0)).toEqual(close(float));
    expect(await run(1)).toEqual(close(codes));
    expect(float).not.toEqual(close(codes));
  });

  it('needs no gates for what is always rounded or never', async () => {
    const rounded = gated(() => 'rounded');
    expect(rounded.gateCount).toBe(0);
    expect(await outputOf(rounded.model)).toEqual(close(await outputOf(qdqChain(FITTING))));
    expect(await outputOf(gated(() => 'float').model)).toEqual(await outputOf(floatChain()));
  });

  it('keeps the names of nodes apart from those of tensors that are called alike', async () => {
    const float = floatChain();
    for (const node of float.proto.graph?.node ?? []) node.name = node.output[0] as string;
    const quantized = viewGraph(qdqChain(FITTING));
    const view = viewGraph(float);
    const pairing = pairGraphs(readQuantizedGraph(quantized), quantized, view);
    const { model } = buildGatedModel(view, pairing, () => 'rounded');
    expect(await outputOf(model)).toEqual(close(await outputOf(qdqChain(FITTING))));
  });

  it('opens one gate alone', async () => {
    const { model, gatesInput, gateCount, weightGate, roundingGate } = gated((what, name) =>
      what === 'weights' && name === 'h1' ? 'gated' : 'float',
    );
    expect([gateCount, [...weightGate], [...roundingGate]]).toEqual([1, [['h1', 0]], []]);
    const [shut, open] = [
      await outputOf(model, gates(gatesInput, [0])),
      await outputOf(model, gates(gatesInput, [1])),
    ];
    expect(shut).toEqual(close(await outputOf(floatChain())));
    expect(open).not.toEqual(close(shut));
  });

  it('leaves the model that it is made from as it was', async () => {
    const float = floatChain();
    const before = JSON.stringify(float.proto.graph, (_, value) =>
      typeof value === 'bigint' ? `${value}` : value,
    );
    const quantized = viewGraph(qdqChain(FITTING));
    const view = viewGraph(float);
    buildGatedModel(view, pairGraphs(readQuantizedGraph(quantized), quantized, view), () => 'gated');
    expect(
      JSON.stringify(float.proto.graph, (_, value) => (typeof value === 'bigint' ? `${value}` : value)),
    ).toBe(before);
  });
});
