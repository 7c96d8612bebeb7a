import { describe, expect, it } from 'vitest';
import { renderRooflineChart } from '../../../src/cli/roofline-chart.ts';
import { renderRooflinePage } from '../../../src/cli/roofline-page.ts';
import { renderRoofline } from '../../../src/cli/roofline-report.ts';
import type { RooflineReport } from '../../../src/jobs/roofline-models.ts';
import type { Peaks } from '../../../src/trace/roofline/peaks.ts';
import { type EqualCalls, rooflineOf } from '../../../src/trace/roofline/roofline.ts';

const PEAKS: RooflineReport['peaks'][number] = {
  device: 'cpu',
  threads: 2,
  operationsPerSecond: { float32: 100e9, float16: null, int8: 1e12 },
  kernels: { float32: 'MatMul 2×2×2', float16: null, int8: 'MatMulInteger 2×2×2' },
  levels: [
    { name: 'L2', capacityBytes: 1e6, bytesPerSecond: 100e9 },
    { name: 'memory', capacityBytes: null, bytesPerSecond: 10e9 },
  ],
  doubts: [],
  notes: [],
  seconds: 3,
  measuredAtMs: 0,
};

const CALLS: EqualCalls = {
  op: 'Conv',
  form: '3×3',
  provider: 'CPUExecutionProvider',
  arithmetic: 'float32',
  calls: 10,
  seconds: 0.018,
  flops: 90e6,
  bytes: 90e3,
};

const RELU: EqualCalls = {
  ...CALLS,
  op: 'Relu',
  form: '',
  seconds: 0.001996,
  flops: 500e3,
  bytes: 2e6,
  calls: 5,
};
const SHAPE: EqualCalls = { ...CALLS, op: 'Shape', form: '', seconds: 4e-6, flops: null, bytes: null };

function reportOf(...variants: readonly (readonly [string, readonly EqualCalls[]])[]): RooflineReport {
  return {
    device: 'cpu',
    threads: 2,
    peaks: [PEAKS],
    variants: variants.map(([variant, calls]) => ({
      variant,
      roofline: rooflineOf({ runs: 10, seconds: 0.022, calls }, (): Peaks => PEAKS),
      doubts: [],
      failure: null,
    })),
  };
}

describe('the text of a roofline', () => {
  it('tells what the host can do, then operators by their time, with what bounds them', () =>
    expect(renderRoofline(reportOf(['m.onnx', [CALLS, RELU, SHAPE]]), false)).toBe(
      `peaks of cpu, 2 threads: float32 100 GFLOP/s (MatMul 2×2×2), float16 none of its own, int8 1.00 TOP/s (MatMulInteger 2×2×2)
  L2 100 GB/s, memory 10.0 GB/s

m.onnx: 2.20 ms a run, 90.3 MFLOP, 1.09 MB, 82.8 FLOP/B: 41.0 GFLOP/s, 495 MB/s, 45 % of its roof
operator  in       calls  time a run  share    FLOP   bytes  FLOP/B  FLOP/s     B/s  of roof              bound by
Conv 3×3  float32      1     1.80 ms   90 %  90.0 M  90.0 k    1000  50.0 G  50.0 M     50 %  █████·····  compute
Relu      float32    0.5      200 µs   10 %   250 k  1.00 M   0.250  1.25 G  5.01 G     50 %  █████·····  memory
1 other                1      400 ns  0.0 %
time of kernels: 90 % bound by compute, 10 % by memory, 0.0 % by neither; between kernels 200 µs a run`,
    ));

  it('tells what is not to be trusted, and that inputs are made up', () => {
    const report = reportOf(['m.onnx', [CALLS]]);
    const doubtful = {
      ...report,
      peaks: [{ ...PEAKS, doubts: ['The host swapped'], notes: ['The buffer was small'] }],
      variants: report.variants.map((of) => ({ ...of, doubts: ['Other work took 1 core'] })),
    };
    const text = renderRoofline(doubtful, true);
    expect(text).toContain('not to be trusted: the host swapped');
    expect(text).toContain('the buffer was small');
    expect(text).toContain('not to be trusted: other work took 1 core');
    expect(text).toContain('inputs are made up');
  });

  it('has a dash where something is not known', () => {
    const unknown = { ...SHAPE, seconds: 0.01 };
    expect(renderRoofline(reportOf(['m.onnx', [unknown]]), false)).toMatch(/Shape .* – {2,}– .* overhead/);
  });

  it('is the peaks alone without models', () =>
    expect(renderRoofline(reportOf(), false).split('\n')).toHaveLength(2));
});

