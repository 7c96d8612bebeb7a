import type { IntegerRange } from '../affine.ts';
import type { GramSums } from './gram-sums.ts';
import type { MatrixProduct } from './matrix-product.ts';
import type { ProductLayer } from './product-layer.ts';
import { createLanes, roundRows } from './round-rows.ts';
import { createRowLoss } from './row-loss.ts';

/** Output channels that are rounded side by side: more of them make products larger, and take memory. */
const LANES = 256;

/** The grid of a weight, by its output channel (over all groups) and its column. */
export interface LayerGrid {
  readonly codes: IntegerRange;
  readonly scale: (channel: number, column: number) => number;
  readonly zeroPoint: (channel: number, column: number) => number;
}

/**
 * Codes that change what the layer gives for the inputs that `sums` tells of as little as its grid allows.
 * @param weights in the order of the layer's tensor, its factor multiplied in
 * @param write told the code of every weight in no particular order
 * @returns false where the sums do not tell enough of some group; nothing may be made of the codes then
 */
export async function roundLayer(
  layer: ProductLayer,
  sums: GramSums,
  weights: Float32Array,
  grid: LayerGrid,
  write: (channel: number, column: number, code: number) => void,
  multiply: MatrixProduct,
): Promise<boolean> {
  const { groups, rows, columns, rowStride, columnStride } = layer;
  for (let group = 0; group < groups; group++) {
    const loss = await createRowLoss(sums, group, columns, multiply);
    if (loss === undefined) return false;
    for (let first = 0; first < rows; first += LANES) {
      const width = Math.min(LANES, rows - first);
      const lanes = createLanes(columns, width);
      for (let lane = 0; lane < width; lane++) {
        const channel = group * rows + first + lane;
        for (let k = 0; k < columns; k++) {
          const column = loss.order[k] as number;
          const at = k * width + lane;
          lanes.values[at] = weights[channel * rowStride + column * columnStride] as number;
          lanes.scales[at] = grid.scale(channel, column);
          lanes.zeroPoints[at] = grid.zeroPoint(channel, column);
        }
      }
      await roundRows(loss, lanes, grid.codes, lanes.codes, multiply);
      for (let lane = 0; lane < width; lane++) {
        const channel = group * rows + first + lane;
        for (let k = 0; k < columns; k++) {
          write(channel, loss.order[k] as number, lanes.codes[k * width + lane] as number);
        }
      }
    }
  }
  return true;
}
