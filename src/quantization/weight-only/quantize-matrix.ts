import { type CodeGrid, encodeBlock, spanningGrid } from './code-grid.ts';
import { type BlockedShape, blocksPerColumn, type CodeLayout } from './code-layout.ts';
import { refineGrid } from './half-quadratic.ts';
import type { WeightOnlyRecipe } from './recipe.ts';

/** A K×N matrix in memory: element (k, n) lies at k·kStride + n·nStride. */
export interface WeightMatrix {
  readonly values: Float32Array;
  readonly kStride: number;
  readonly nStride: number;
}

/** So many columns are gathered at a time: sixteen float32 of a row fill one cache line. */
const TILE_COLUMNS = 16;

/**
 * Quantizes `matrix` block by block into `layout`, columns being cut into blocks along K.
 * @returns false when a value is NaN or infinite, with the layout then incomplete
 */
export function quantizeMatrix(
  matrix: WeightMatrix,
  shape: BlockedShape,
  grid: CodeGrid,
  algorithm: WeightOnlyRecipe['algorithm'],
  layout: CodeLayout,
): boolean {
  const { k, n, blockSize } = shape;
  const blocks = blocksPerColumn(shape);
  const tile = createTile(Math.min(TILE_COLUMNS, n), blockSize);
  const codes = new Uint8Array(blockSize);
  for (let block = 0; block < blocks; block++) {
    const firstRow = block * blockSize;
    const count = Math.min(blockSize, k - firstRow);
    for (let firstColumn = 0; firstColumn < n; firstColumn += TILE_COLUMNS) {
      const width = Math.min(TILE_COLUMNS, n - firstColumn);
      if (!fillTile(tile, matrix, { firstRow, count, firstColumn, width })) return false;
      for (let c = 0; c < width; c++) {
        const values = tile.columns[c] as Float32Array;
        const spanning = spanningGrid(values, count, grid);
        const parameters = algorithm === 'hqq' ? refineGrid(values, count, spanning, grid) : spanning;
        encodeBlock(values, count, parameters, grid, codes);
        layout.write(firstColumn + c, block, parameters, codes);
      }
    }
  }
  return true;
}

/** Neighbouring columns of one block, each contiguous: views of the one array `values`. */
interface Tile {
  readonly values: Float32Array;
  readonly columns: readonly Float32Array[];
  readonly columnStride: number;
}

function createTile(width: number, blockSize: number): Tile {
  const values = new Float32Array(width * blockSize);
  const columns = Array.from({ length: width }, (_, c) =>
    values.subarray(c * blockSize, (c + 1) * blockSize),
  );
  return { values, columns, columnStride: blockSize };
}

/** Copies a part of the matrix; false when a value is not finite. */
function fillTile(
  tile: Tile,
  { values, kStride, nStride }: WeightMatrix,
  part: {
    readonly firstRow: number;
    readonly count: number;
    readonly firstColumn: number;
    readonly width: number;
  },
): boolean {
  const start = part.firstRow * kStride + part.firstColumn * nStride;
  const alongK = { count: part.count, from: kStride, to: 1 };
  const alongN = { count: part.width, from: nStride, to: tile.columnStride };
  // The inner loop follows the matrix in memory, so that every cache line is read once.
  const [outer, inner] = nStride === 1 ? [alongK, alongN] : [alongN, alongK];
  let check = 0;
  for (let o = 0; o < outer.count; o++) {
    let from = start + o * outer.from;
    let to = o * outer.to;
    for (let i = 0; i < inner.count; i++) {
      const value = values[from] as number;
      // Zero times a finite number adds nothing; times NaN or infinity it makes the sum NaN for good.
      check += value * 0;
      tile.values[to] = value;
      from += inner.from;
      to += inner.to;
    }
  }
  return check === 0;
}
