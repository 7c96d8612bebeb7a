import { InferenceSession } from 'onnxruntime-node';
import { it } from 'vitest';
import { encodeModel, type OnnxModel } from '../../../src/onnx/model-file.ts';
import { naiveRanges, quantizeInMemory } from '../../support/quantize-in-memory.ts';
import { randomConvNet } from '../../support/random-conv-net.ts';
import { readTensorData } from '../../../src/onnx/tensor-data.ts';
import { unwrap } from '../../support/unwrap.ts';
async function run(label: string, m: OnnxModel, level: any, feeds: any) {
  try {
  const s = await InferenceSession.create(unwrap(encodeModel(m)), { graphOptimizationLevel: level, intraOpNumThreads: 1, logSeverityLevel: 4 });
  await s.run(feeds); await s.release(); console.log(label, level, 'ok'); } catch (e) { console.log(label, level, 'FAIL', (e as Error).message.slice(0, 150)); }
}
it('x', async () => {
  for (const seed of [193, 655]) {
    const { model, samples } = randomConvNet(seed);
    for (const level of ['disabled', 'basic', 'extended', 'all']) await run('float', model, level, samples[0]);
    try {
    const { quantized } = await quantizeInMemory(model, samples);
    for (const t of quantized.proto.graph!.initializer.filter((t) => /^k[23]$|^t[23]_(scale|zero_point)$/.test(t.name!))) console.log(t.name, readTensorData(quantized, t));
 console.log(quantized.proto.graph!.node.map((n) => `${n.opType}<${n.name}>(${n.input.join(',')})->${n.output.join(',')}`).join('\n'));
    const names = quantized.proto.graph!.node.map((n) => n.name); console.log('dups', names.filter((n, i) => names.indexOf(n) !== i));
    for (const level of ['disabled', 'basic', 'extended', 'all']) await run('q', quantized, level, samples[0]);
    } catch (e) { console.log('quantize fails', (e as Error).message); }
  }
});
