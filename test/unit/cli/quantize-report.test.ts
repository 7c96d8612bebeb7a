import { describe, expect, it } from 'vitest';
import { renderQuantization } from '../../../src/cli/quantize-report.ts';
import type { QuantizeReport } from '../../../src/jobs/quantize-task.ts';
import { completeRecipe } from '../../../src/quantization/recipe.ts';

const REPORT: QuantizeReport = {
  model: 'net.onnx',
  output: 'made/net.onnx',
  recipe: completeRecipe({ format: 'static-int8' }),
  seconds: 1.234,
  peakRssBytes: 120 * 2 ** 20,
  sizeBytes: { before: 4 * 2 ** 20, after: 2 ** 20 },
  ops: { quantized: 15, float: [], fused: 15, notFused: [] },
  selfCheck: { on: 'data', samples: 8, sqnrDb: 33.44 },
  warnings: [],
};

const reportWith = (more: Partial<QuantizeReport>): QuantizeReport => ({ ...REPORT, ...more });
const lineOf = (report: QuantizeReport, title: string) =>
  renderQuantization(report)
    .split('\n')
    .filter((line) => line.startsWith(`  ${title} `));

describe('renderQuantization', () => {
  it('tells about a calibrated model', () => {
    const report = reportWith({
      calibration: { method: 'mse', samples: 256, seconds: 0.75, inferenceSeconds: 0.5, peakRssBytes: 1 },
      ops: {
        quantized: 15,
        float: [{ node: 'resize', op: 'Resize', reason: 'excluded by the recipe' }],
        fused: 14,
        notFused: [{ node: 'add', op: 'Add', reason: 'the runtime runs it as float Add' }],
      },
      warnings: ['9 BatchNormalization nodes were folded into weights', "no node is named 'hed'"],
    });
    expect(renderQuantization(report)).toBe(`made/net.onnx: 4.00 MiB → 1.00 MiB (4.00x smaller)
  made         static-int8 in 1.23 s, peak memory 120 MiB
  calibration  mse, 256 samples in 750 ms
  nodes        14 of 15 quantized nodes run in int8 on this CPU
  not fused    1 Add: the runtime runs it as float Add (add)
  left float   1 Resize: excluded by the recipe (resize)
  self-check   33.4 dB SQNR against float32 on 8 calibration samples
  note         9 BatchNormalization nodes were folded into weights
  note         no node is named 'hed'`);
  });

  it('tells what tuning gained, and what became of each pass', () => {
    const recipe = completeRecipe({ format: 'static-int8', tune: 'fast' });
    const tuning = {
      samples: { learn: 75, judge: 25 },
      sqnrDb: { before: 19.94, after: 21.8 },
      passes: [
        { pass: 'one', changed: 5, kept: true, sqnrDb: 21.8, reason: '5 layers', seconds: 1 },
        { pass: 'two', changed: 3, kept: false, sqnrDb: 18, reason: '3 pairs', seconds: 1 },
        { pass: 'three', changed: 0, kept: false, reason: 'no pair', seconds: 1 },
      ],
      seconds: 3.7,
    };
    const lines = renderQuantization(reportWith({ recipe, tuning })).split('\n');
    expect(lines.slice(3, 7)).toEqual([
      '  tuning       fast, 19.9 dB → 21.8 dB SQNR on 25 samples kept apart, in 3.70 s',
      '    one: 21.8 dB; 5 layers',
      '    two: undone, as it gave 18.0 dB; 3 pairs',
      '    three: nothing to do; no pair',
    ]);
  });

  it('tells what the latency gate measured, and whether noise hides which is faster', () => {
    const latencyGate = {
      float32Seconds: 0.0051,
      int8Seconds: 0.0024,
      speedUp: { ratio: 2.125, lower: 2.0, upper: 2.25 },
      outcome: 'faster',
      leftFloat: 3,
      builds: 2,
      seconds: 0.5,
    } as const;
    const told = '  latency      2.40 ms against 5.10 ms in float32 at one thread, 2.13x [2.00, 2.25]';
    expect(lineOf(reportWith({ latencyGate }), 'latency')).toEqual([told]);
    const doubtful = reportWith({ latencyGate: { ...latencyGate, outcome: 'not-distinguished' } });
    expect(lineOf(doubtful, 'latency')).toEqual([`${told}, within noise`]);
    expect(lineOf(REPORT, 'latency')).toEqual([]);
  });

  it('tells about a dynamic model, which had no data to be checked on', () => {
    const report = reportWith({
      recipe: completeRecipe({ format: 'dynamic-int8' }),
      ops: { quantized: 2, float: [], fused: 2, notFused: [] },
      selfCheck: { on: 'generated', samples: 1, sqnrDb: 41 },
    });
    expect(renderQuantization(report)).toBe(`made/net.onnx: 4.00 MiB → 1.00 MiB (4.00x smaller)
  made         dynamic-int8 in 1.23 s, peak memory 120 MiB
  nodes        2 of 2 quantized nodes run in int8 on this CPU
  self-check   41.0 dB SQNR against float32 on a made-up input`);
  });

  it.each(['weight-int8', 'weight-int4'] as const)('tells about a model with %s', (format) => {
    const report = reportWith({
      recipe: completeRecipe({ format }),
      ops: {
        quantized: 3,
        float: [],
        fused: 2,
        notFused: [{ node: 'fc', op: 'Gemm', reason: 'it multiplies in float' }],
      },
      selfCheck: { on: 'generated', samples: 0, sqnrDb: null },
    });
    expect(renderQuantization(report)).toBe(`made/net.onnx: 4.00 MiB → 1.00 MiB (4.00x smaller)
  made         ${format} in 1.23 s, peak memory 120 MiB
  nodes        2 of 3 quantized nodes run from packed weights on this CPU
  not fused    1 Gemm: it multiplies in float (fc)
  self-check   it loads; no input could be made up to run it on`);
  });

  it('says how much was written where the kernel tells', () => {
    expect(renderQuantization(reportWith({ writtenBytes: 3 * 2 ** 20 }))).toContain(
      'peak memory 120 MiB, 3.00 MiB written\n',
    );
  });

  it('promises no kernels for a float16 model', () => {
    const report = reportWith({
      recipe: completeRecipe({ format: 'float16' }),
      ops: { quantized: 23, float: [], fused: null, notFused: [] },
      selfCheck: { on: 'generated', samples: 1, sqnrDb: null },
    });
    expect(renderQuantization(report)).toBe(`made/net.onnx: 4.00 MiB → 1.00 MiB (4.00x smaller)
  made         float16 in 1.23 s, peak memory 120 MiB
  nodes        23 nodes compute in float16 where the provider can
  self-check   no difference from float32 on a made-up input`);
  });

  it('says so when the result is larger', () => {
    const report = reportWith({ sizeBytes: { before: 1000, after: 1100 } });
    expect(renderQuantization(report).split('\n')[0]).toBe('made/net.onnx: 1000 B → 1.07 KiB (1.10x larger)');
  });

  it('gives one line to the nodes of one type that stay float for one reason, in the order they come', () => {
    const slow = 'slower in int8';
    const float = [
      { node: 'c1', op: 'Conv', reason: slow },
      { node: 'l', op: 'LSTM', reason: slow },
      { node: 'c2', op: 'Conv', reason: slow },
      { node: 'head', op: 'Conv', reason: 'excluded by the recipe' },
      { node: 'c3', op: 'Conv', reason: slow },
    ];
    expect(lineOf(reportWith({ ops: { ...REPORT.ops, float } }), 'left float')).toEqual([
      '  left float   3 Conv: slower in int8 (c1, c2, c3)',
      '  left float   1 LSTM: slower in int8 (l)',
      '  left float   1 Conv: excluded by the recipe (head)',
    ]);
  });

  it('names three nodes of a reason and counts all', () => {
    const float = Array.from({ length: 5 }, (_, i) => ({ node: `c${i}`, op: 'Conv', reason: 'slower' }));
    expect(lineOf(reportWith({ ops: { ...REPORT.ops, float } }), 'left float')).toEqual([
      '  left float   5 Conv: slower (c0, c1, c2, … (--json lists all))',
    ]);
  });
});
