import type { AffineParameters } from '../affine.ts';
import { roundHalfEven } from '../round-half-even.ts';
import { type CodeGrid, clampCode, spanningGrid, storableScale } from './code-grid.ts';

/** Steps that are tried, as shares of the one that spans the block. */
const SHARES = Array.from({ length: 11 }, (_, i) => 1 - 0.04 * i);

/**
 * The grid whose rounding to nearest costs least when each squared error counts as much as its weight's input is strong:
 * one that cuts off a few large weights has finer steps for the others. Its zero point is that of the grid that spans the
 * block. To search both ends of the range one after the other was no better.
 * Source: the clipping search of AWQ (Lin et al., 2023), with the diagonal of the Gram matrix as importance.
 */
export function importantGrid(
  values: Float32Array,
  count: number,
  importance: Float64Array,
  grid: CodeGrid,
): AffineParameters {
  const spanning = spanningGrid(values, count, grid);
  const { zeroPoint } = spanning;
  let best = spanning;
  let lowest = Number.POSITIVE_INFINITY;
  for (const share of SHARES) {
    const scale = storableScale(spanning.scale * share, grid);
    let cost = 0;
    for (let i = 0; i < count; i++) {
      const value = values[i] as number;
      const code = clampCode(roundHalfEven(value / scale) + zeroPoint, grid.maxCode);
      cost += (importance[i] as number) * ((code - zeroPoint) * scale - value) ** 2;
    }
    if (cost >= lowest) continue;
    lowest = cost;
    best = { scale, zeroPoint };
  }
  return best;
}
