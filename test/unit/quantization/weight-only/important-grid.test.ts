import { describe, expect, it } from 'vitest';
import { codeGrid, spanningGrid } from '../../../../src/quantization/weight-only/code-grid.ts';
import { importantGrid } from '../../../../src/quantization/weight-only/important-grid.ts';

const GRID = codeGrid(4, { symmetric: false, scaleType: 'float32' });
/** Small weights and one large one. */
const VALUES = Float32Array.from({ length: 32 }, (_, i) => (i === 7 ? 1 : 0.04 * Math.sin(i * 1.7)));

function gridFor(importanceOfLargest: number) {
  const importance = Float64Array.from(VALUES, (_, i) => (i === 7 ? importanceOfLargest : 1));
  const start = spanningGrid(VALUES, VALUES.length, GRID);
  return { start, found: importantGrid(VALUES, VALUES.length, importance, GRID) };
}

describe('importantGrid', () => {
  it('cuts off a large weight whose input is weak', () => {
    const { start, found } = gridFor(0);
    expect(found.scale).toBeLessThan(0.75 * start.scale);
    expect(found.zeroPoint).toBe(start.zeroPoint);
  });

  it('holds one whose input is strong', () => {
    const { start, found } = gridFor(1000);
    expect(found.scale).toBeGreaterThan(0.95 * start.scale);
  });
});
