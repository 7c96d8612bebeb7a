import { InferenceSession } from 'onnxruntime-node';
import { it } from 'vitest';
import { encodeModel, type OnnxModel } from '../../../src/onnx/model-file.ts';
import type { NodeProto, TensorProto } from '../../../src/onnx/messages.ts';
import { auditFusion } from '../../../src/quantization/audit.ts';
import { float, graph, model, node, tensor, value } from '../../support/graph-builder.ts';
import { copyOf, optimizedGraph, quantizeInMemory, sqnrDb } from '../../support/quantize-in-memory.ts';
import { wavyFeed, runModel } from '../../support/run-model.ts';
import { unwrap } from '../../support/unwrap.ts';

function wave(name: string, dims: readonly number[], amp = 0.5): TensorProto {
  const n = dims.reduce((a, b) => a * b, 1);
  return tensor(name, dims, Array.from({ length: n }, (_, i) => amp * Math.sin(i * 2.3 + name.length)));
}
async function runAll(m: OnnxModel, feeds: any) {
  const s = await InferenceSession.create(unwrap(encodeModel(m)), { graphOptimizationLevel: 'all', intraOpNumThreads: 1, logSeverityLevel: 4 });
  const r = await s.run(feeds); await s.release(); return r;
}
const i64 = (name: string, v: number[]) => tensor(name, [v.length], v, 'int64');
/** conv → mid → conv2 */
function sandwich(mid: NodeProto[], consts: TensorProto[], o: { opset?: number; dims?: number[]; c2?: number; rank?: number; from?: string; end?: NodeProto[]; outs?: string[]; relu?: boolean } = {}) {
  const dims = o.dims ?? [1, 3, 9, 9];
  const sp = dims.length - 2;
  const k = Array(sp).fill(3);
  const nodes = [
    node('Conv', ['x', 'w1', 'b1'], ['c1'], { pads: Array(2*sp).fill(1) }),
    ...(o.relu === false ? [] : [node('Relu', ['c1'], ['a'])]),
    ...mid,
    ...(o.end ?? [node('Conv', ['m', 'w2', 'b2'], ['y'])]),
  ];
  if (o.relu === false) nodes[0]!.output = ['a'];
  return model(graph({
    inputs: [value('x', 'float', dims)], nodes, outputs: (o.outs ?? ['y']).map((n) => value(n)),
    initializers: [wave('w1', [4, dims[1]!, ...k]), wave('b1', [4]), wave('w2', [5, o.c2 ?? 4, ...Array(o.rank ?? sp).fill(1)]), wave('b2', [5]), ...consts],
  }), { opset: o.opset ?? 13, irVersion: 10 });
}
const P = { opset: 13 };
const cases: Record<string, () => OnnxModel> = {
  none: () => sandwich([node('Identity', ['a'], ['m'])], []),
  conv1d: () => sandwich([node('Identity', ['a'], ['m'])], [], { dims: [1, 3, 9] }),
  conv3d: () => sandwich([node('Identity', ['a'], ['m'])], [], { dims: [1, 3, 5, 5, 5] }),
  maxpool: () => sandwich([node('MaxPool', ['a'], ['m'], { kernel_shape: [2, 2], strides: [2, 2] })], []),
  maxpoolDil: () => sandwich([node('MaxPool', ['a'], ['m'], { kernel_shape: [2, 2], dilations: [2, 2] })], []),
  maxpool1d: () => sandwich([node('MaxPool', ['a'], ['m'], { kernel_shape: [2], strides: [2] })], [], { dims: [1, 3, 9] }),
  maxpool3d: () => sandwich([node('MaxPool', ['a'], ['m'], { kernel_shape: [2, 2, 2] })], [], { dims: [1, 3, 5, 5, 5] }),
  avgpool: () => sandwich([node('AveragePool', ['a'], ['m'], { kernel_shape: [2, 2], strides: [2, 2] })], []),
  avgpoolPad: () => sandwich([node('AveragePool', ['a'], ['m'], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 1 })], []),
  avgpoolPad0: () => sandwich([node('AveragePool', ['a'], ['m'], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 0 })], []),
  avgpoolCeil: () => sandwich([node('AveragePool', ['a'], ['m'], { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 })], []),
  avgpoolCeil19: () => sandwich([node('AveragePool', ['a'], ['m'], { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 , count_include_pad: 1})], [], { opset: 19 }),
  avgpoolDil19: () => sandwich([node('AveragePool', ['a'], ['m'], { kernel_shape: [2, 2], dilations: [2, 2] })], [], { opset: 19 }),
  avgpool1d: () => sandwich([node('AveragePool', ['a'], ['m'], { kernel_shape: [2] })], [], { dims: [1, 3, 9] }),
  avgpool3d: () => sandwich([node('AveragePool', ['a'], ['m'], { kernel_shape: [2,2,2] })], [], { dims: [1, 3, 5, 5, 5] }),
  avgpoolSame: () => sandwich([node('AveragePool', ['a'], ['m'], { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'SAME_UPPER' })], []),
  gap: () => sandwich([node('GlobalAveragePool', ['a'], ['m'])], []),
  gap1d: () => sandwich([node('GlobalAveragePool', ['a'], ['m'])], [], { dims: [1, 3, 9] }),
  sigmoid: () => sandwich([node('Sigmoid', ['a'], ['m'])], [], { relu: false }),
  leaky: () => sandwich([node('LeakyRelu', ['a'], ['m'], { alpha: float(0.1) })], [], { relu: false }),
  silu: () => sandwich([node('Sigmoid', ['a'], ['s']), node('Mul', ['a', 's'], ['m'])], [], { relu: false }),
  addxx: () => sandwich([node('Add', ['a', 'a'], ['m'])], []),
  mulxx: () => sandwich([node('Mul', ['a', 'a'], ['m'])], []),
  concatxx: () => sandwich([node('Concat', ['a', 'a'], ['m'], { axis: 1 })], [], { c2: 8 }),
  concat1: () => sandwich([node('Concat', ['a'], ['m'], { axis: 1 })], []),
  addConst: () => sandwich([node('Add', ['a', 'k'], ['m'])], [wave('k', [4, 1, 1])]),
  addConstRank: () => sandwich([node('Add', ['k', 'a'], ['m'])], [wave('k', [1, 1, 1, 1, 1])], { rank: 3 , end: [node('Squeeze', ['m','ax'], ['m4']), node('Conv', ['m4','w2b'], ['y'])]}),
  mulScalar: () => sandwich([node('Mul', ['a', 'k'], ['m'])], [tensor('k', [], [0.125])]),
  resize: () => sandwich([node('Resize', ['a', '', 'sc'], ['m'], { mode: 'nearest' })], [tensor('sc', [4], [1, 1, 2, 2])]),
  resizeSizes: () => sandwich([node('Resize', ['a', '', '', 'sz'], ['m'], { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' })], [i64('sz', [1, 4, 5, 14])]),
  resizeLinear: () => sandwich([node('Resize', ['a', '', 'sc'], ['m'], { mode: 'linear' })], [tensor('sc', [4], [1, 1, 2, 2])]),
  transpose: () => sandwich([node('Transpose', ['a'], ['t'], { perm: [0, 1, 3, 2] }), node('MaxPool', ['t'], ['m'], { kernel_shape: [2, 2] })], []),
  reshape: () => sandwich([node('Reshape', ['a', 'sh'], ['m'])], [i64('sh', [0, 4, 3, 27])]),
  flattenGemm: () => sandwich([node('Flatten', ['a'], ['f'])], [wave('wg', [324, 7]), wave('bg', [7])], { end: [node('Gemm', ['f', 'wg', 'bg'], ['y'])] }),
  gemmT: () => sandwich([node('Flatten', ['a'], ['f'])], [wave('wg', [7, 324]), wave('bg', [1, 7])], { end: [node('Gemm', ['f', 'wg', 'bg'], ['y'], { transB: 1, alpha: float(0.5), beta: float(2) })] }),
  gemmGemm: () => sandwich([node('Flatten', ['a'], ['f'])], [wave('wg', [7, 324]), wave('bg', [7]), wave('wh', [7, 6]), wave('bh', [6])], { end: [node('Gemm', ['f', 'wg', 'bg'], ['g'], { transB: 1 }), node('Relu', ['g'], ['r']), node('Gemm', ['r', 'wh', 'bh'], ['y'])] }),
  gemmNoBias: () => sandwich([node('Flatten', ['a'], ['f'])], [wave('wg', [7, 324]), wave('wh', [7, 6])], { end: [node('Gemm', ['f', 'wg'], ['g'], { transB: 1 }), node('Relu', ['g'], ['r']), node('Gemm', ['r', 'wh'], ['y'])] }),
  gemmTransA: () => sandwich([node('Reshape', ['a', 'sh'], ['f'])], [i64('sh', [4, 81]), wave('wg', [4, 7]), wave('bg', [7])], { end: [node('Gemm', ['f', 'wg', 'bg'], ['y'], { transA: 1 })] }),
  gemmScalarBias: () => sandwich([node('Flatten', ['a'], ['f'])], [wave('wg', [324, 1]), tensor('bg', [], [0.7])], { end: [node('Gemm', ['f', 'wg', 'bg'], ['y'])] }),
  matmul2d: () => sandwich([node('Flatten', ['a'], ['f'])], [wave('wg', [324, 7]), wave('bg', [7])], { end: [node('MatMul', ['f', 'wg'], ['g']), node('Add', ['g', 'bg'], ['y'])] }),
  matmul2dChain: () => sandwich([node('Flatten', ['a'], ['f'])], [wave('wg', [324, 7]), wave('bg', [7]), wave('wh', [7, 6])], { end: [node('MatMul', ['f', 'wg'], ['g']), node('Add', ['g', 'bg'], ['h']), node('Relu', ['h'], ['r']), node('MatMul', ['r', 'wh'], ['y'])] }),
  matmulMatmul: () => sandwich([node('Flatten', ['a'], ['f'])], [wave('wg', [324, 7]), wave('wh', [7, 6])], { end: [node('MatMul', ['f', 'wg'], ['g']), node('MatMul', ['g', 'wh'], ['y'])] }),
  matmul3d: () => sandwich([node('Reshape', ['a', 'sh'], ['f'])], [i64('sh', [1, 4, 81]), wave('wg', [81, 7]), wave('bg', [7]), wave('wh', [7, 6])], { end: [node('MatMul', ['f', 'wg'], ['g']), node('Add', ['g', 'bg'], ['h']), node('MatMul', ['h', 'wh'], ['y'])] }),
  matmul1d: () => sandwich([node('Reshape', ['a', 'sh'], ['f'])], [i64('sh', [324]), wave('wg', [324, 7])], { end: [node('MatMul', ['f', 'wg'], ['y'])] }),
  matmul1dQ: () => sandwich([node('Reshape', ['a', 'sh'], ['f'])], [i64('sh', [324]), wave('wg', [324, 7]), wave('wh', [7,3])], { end: [node('MatMul', ['f', 'wg'], ['g']), node('MatMul', ['g', 'wh'], ['y'])] }),
  split: () => sandwich([node('Split', ['a'], ['s', 't'], { axis: 1 }), node('Concat', ['t', 's'], ['m'], { axis: 1 })], []),
  splitUnused: () => sandwich([node('Split', ['a'], ['m', 't'], { axis: 1 })], [], { c2: 2 }),
  split18: () => sandwich([node('Split', ['a'], ['s', 't'], { axis: 1, num_outputs: 2 }), node('Concat', ['t', 's'], ['m'], { axis: 1 })], [], { opset: 18 }),
  slice: () => sandwich([node('Slice', ['a', 'st', 'en', 'ax1'], ['m'])], [i64('st', [1]), i64('en', [3]), i64('ax1', [1])], { c2: 2 }),
  squeeze: () => sandwich([node('GlobalAveragePool', ['a'], ['p']), node('Squeeze', ['p', 'ax23'], ['q'])], [i64('ax23', [2, 3]), wave('wg', [4, 3]), wave('bg', [3])], { end: [node('Gemm', ['q', 'wg', 'bg'], ['y'])] }),
  unsqueeze: () => sandwich([node('Unsqueeze', ['a', 'ax0'], ['u']), node('Squeeze', ['u', 'ax0'], ['m'])], [i64('ax0', [0])]),
  clip06: () => sandwich([node('Clip', ['a', 'lo', 'hi'], ['m'])], [tensor('lo', [], [0]), tensor('hi', [], [6])], { relu: false }),
  clip01: () => sandwich([node('Clip', ['a', 'lo', 'hi'], ['m'])], [tensor('lo', [], [0]), tensor('hi', [], [1])], { relu: false }),
  clipm11: () => sandwich([node('Clip', ['a', 'lo', 'hi'], ['m'])], [tensor('lo', [], [-1]), tensor('hi', [], [1])], { relu: false }),
  clipm1 : () => sandwich([node('Clip', ['a', 'lo', 'hi'], ['m'])], [tensor('lo', [], [-0.7]), tensor('hi', [], [1.3])], { relu: false }),
  clip16: () => sandwich([node('Clip', ['a', 'lo', 'hi'], ['m'])], [tensor('lo', [], [1]), tensor('hi', [], [6])], { relu: false }),
  residual: () => sandwich([node('Conv', ['a', 'w3'], ['c3'], { pads: [1, 1, 1, 1] }), node('Add', ['c3', 'a'], ['s']), node('Relu', ['s'], ['m'])], [wave('w3', [4, 4, 3, 3])]),
  depthwise: () => sandwich([node('Conv', ['a', 'w3', 'b3'], ['m'], { group: 4 })], [wave('w3', [4, 1, 3, 3]), wave('b3', [4])]),
  grouped: () => sandwich([node('Conv', ['a', 'w3', 'b3'], ['m'], { group: 2 })], [wave('w3', [4, 2, 3, 3]), wave('b3', [4])]),
  tailRelu: () => sandwich([node('Identity', ['a'], ['m'])], [], { end: [node('Conv', ['m', 'w2', 'b2'], ['z']), node('Relu', ['z'], ['y0']), node('Softmax', ['y0'], ['y'], {axis: 1})] }),
  maxpoolRelu: () => sandwich([node('MaxPool', ['a'], ['p'], { kernel_shape: [2, 2] }), node('Relu', ['p'], ['m'])], [], { relu: false }),
  sharedPre: () => sandwich([node('Sigmoid', ['c1'], ['s']), node('Add', ['a', 's'], ['m'])], []),
  globalOutMid: () => sandwich([node('MaxPool', ['a'], ['m'], { kernel_shape: [2, 2] })], [], { outs: ['y', 'm'] }),

  apCeil13inc: () => sandwich([node('AveragePool', ['a'], ['m'], { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1, count_include_pad: 1 })], []),
  apCeil19: () => sandwich([node('AveragePool', ['a'], ['m'], { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 })], [], { opset: 19 }),
  apCeil13pad: () => sandwich([node('AveragePool', ['a'], ['m'], { kernel_shape: [3, 3], strides: [2, 2], pads: [1,1,1,1], ceil_mode: 1, count_include_pad: 1 })], [], {dims: [1,3,8,8]}),
  apCeil13pad0: () => sandwich([node('AveragePool', ['a'], ['m'], { kernel_shape: [3, 3], strides: [2, 2], pads: [1,1,1,1], ceil_mode: 1 })], [], {dims: [1,3,8,8]}),
  apPad19: () => sandwich([node('AveragePool', ['a'], ['m'], { kernel_shape: [3, 3], strides: [2, 2], pads: [1,1,1,1], count_include_pad: 1 })], [], { opset: 19 }),
  apDil1: () => sandwich([node('AveragePool', ['a'], ['m'], { kernel_shape: [3, 3], dilations: [1,1] })], [], { opset: 19 }),
  ap22: () => sandwich([node('AveragePool', ['a'], ['m'], { kernel_shape: [3, 3] })], [], { opset: 22 }),
  mp22: () => sandwich([node('MaxPool', ['a'], ['m'], { kernel_shape: [3, 3], ceil_mode: 1, strides: [2,2] })], [], { opset: 22 }),
  gap22: () => sandwich([node('GlobalAveragePool', ['a'], ['m'])], [], { opset: 22 }),
  all23: () => sandwich([node('MaxPool', ['a'], ['p'], { kernel_shape: [3, 3] }), node('Transpose', ['p'], ['t'], {perm:[0,1,3,2]}), node('Reshape', ['t', 'sh'], ['m'])], [i64('sh', [0, 4, 7, 7])], { opset: 23 }),
  opset21: () => sandwich([node('Split', ['a'], ['s', 't'], { axis: 1, num_outputs: 2 }), node('Concat', ['t', 's'], ['m'], { axis: 1 })], [], { opset: 21 }),
  lk22: () => sandwich([node('LeakyRelu', ['a'], ['l']), node('Sigmoid', ['l'], ['m'])], [], { opset: 22 , relu: false}),
  sliceStep: () => sandwich([node('Slice', ['a', 'st', 'en', 'ax1', 'sp'], ['m'])], [i64('st', [-1]), i64('en', [-10]), i64('ax1', [1]), i64('sp', [-1])], { c2: 4 }),
  gemmColBias: () => sandwich([node('Reshape', ['a', 'sh'], ['f'])], [i64('sh', [4, 81]), wave('wg', [81, 4]), wave('bg', [4, 1])], { end: [node('Gemm', ['f', 'wg', 'bg'], ['y'])] }),
  gemmBeta0: () => sandwich([node('Flatten', ['a'], ['f'])], [wave('wg', [324, 4]), wave('bg', [4])], { end: [node('Gemm', ['f', 'wg', 'bg'], ['y'], {beta: float(0)})] }),
  matmul3dEnd: () => sandwich([node('Reshape', ['a', 'sh'], ['f'])], [i64('sh', [1, 4, 81]), wave('wg', [81, 7]), wave('bg', [7])], { end: [node('MatMul', ['f', 'wg'], ['g']), node('Add', ['g', 'bg'], ['y'])] }),
  matmul3dB: () => sandwich([node('Reshape', ['a', 'sh'], ['f'])], [i64('sh', [1, 4, 81]), wave('wg', [81, 7]), wave('bg', [1,1,7])], { end: [node('MatMul', ['f', 'wg'], ['g']), node('Add', ['g', 'bg'], ['y'])] }),
  resizeCubic: () => sandwich([node('Resize', ['a', '', 'sc'], ['m'], { mode: 'nearest', coordinate_transformation_mode: 'align_corners', nearest_mode: 'ceil' })], [tensor('sc', [4], [1, 1, 1.5, 0.6])]),
  resize19: () => sandwich([node('Resize', ['a', '', 'sc'], ['m'], { mode: 'nearest', axes: [2,3] })], [tensor('sc', [2], [2, 2])], {opset: 19}),
  resizeNoMode: () => sandwich([node('Resize', ['a', '', 'sc'], ['m'])], [tensor('sc', [4], [1,1,2, 2])], {opset: 19}),
  concatAxis0: () => sandwich([node('Concat', ['a','a'], ['m'], {axis: 0})], []),
  concatNeg: () => sandwich([node('Concat', ['a','a'], ['m'], {axis: -1})], []),
  addTwoConst: () => sandwich([node('Add', ['a', 'k'], ['n']), node('Mul', ['k','n'],['m'])], [wave('k', [4, 1, 1])]),
  sumChain: () => sandwich([node('Add', ['a', 'k'], ['n']), node('Relu', ['n'],['m'])], [wave('k', [4, 1, 1])]),
};
it('explores', { timeout: 300000 }, async () => {
  const only = process.env['ONLY']?.split(',');
  for (const [name, make] of Object.entries(cases)) {
    if (only && !only.includes(name)) continue;
    try {
      const given = make();
      const dims = given.proto.graph!.input[0]!.type!.tensorType!.shape!.dim.map((d) => d.dimValue!);
      const feeds = { x: wavyFeed(...dims) };
      const { prepared, quantized, placement } = await quantizeInMemory(given, [feeds]);
      const q = copyOf(quantized);
      const opt = await optimizedGraph(quantized);
      const audit = auditFusion(placement.nodes, quantized.proto.graph!, opt);
      const s = sqnrDb(await runModel(prepared, feeds), await runModel(quantized, feeds));
      const a = await runModel(quantized, feeds); const b = await runAll(quantized, feeds);
      let sig = 0, noi = 0;
      for (const [k, t] of Object.entries(a)) (t.data as Float32Array).forEach((v, i) => { sig += v * v; noi += (v - (b[k]!.data as Float32Array)[i]!) ** 2; });
      console.log(name.padEnd(16), `sqnr ${s.toFixed(1)} opt-vs-unopt ${(10 * Math.log10(sig / noi)).toFixed(1)}`, `planned ${placement.nodes.length} fused ${audit.fused}`, audit.notFused.map((n) => `!${n.op} ${n.reason}`).join(','), '| float', placement.float.map((f) => f.op + ':' + f.reason).join(','), '|', opt.node.map((n) => `${n.opType}${process.env['ONLY'] ? '<' + n.name + '>' : ''}`).join(' '));
    } catch (e) { console.log(name, 'FAILED', (e as Error).message.slice(0, 400)); }
  }
});