/** Numbers of an attribute in all elements of a kind. */
const numbers = (svg: string, element: RegExp) =>
  [...svg.matchAll(element)].map(([, number]) => Number(number));

describe('the picture of a roofline', () => {
  it('has a slope for each memory, a ceiling for each arithmetic, and a point for each operator with known FLOPs', () => {
    const svg = renderRooflineChart(reportOf(['m.onnx', [CALLS, RELU, SHAPE]]));
    expect(svg.match(/class="roof"/g)).toHaveLength(4);
    expect(svg).toContain('L2 100 GB/s');
    expect(svg).toContain('int8 1.00 TOP/s');
    expect(svg.match(/<circle/g)).toHaveLength(2);
    expect(svg.match(/class="model v0"/g)).toHaveLength(1);
    expect(svg).toContain(
      '<title>Conv 3×3 in float32, 1 a run, 90 % of the time; 1.80 ms a run, 1000 FLOP/B, 50.0 GFLOP/s, 50.0 MB/s, 50 % of its roof; bound by compute</title>',
    );
  });

  it('places a point at its intensity and rate, on axes whose decades are of one length', () => {
    const at = (flops: number, bytes: number) => {
      const svg = renderRooflineChart(reportOf(['m.onnx', [{ ...CALLS, flops, bytes }]]));
      return {
        x: numbers(svg, /<circle[^>]* cx="([\d.]+)"/g)[0] ?? 0,
        y: numbers(svg, /<circle[^>]* cy="([\d.]+)"/g)[0] ?? 0,
      };
    };
    const [one, ten, hundred] = [at(1e7, 1e6), at(1e7, 1e5), at(1e8, 1e6)];
    expect(one.y).toBeCloseTo(ten.y, 1);
    expect(ten.x).toBeGreaterThan(one.x);
    expect(hundred.x).toBeCloseTo(ten.x, 1);
    expect(hundred.y).toBeLessThan(one.y);
  });

  it('has areas in proportion to time', () => {
    const svg = renderRooflineChart(
      reportOf([
        'm.onnx',
        [
          { ...CALLS, seconds: 0.08 },
          { ...RELU, seconds: 0.02 },
        ],
      ]),
    );
    const [large = 0, small = 0] = numbers(svg, /<circle[^>]* r="([\d.]+)"/g);
    expect((large / small) ** 2).toBeCloseTo(4, 1);
  });

  it('keeps every point inside, however slow or fast', () => {
    const extremes = [
      { ...CALLS, flops: 1, bytes: 1e9 },
      { ...RELU, flops: 1e12, bytes: 1, seconds: 0.01 },
    ];
    const svg = renderRooflineChart(reportOf(['m.onnx', extremes]));
    for (const x of numbers(svg, /<circle[^>]* cx="(-?[\d.]+)"/g))
      expect(x).toSatisfy((at: number) => at >= 86 && at <= 936);
    for (const y of numbers(svg, /<circle[^>]* cy="(-?[\d.]+)"/g))
      expect(y).toSatisfy((at: number) => at >= 24 && at <= 540);
    expect(svg).not.toMatch(/NaN|Infinity/);
  });

  it('is there without models too', () => expect(renderRooflineChart(reportOf())).not.toMatch(/NaN|<circle/));
});

describe('the page of a roofline', () => {
  it('needs nothing from elsewhere and runs nothing', () => {
    const page = renderRooflinePage(reportOf(['m.onnx', [CALLS, RELU]]));
    expect(page).not.toMatch(/src=|href=|url\(|@import|<script|<link/);
    expect(page).toContain('prefers-color-scheme: dark');
    expect(page.match(/<tr><td/g)).toHaveLength(2);
  });

  it('writes names of models and operators as text', () => {
    const name = '<img src=x onerror="alert(1)">.onnx';
    const page = renderRooflinePage(reportOf([name, [{ ...CALLS, op: '<b>', form: '"&' }]]));
    expect(page).not.toContain('<img');
    expect(page).not.toContain('<b>');
    expect(page).toContain('&#60;img src=x onerror=&#34;alert(1)&#34;&#62;.onnx');
  });

  it('begins with what is not to be trusted', () => {
    const report = reportOf(['m.onnx', [CALLS]]);
    const page = renderRooflinePage({ ...report, peaks: [{ ...PEAKS, doubts: ['The host swapped'] }] });
    expect(page).toMatch(/class="doubt">.*Peaks of cpu: The host swapped/);
    expect(renderRooflinePage(report)).not.toContain('class="doubt"');
  });
});
