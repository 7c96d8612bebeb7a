import {
  type ChannelLayout,
  channelAbsMax,
  type IntegerRange,
  quantizeChannels,
  symmetricScale,
} from '../affine.ts';

export interface WeightSettings {
  readonly grid: IntegerRange;
  readonly perTensor: boolean;
}

/** Matrices of one shape that lie one after the other. */
export interface MatrixStack {
  readonly count: number;
  readonly rows: number;
  readonly columns: number;
  /** Whether an output of the product is a row of the weights, as in `x · Wᵀ`, or a column, as in `x · W`. */
  readonly outputs: 'rows' | 'columns';
}

export interface QuantizedMatrices {
  /** [count, inputs, outputs] whatever the order of the weights was, because the int8 kernels know no other. */
  readonly codes: Int8Array;
  /** float32 [count · outputs], or [count] with one scale a matrix. */
  readonly scales: Float32Array;
}

/**
 * Codes of weights on a symmetric int8 grid (zero point 0), one scale an output or one a matrix.
 * Gives `undefined` when a value is NaN or infinite.
 */
export function quantizeMatrices(
  values: Float32Array,
  stack: MatrixStack,
  { grid, perTensor }: WeightSettings,
): QuantizedMatrices | undefined {
  const layout = channelsOf(stack, perTensor);
  const absMax = channelAbsMax(values, layout);
  if (!absMax.every(Number.isFinite)) return undefined;
  const scales = Float32Array.from(absMax, (largest) => symmetricScale(largest, grid));
  const codes = quantizeChannels(values, layout, scales, grid);
  return { codes: stack.outputs === 'rows' ? transposeEach(codes, stack) : codes, scales };
}

function channelsOf({ count, rows, columns, outputs }: MatrixStack, perTensor: boolean): ChannelLayout {
  if (perTensor) return { outer: 1, channels: count, inner: rows * columns };
  if (outputs === 'rows') return { outer: 1, channels: count * rows, inner: columns };
  if (count !== 1) throw new Error('outputs in columns are for a single matrix');
  return { outer: rows, channels: columns, inner: 1 };
}

/** Side of the square blocks in which a matrix is transposed, so that reads and writes both stay in the cache. */
const BLOCK = 64;

function transposeEach(codes: Int8Array, { count, rows, columns }: MatrixStack): Int8Array {
  const transposed = new Int8Array(codes.length);
  for (let base = 0; base < count * rows * columns; base += rows * columns) {
    for (let row0 = 0; row0 < rows; row0 += BLOCK) {
      for (let column0 = 0; column0 < columns; column0 += BLOCK) {
        const rowEnd = Math.min(rows, row0 + BLOCK);
        const columnEnd = Math.min(columns, column0 + BLOCK);
        for (let column = column0; column < columnEnd; column++) {
          for (let row = row0; row < rowEnd; row++) {
            transposed[base + column * rows + row] = codes[base + row * columns + column] as number;
          }
        }
      }
    }
  }
  return transposed;
}
