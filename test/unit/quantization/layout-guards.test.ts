import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { NodeProto, TensorProto } from '../../../src/onnx/messages.ts';
import type { OnnxModel } from '../../../src/onnx/model-file.ts';
import { readTensorData } from '../../../src/onnx/tensor-data.ts';
import { graphOf, opTypesOf } from '../../support/chain.ts';
import { intsConstant, waveConstant } from '../../support/constants.ts';
import { graph, model, node, tensor, value } from '../../support/graph-builder.ts';
import { quantizeInMemory, runOptimized, sqnrDb } from '../../support/quantize-in-memory.ts';
import { runModel, wavyFeed } from '../../support/run-model.ts';
import { unwrap } from '../../support/unwrap.ts';

const DIMS = [1, 3, 8, 8];

/** x → Conv → `between` (p → r) → Conv → y. */
function modelOf(
  between: NodeProto,
  constants: readonly TensorProto[],
  {
    inputs = [],
    dims = DIMS,
  }: { readonly inputs?: readonly string[]; readonly dims?: readonly number[] } = {},
): OnnxModel {
  const weights = (name: string) => waveConstant(name, [3, 3, ...dims.slice(2).map(() => 1)]);
  return model(
    graph({
      inputs: [value('x', 'float', dims), ...inputs.map((name) => value(name, 'int64', [4]))],
      nodes: [node('Conv', ['x', 'w1'], ['p']), between, node('Conv', ['r', 'w2'], ['y'])],
      outputs: [value('y')],
      initializers: [weights('w1'), weights('w2'), ...constants],
    }),
    { opset: 18 },
  );
}

/** Quantizes, and compares with float where the runtime may move what it likes, and where it may not. */
async function quantizeAndRun(given: OnnxModel, feeds = { x: wavyFeed(...DIMS) }) {
  const { quantized, placement } = await quantizeInMemory(given, [feeds]);
  const reference = await runModel(given, feeds);
  for (const run of [runModel, runOptimized]) {
    expect(sqnrDb(reference, await run(quantized, feeds))).toBeGreaterThan(30);
  }
  return { quantized, placement };
}

describe('a Resize between int8 convolutions', () => {
  const scales = tensor('s', [2], [2, 2]);

  it.each<[string, NodeProto, readonly TensorProto[]]>([
    [
      'that is cubic',
      node('Resize', ['p', '', 's'], ['r'], { mode: 'cubic' }),
      [tensor('s', [4], [1, 1, 2, 2])],
    ],
    ['with scales of some axes', node('Resize', ['p', '', 's'], ['r'], { axes: [2, 3] }), [scales]],
    [
      'with sizes of some axes',
      node('Resize', ['p', '', '', 's'], ['r'], { axes: [3, 2] }),
      [intsConstant('s', 5, 12)],
    ],
  ])('%s runs behind an Einsum that keeps its layout', async (_name, resize, constants) => {
    const { quantized, placement } = await quantizeAndRun(modelOf(resize, constants));
    expect(opTypesOf(quantized).join(' ')).toContain('DequantizeLinear Einsum Resize QuantizeLinear');
    expect(placement.nodes.map((plan) => plan.node.opType)).toEqual(['Conv', 'Conv']);
  });

  it.each(['nearest', 'linear'])('that is %s and names all axes needs none', async (mode) => {
    const resize = node('Resize', ['p', '', 's'], ['r'], { mode });
    const { quantized } = await quantizeAndRun(modelOf(resize, [tensor('s', [4], [1, 1, 2, 2])]));
    expect(opTypesOf(quantized)).not.toContain('Einsum');
  });

  it('may have another rank', async () => {
    const dims = [1, 3, 16];
    const resize = node('Resize', ['p', '', 's'], ['r'], { axes: [2] });
    const given = modelOf(resize, [tensor('s', [1], [2])], { dims });
    const { quantized } = await quantizeAndRun(given, { x: wavyFeed(...dims) });
    expect(opTypesOf(quantized)).toContain('Einsum');
  });
});

describe('a Pad between int8 convolutions', () => {
  it('that names its axes says how much it pads every axis', async () => {
    const pad = node('Pad', ['p', 'amounts', 'c', 'axes'], ['r']);
    const constants = [
      intsConstant('amounts', 1, 2, 3, 4),
      intsConstant('axes', -1, 2),
      tensor('c', [], [0.5]),
    ];
    const { quantized } = await quantizeAndRun(modelOf(pad, constants));
    const changed = graphOf(quantized).node.find(({ opType }) => opType === 'Pad');
    expect(changed?.input).toEqual(['p', 'r_pads', 'c']);
    const amounts = graphOf(quantized).initializer.find(({ name }) => name === 'r_pads') as TensorProto;
    expect(unwrap(readTensorData(quantized, amounts))).toEqual(
      BigInt64Array.of(0n, 0n, 2n, 1n, 0n, 0n, 4n, 3n),
    );
    expect(opTypesOf(quantized)).not.toContain('Einsum');
  });

  it('that is told at run time how much keeps its axes behind an Einsum', async () => {
    const pad = node('Pad', ['p', 'amounts', '', 'axes'], ['r']);
    const given = modelOf(pad, [intsConstant('axes', 2, 3)], { inputs: ['amounts'] });
    const feeds = {
      x: wavyFeed(...DIMS),
      amounts: new Tensor('int64', BigInt64Array.of(1n, 0n, 2n, 0n), [4]),
    };
    const { quantized } = await quantizeAndRun(given, feeds);
    expect(opTypesOf(quantized).join(' ')).toContain('Einsum Pad');
  });

  it('of all axes is left alone', async () => {
    const pad = node('Pad', ['p', 'amounts'], ['r']);
    const { quantized } = await quantizeAndRun(
      modelOf(pad, [intsConstant('amounts', 0, 0, 1, 1, 0, 0, 1, 1)]),
    );
    const unchanged = graphOf(quantized).node.find(({ opType }) => opType === 'Pad');
    expect(unchanged?.input).toEqual(['p', 'amounts']);
  });
});
