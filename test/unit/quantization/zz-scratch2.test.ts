import { InferenceSession } from 'onnxruntime-node';
import { it } from 'vitest';
import { encodeModel, type OnnxModel } from '../../../src/onnx/model-file.ts';
import type { TensorProto } from '../../../src/onnx/messages.ts';
import { graph, model, node, tensor, value } from '../../support/graph-builder.ts';
import { quantizeInMemory, recipeWith } from '../../support/quantize-in-memory.ts';
import { wavyFeed } from '../../support/run-model.ts';
import { unwrap } from '../../support/unwrap.ts';
function wave(name: string, dims: readonly number[], amp = 0.5): TensorProto {
  const n = dims.reduce((a, b) => a * b, 1);
  return tensor(name, dims, Array.from({ length: n }, (_, i) => amp * Math.sin(i * 2.3 + name.length)));
}
async function run(label: string, m: OnnxModel, level: any) {
  try {
  const s = await InferenceSession.create(unwrap(encodeModel(m)), { graphOptimizationLevel: level, intraOpNumThreads: 1, logSeverityLevel: 4 });
  const r = await s.run({ x: wavyFeed(1, 3, 9, 9) }); await s.release(); console.log(label, level, 'ok', r['y']!.dims); } catch (e) { console.log(label, level, 'FAIL', (e as Error).message.slice(0, 150)); }
}
it('resize axes', async () => {
  const make = () => model(graph({
    inputs: [value('x', 'float', [1, 3, 9, 9])],
    nodes: [node('Conv', ['x', 'w1', 'b1'], ['c1'], { pads: [1, 1, 1, 1] }), node('Relu', ['c1'], ['a']),
      node('Resize', ['a', '', 'sc'], ['m'], { mode: 'nearest', axes: [2, 3] }), node('Conv', ['m', 'w2', 'b2'], ['y'])],
    outputs: [value('y')], initializers: [wave('w1', [4, 3, 3, 3]), wave('b1', [4]), wave('w2', [5, 4, 1, 1]), wave('b2', [5]), tensor('sc', [2], [2, 2])],
  }), { opset: 19, irVersion: 10 });
  for (const level of ['disabled', 'basic', 'extended', 'all']) await run('float', make(), level);
  for (const ex of [[], ['Resize']]) {
    const { quantized } = await quantizeInMemory(make(), [{ x: wavyFeed(1, 3, 9, 9) }], { recipe: recipeWith({ exclude: { opTypes: ex, nodes: [] } }) });
    for (const level of ['disabled', 'basic', 'extended', 'all']) await run('q ex ' + ex, quantized, level);
  }
});
