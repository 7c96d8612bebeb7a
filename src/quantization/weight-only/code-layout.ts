import { encodeFloat16 } from '../../core/float16.ts';
import { DATA_TYPE, type TensorProto } from '../../onnx/messages.ts';
import { tensorFrom } from '../../onnx/tensor-data.ts';
import type { AffineParameters } from '../affine.ts';
import type { CodeGrid } from './code-grid.ts';

/** A K×N weight matrix and the blocks of `blockSize` weights along K that share a scale. */
export interface BlockedShape {
  readonly k: number;
  readonly n: number;
  readonly blockSize: number;
}

export function blocksPerColumn({ k, blockSize }: BlockedShape): number {
  return Math.ceil(k / blockSize);
}

/** Takes the quantized blocks of a matrix, in any order, and lays them out as one form of the model stores them. */
export interface CodeLayout {
  /** `codes` holds a whole block; those beyond K stand for zero. */
  write(column: number, block: number, parameters: AffineParameters, codes: Uint8Array): void;
  /** The tensors, yet without names. */
  tensors(): QuantizedTensors;
}

export interface QuantizedTensors {
  readonly codes: TensorProto;
  readonly scales: TensorProto;
  /** Undefined for a symmetric grid. */
  readonly zeroPoints: TensorProto | undefined;
}

/** The layout of a form of the model. */
export function createCodeLayout(
  form: 'matmul-nbits' | 'dequantize',
  shape: BlockedShape,
  grid: CodeGrid,
): CodeLayout {
  return form === 'matmul-nbits' ? nbitsLayout(shape, grid) : dequantizeLayout(shape, grid);
}

/** Size of everything that a layout stores for a matrix. */
export function storedSizeBytes(
  shape: BlockedShape,
  grid: CodeGrid,
  form: 'matmul-nbits' | 'dequantize',
): number {
  const blocks = blocksPerColumn(shape) * shape.n;
  const codes = form === 'matmul-nbits' ? blocks * shape.blockSize : shape.k * shape.n;
  const zeroPoints = grid.symmetric ? 0 : blocks;
  return ((codes + zeroPoints) * grid.bits) / 8 + blocks * scaleSizeBytes(grid);
}

/** Size of a scale, which is stored in the type of the weights. */
export function scaleSizeBytes({ scaleType }: CodeGrid): number {
  return scaleType === 'float32' ? 4 : 2;
}

/**
 * As MatMulNBits reads them: codes uint8 [N, blocks, blockSize·bits/8], the last block padded; scales [N, blocks]; zero
 * points uint8 [N, ceil(blocks·bits/8)]. Of two 4-bit codes in a byte the first is the low one.
 * Source: the schema of com.microsoft MatMulNBits 1 in ONNX Runtime 1.30.
 */
function nbitsLayout(shape: BlockedShape, grid: CodeGrid): CodeLayout {
  const { n, blockSize } = shape;
  const blocks = blocksPerColumn(shape);
  const blobBytes = (blockSize * grid.bits) / 8;
  const zeroPointBytes = Math.ceil((blocks * grid.bits) / 8);
  const packed = new Uint8Array(n * blocks * blobBytes);
  const scales = scaleArray(n * blocks, grid);
  const zeroPoints = new Uint8Array(grid.symmetric ? 0 : n * zeroPointBytes);
  return {
    write: (column, block, { scale, zeroPoint }, codes) => {
      const start = (column * blocks + block) * blobBytes;
      if (grid.bits === 8) packed.set(codes, start);
      else {
        for (let i = 0; i < blobBytes; i++) {
          packed[start + i] = (codes[2 * i] as number) | ((codes[2 * i + 1] as number) << 4);
        }
      }
      storeScale(scales, column * blocks + block, scale);
      if (grid.symmetric) return;
      if (grid.bits === 8) zeroPoints[column * blocks + block] = zeroPoint;
      else putNibble(zeroPoints, 2 * column * zeroPointBytes + block, zeroPoint);
    },
    tensors: () => ({
      codes: tensorFrom('', [n, blocks, blobBytes], packed),
      scales: scaleTensor([n, blocks], scales),
      zeroPoints: grid.symmetric ? undefined : tensorFrom('', [n, zeroPointBytes], zeroPoints),
    }),
  };
}

/**
 * As a DequantizeLinear with blocks along axis 0 reads them: codes [K, N]; scales and zero points [blocks, N]. Symmetric
 * codes are int4 or int8 around 0 without zero points, others uint4 or uint8. 4-bit codes are packed in pairs
 * without regard to rows, the first one low.
 * Source: ONNX DequantizeLinear 21; TensorProto.raw_data in onnx/onnx.proto.
 */
function dequantizeLayout(shape: BlockedShape, grid: CodeGrid): CodeLayout {
  const { k, n, blockSize } = shape;
  const blocks = blocksPerColumn(shape);
  const bytesOf = (count: number) => new Uint8Array(Math.ceil((count * grid.bits) / 8));
  const packed = bytesOf(k * n);
  const scales = scaleArray(blocks * n, grid);
  const zeroPoints = bytesOf(grid.symmetric ? 0 : blocks * n);
  // Flipping the top bit of a code takes the middle of the grid away from it, in two's complement.
  const flip = grid.symmetric ? grid.middle : 0;
  const put = grid.bits === 8 ? putByte : putNibble;
  const elementType = codeElementType(grid);
  return {
    write: (column, block, { scale, zeroPoint }, codes) => {
      const firstRow = block * blockSize;
      const count = Math.min(blockSize, k - firstRow);
      for (let i = 0; i < count; i++) put(packed, (firstRow + i) * n + column, (codes[i] as number) ^ flip);
      storeScale(scales, block * n + column, scale);
      if (!grid.symmetric) put(zeroPoints, block * n + column, zeroPoint);
    },
    tensors: () => ({
      codes: tensorFrom('', [k, n], packed, elementType),
      scales: scaleTensor([blocks, n], scales),
      zeroPoints: grid.symmetric ? undefined : tensorFrom('', [blocks, n], zeroPoints, elementType),
    }),
  };
}

function codeElementType({ bits, symmetric }: CodeGrid): number {
  if (bits === 8) return symmetric ? DATA_TYPE.int8 : DATA_TYPE.uint8;
  return symmetric ? DATA_TYPE.int4 : DATA_TYPE.uint4;
}

/** Sets a nibble that is still 0. */
function putNibble(bytes: Uint8Array, index: number, code: number): void {
  const at = index >>> 1;
  bytes[at] = (bytes[at] as number) | (code << ((index & 1) * 4));
}

function putByte(bytes: Uint8Array, index: number, code: number): void {
  bytes[index] = code;
}

type ScaleArray = Float32Array | Uint16Array;

function scaleArray(count: number, { scaleType }: CodeGrid): ScaleArray {
  return scaleType === 'float32' ? new Float32Array(count) : new Uint16Array(count);
}

function storeScale(scales: ScaleArray, index: number, scale: number): void {
  scales[index] = scales instanceof Float32Array ? scale : encodeFloat16(scale);
}

function scaleTensor(dims: readonly number[], scales: ScaleArray): TensorProto {
  return tensorFrom('', dims, scales, scales instanceof Float32Array ? DATA_TYPE.float : DATA_TYPE.float16);
}
