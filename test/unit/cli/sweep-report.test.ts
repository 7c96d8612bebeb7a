import { describe, expect, it } from 'vitest';
import { sweepFindings } from '../../../src/benchmark/sweep/sweep-findings.ts';
import { renderSweepChart } from '../../../src/cli/sweep-chart.ts';
import { renderSweep, type SweepReport } from '../../../src/cli/sweep-report.ts';
import { problem } from '../../../src/core/problem.ts';
import { rowOf } from '../../support/sweep-row.ts';

const ROWS = [
  rowOf({}, { throughputs: [100, 101], p99: 0.01 }),
  rowOf({ batch: 4 }, { throughputs: [200, 202], p99: 0.02 }),
  rowOf(
    { threads: 2, concurrency: 2, oversubscribed: true },
    { throughputs: [90, 91], p99: 0.03, valid: false },
  ),
  rowOf({ concurrency: 2 }, { throughputs: [180, 182], p99: 0.012 }),
  rowOf({ batch: 16 }, { throughputs: [], p99: null, valid: false }),
];

function reportOf(more: Partial<SweepReport> = {}): SweepReport {
  const { rows = ROWS } = more;
  return {
    scenario: 'closed-loop',
    cores: 2,
    cancelled: false,
    rows,
    skipped: [],
    findings: sweepFindings(rows, { withMemory: false }),
    ...more,
  };
}

describe('renderSweep', () => {
  it('has a line for each configuration, with the front marked and the reason of what failed', () => {
    const lines = renderSweep(reportOf()).split('\n');
    expect(lines[1]).toMatch(/^\* +1 +1 +1 +100\.5 +90\.45–110\.6 +5\.00 ms +10\.0 ms/);
    expect(lines[2]).toMatch(/^\* +4 +1 +1 +201\.0/);
    expect(lines[3]).toMatch(/^ +1 +2 +2 .* oversubscribed, invalid$/);
    expect(lines[5]).toMatch(/^ +16 +1 +1 +– .* failed: worker-crashed$/);
  });

  it('names the best in words, and lanes against the own threads of the runtime', () => {
    const text = renderSweep(reportOf());
    expect(text).toContain('highest throughput: batch 4, 1 thread, 1 lane, with 201.0 samples/s');
    expect(text).toContain('lowest p99: batch 1, 1 thread, 1 lane, with 10.0 ms');
    expect(text).toMatch(
      /the best with lanes \(batch 1, 1 thread, 2 lanes\) has 0\.90x \[0\.\d+, 0\.\d+\] the throughput of the best in one session \(batch 4,/,
    );
    expect(text).toContain('oversubscribed: threads times lanes are more than the 2 cores of this host');
    expect(text).toContain('invalid: batch 1, 2 threads, 2 lanes and 1 more alike: the host was busy');
  });

  it('says reasons that differ in their figures alone once, and does not name all that are alike', () => {
    const rows = [1, 2, 4, 8, 16, 32].map((batch) => ({
      ...rowOf({ batch }, { throughputs: [100, 90 + batch], p99: 0.01, valid: false }),
      invalidReasons: [`Other work took 0.${batch} cores`],
    }));
    const text = renderSweep(reportOf({ rows }));
    expect(text.match(/^invalid: /gm)).toHaveLength(1);
    expect(text).toContain('invalid: batch 1, 1 thread, 1 lane and 5 more alike: Other work took 0.1 cores');
    expect(text).toMatch(/not told apart from it: batch 16,.*; batch 8,.*; batch 4,.*; and 2 more/);
  });

  it('says once why configurations were skipped', () => {
    const configuration = { model: 'a', batch: 4, threads: 1, concurrency: 1, oversubscribed: false };
    const skipped = [
      {
        model: 'a',
        configurations: [configuration, { ...configuration, batch: 2 }],
        problem: problem('batch-not-supported', 'input is [1, 3]'),
      },
    ];
    expect(renderSweep(reportOf({ skipped }))).toContain(
      'skipped: 2 configurations of a (batch 2, 4; threads 1; lanes 1): input is [1, 3]',
    );
  });

  it('says where nothing is valid, inputs are made up, or it was cancelled', () => {
    const rows = [rowOf({}, { throughputs: [5], p99: 0.1, valid: false })];
    const text = renderSweep(reportOf({ rows, cancelled: true, madeUpInputs: true }));
    expect(text).toContain('no configuration is valid');
    expect(text).toContain('cancelled: what is above was measured before');
    expect(text).toContain('inputs are made up');
  });

  it('names models by their files where there are several, and by their paths where files have one name', () => {
    const fast = { throughputs: [400, 404], p99: 0.004 };
    const rows = [...ROWS, rowOf({ model: 'made/int8.onnx' }, fast)];
    expect(renderSweep(reportOf({ rows }))).toContain(
      'lowest p99: int8.onnx, batch 1, 1 thread, 1 lane, with 4.00 ms',
    );
    const alike = [rowOf({ model: 'x/m.onnx' }, fast), rowOf({ model: 'y/m.onnx' }, fast)];
    expect(renderSweep(reportOf({ rows: alike }))).toContain('highest throughput: x/m.onnx, batch 1');
  });

  it('says of what was never measured nothing but why', () => {
    const invalidReasons = ['it died (0 of 4 rounds were measured)', 'Measured 0 queries'];
    const rows = [{ ...rowOf({}, { throughputs: [], p99: null, valid: false }), invalidReasons }];
    const text = renderSweep(reportOf({ rows }));
    expect(text).toContain('invalid: batch 1, 1 thread, 1 lane: it died');
    expect(text).not.toContain('Measured 0 queries');
  });
});

describe('renderSweepChart', () => {
  const marks = (svg: string) => svg.match(/<title>/g)?.length ?? 0;

  it('has a point for each configuration with both figures, and nothing from elsewhere', () => {
    const svg = renderSweepChart(reportOf());
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect(marks(svg)).toBe(4);
    expect(svg).not.toMatch(/href|url\(|<script|NaN|Infinity|undefined/);
  });

  it('puts what is faster higher, and what takes longer further right', () => {
    const centres = [
      ...renderSweepChart(reportOf()).matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)" r="7" stroke/g),
    ];
    const [one, four] = centres.map(([, x, y]) => ({ x: Number(x), y: Number(y) }));
    expect(four?.x).toBeGreaterThan(one?.x as number);
    expect(four?.y).toBeLessThan(one?.y as number);
  });

  it.each([
    ['no point at all', []],
    ['a single point', [rowOf({}, { throughputs: [100], p99: 0.01 })]],
    [
      'points that are equal',
      [rowOf({}, { throughputs: [100], p99: 0.01 }), rowOf({ batch: 2 }, { throughputs: [100], p99: 0.01 })],
    ],
    [
      'points far apart',
      [rowOf({}, { throughputs: [9], p99: 1e-5 }), rowOf({ batch: 2 }, { throughputs: [1e6], p99: 7 })],
    ],
  ])('can be drawn of %s', (_what, rows) => {
    const svg = renderSweepChart(reportOf({ rows }));
    expect(marks(svg)).toBe(rows.length);
    expect(svg).not.toMatch(/NaN|Infinity/);
    for (const [, x] of svg.matchAll(/ c?x="(-?[\d.]+)"/g)) expect(Number(x)).toBeGreaterThanOrEqual(0);
  });

  it('writes names of models as text', () => {
    const rows = [rowOf({ model: 'a<b&"c".onnx' }, { throughputs: [1, 1], p99: 1 })];
    expect(renderSweepChart(reportOf({ rows }))).toContain('a&#60;b&#38;&#34;c&#34;.onnx');
  });
});
