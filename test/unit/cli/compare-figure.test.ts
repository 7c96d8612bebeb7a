import { describe, expect, it } from 'vitest';
import { renderFigure, shortNames } from '../../../src/cli/compare-figure.ts';
import { renderComparison } from '../../../src/cli/compare-report.ts';
import { compareBenchFiles } from '../../../src/jobs/compare-bench-files.ts';
import { benchFileOf, suiteRunOf } from '../../support/bench-runs.ts';
import { unwrap } from '../../support/unwrap.ts';

const wobbling = (milliseconds: number) => (run: number) => milliseconds * 1e6 * (1 + (run % 97) / 97);

async function comparisonOf(names: readonly [string, string], given = {}) {
  const services = { [names[0]]: wobbling(2), [names[1]]: wobbling(1) };
  const base = await benchFileOf([await suiteRunOf(services, given)]);
  return unwrap(compareBenchFiles({ base }));
}

/** All coordinates of points that are drawn. */
function pointsOf(svg: string): readonly (readonly [number, number])[] {
  return [...svg.matchAll(/points="([^"]*)"/g)].flatMap(([, points = '']) =>
    points.split(' ').map((point) => point.split(',').map(Number) as [number, number]),
  );
}

describe('renderFigure', () => {
  it('draws a curve of each model and a ratio with its interval at each percentile, within the frame', async () => {
    const { comparisons } = await comparisonOf(['fp32.onnx', 'int8.onnx']);
    const svg = renderFigure(comparisons);
    expect(svg.match(/<polyline/g)).toHaveLength(2);
    expect(svg.match(/<circle/g)).toHaveLength(comparisons[0]?.percentiles.length ?? 0);
    const points = pointsOf(svg);
    expect(points.length).toBeGreaterThan(40);
    for (const [x, y] of points) {
      expect(x).toBeGreaterThanOrEqual(84);
      expect(x).toBeLessThanOrEqual(732);
      expect(y).toBeGreaterThanOrEqual(0);
      expect(y).toBeLessThanOrEqual(250);
    }
  });

  it('has one block a comparison, each in its own place', async () => {
    const { comparisons } = await comparisonOf(['a', 'b']);
    const svg = renderFigure([...comparisons, ...comparisons]);
    expect(svg).toContain('viewBox="0 0 760 1080"');
    expect(svg).toContain('translate(0 540)');
  });

  it('refers to nothing outside and runs nothing, whatever a model is called', async () => {
    const evil = '<script>alert("&")</script>\u0001.onnx';
    const svg = renderFigure((await comparisonOf([evil, 'b'])).comparisons);
    expect(svg).not.toMatch(/<script|href|url\(/);
    expect(svg).not.toContain('\u0001');
    expect(svg).toContain('script&gt;.onnx');
  });

  it('says so where there are too few rounds or latencies', async () => {
    const { comparisons } = await comparisonOf(['a', 'b'], { rounds: 2 });
    expect(renderFigure(comparisons)).toContain('too few rounds for ratios by percentile');
    const [first] = comparisons;
    if (first === undefined) throw new Error('expected a comparison');
    const nothing = { ...first.base, latencyCurve: [] };
    const empty = renderFigure([{ ...first, base: nothing, candidate: nothing, percentiles: [] }]);
    expect(empty).toContain('nothing was measured');
    expect(empty).not.toContain('NaN');
  });
});

describe('shortNames', () => {
  it('keeps as much of two paths as tells them apart', () => {
    expect(shortNames('/models/fp32.onnx', '/out/int8.onnx')).toEqual(['fp32.onnx', 'int8.onnx']);
    expect(shortNames('/a/x/m.onnx', '/a/y/m.onnx')).toEqual(['x/m.onnx', 'y/m.onnx']);
    expect(shortNames('a/m.onnx', 'm.onnx')).toEqual(['a/m.onnx', 'm.onnx']);
    expect(shortNames('a/m.onnx', 'a/m.onnx')).toEqual(['m.onnx (first run)', 'm.onnx (second run)']);
  });
});

describe('renderComparison', () => {
  it('shows ratio, verdict and percentiles', async () => {
    const text = renderComparison(await comparisonOf(['fp32.onnx', 'int8.onnx']));
    expect(text).toMatch(
      /^single-stream +fp32.onnx +int8.onnx +median latency .* [12].\d\dx \[.*\] +faster$/m,
    );
    expect(text).toMatch(/^p90 +3.\d+ ms +1.\d+ ms +[12].\d\dx \[/m);
    expect(text).not.toContain('two runs');
  });

  it('shows the memory of both, as far as any of the two files tells', async () => {
    const file = await benchFileOf([await suiteRunOf({ a: wobbling(2), b: wobbling(1) })]);
    const [measurement] = file.measurements;
    const [first, second] = measurement?.results ?? [];
    const textOf = (one: object, other: object) => {
      const results = [
        { ...first, peakRssBytes: 40 * 2 ** 20, ...one },
        { ...second, peakRssBytes: 20 * 2 ** 20, ...other },
      ];
      const base = { ...file, measurements: [{ ...measurement, results }] } as typeof file;
      return renderComparison(unwrap(compareBenchFiles({ base })));
    };
    const text = textOf({ arenaBytes: 2 ** 21, peakGpuMemoryBytes: null }, { arenaBytes: null });
    expect(text).toMatch(/^single-stream +a +b +times as much$/m);
    expect(text).toMatch(/^peak memory .* 0\.50x$/m);
    expect(text).toMatch(/^arena of a session .* – +–$/m);
    expect(text).not.toContain('GPU');
    expect(textOf({ peakGpuMemoryBytes: 2 ** 30 }, { peakGpuMemoryBytes: 2 ** 31 })).toMatch(
      /^peak GPU memory .* 2\.00x$/m,
    );
    expect(textOf({ peakRssBytes: null }, { peakRssBytes: null })).not.toContain('times as much');
  });

  it('warns where two runs are compared, and lists what differs', async () => {
    const base = await benchFileOf([await suiteRunOf({ a: wobbling(2) })]);
    const candidate = {
      ...(await benchFileOf([await suiteRunOf({ a: wobbling(1) })])),
      created: '2026-02-01',
      host: { ...base.host, kernel: 'Linux 6.1' },
    };
    const text = renderComparison(unwrap(compareBenchFiles({ base, candidate })));
    expect(text).toMatch(/faster \*$/m);
    expect(text).toContain('* these are two runs: whatever differed on the host');
    expect(text).toContain('differs: kernel: Linux 6.0, then Linux 6.1');
  });
});
