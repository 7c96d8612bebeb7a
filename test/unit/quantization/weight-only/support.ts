import { intAttribute } from '../../../../src/onnx/attributes.ts';
import type { NodeProto, TensorProto } from '../../../../src/onnx/messages.ts';
import type { OnnxModel } from '../../../../src/onnx/model-file.ts';
import { eliminateDead } from '../../../../src/onnx/passes/eliminate-dead.ts';
import { readTensorData } from '../../../../src/onnx/tensor-data.ts';
import { viewGraph } from '../../../../src/quantization/graph-view.ts';
import { completeRecipe } from '../../../../src/quantization/recipe.ts';
import {
  quantizeWeightsOnly,
  type WeightOnlyReport,
} from '../../../../src/quantization/weight-only/quantize-weights-only.ts';
import type { WeightOnlyRecipe } from '../../../../src/quantization/weight-only/recipe.ts';
import { graphOf } from '../../../support/chain.ts';
import { graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import { copyOf } from '../../../support/quantize-in-memory.ts';
import { unwrap } from '../../../support/unwrap.ts';

/** Four bits in blocks of 16 with whole float32 arithmetic, except for what is named. */
export function recipeWith(more: Partial<WeightOnlyRecipe> = {}): WeightOnlyRecipe {
  return {
    ...(completeRecipe({ format: 'weight-int4' }) as WeightOnlyRecipe),
    blockSize: 16,
    symmetric: true,
    accuracyLevel: 0,
    ...more,
  };
}

/** Bell-shaped values with a standard deviation of about `spread`, the same for the same seed. */
export function bellValues(count: number, seed: number, spread = 0.1): number[] {
  let state = seed >>> 0;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  return Array.from({ length: count }, () => (uniform() + uniform() + uniform()) * 2 * spread);
}

export function matrix(name: string, rows: number, columns: number, seed = 1): TensorProto {
  return tensor(name, [rows, columns], bellValues(rows * columns, seed));
}

/** x [M, K] · w → y, with w [K, N]. */
export function matMulModel(
  weights: TensorProto,
  opset = 21,
  given = node('MatMul', ['x', 'w'], ['y']),
): OnnxModel {
  return model(
    graph({ inputs: [value('x')], nodes: [given], outputs: [value('y')], initializers: [weights] }),
    { opset, irVersion: opset >= 21 ? 10 : 8 },
  );
}

/** A quantized copy of `given`, without what is no longer used. */
export function quantizeCopy(
  given: OnnxModel,
  recipe: WeightOnlyRecipe,
): { readonly quantized: OnnxModel; readonly report: WeightOnlyReport } {
  const quantized = copyOf(given);
  const report = unwrap(quantizeWeightsOnly(viewGraph(quantized), recipe));
  eliminateDead(quantized);
  return { quantized, report };
}

/** What a MatMulNBits stores, decoded element by element. Block b of column n lies at n·blocks + b. */
export interface StoredBlocks {
  readonly k: number;
  readonly n: number;
  readonly blockSize: number;
  readonly blocks: number;
  /** Per block: `blockSize` codes, padding included. */
  readonly codes: readonly number[];
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
  /** K×N in row-major order. */
  readonly dequantized: readonly number[];
}

/** Reads a MatMulNBits node by the words of its specification. */
export function readMatMulNBits(quantized: OnnxModel, nbits: NodeProto): StoredBlocks {
  const attribute = (name: string) => intAttribute(nbits, name) as number;
  const k = attribute('K');
  const n = attribute('N');
  const bits = attribute('bits');
  const blockSize = attribute('block_size');
  const blocks = Math.ceil(k / blockSize);
  const bytes = (input: number) => [...numbers(quantized, nbits.input[input] as string)];
  const codes = unpack(bytes(1), bits);
  const scales = bytes(2);
  const zeroPointBytes = Math.ceil((blocks * bits) / 8);
  const stored = (nbits.input[3] ?? '') === '' ? undefined : unpack(bytes(3), bits);
  const zeroPoints = scales.map((_, index) => {
    const column = Math.floor(index / blocks);
    return stored?.[(column * zeroPointBytes * 8) / bits + (index % blocks)] ?? 2 ** (bits - 1);
  });
  const dequantized = Array.from({ length: k * n }, (_, index) => {
    const row = Math.floor(index / n);
    const block = (index % n) * blocks + Math.floor(row / blockSize);
    const code = codes[block * blockSize + (row % blockSize)] as number;
    return (code - (zeroPoints[block] as number)) * (scales[block] as number);
  });
  return { k, n, blockSize, blocks, codes, scales, zeroPoints, dequantized };
}

/** x · w in float64, for x of `x.length / k` rows. */
export function product(x: readonly number[], w: readonly number[], k: number, n: number): number[] {
  const rows = x.length / k;
  return Array.from({ length: rows * n }, (_, index) => {
    let sum = 0;
    for (let i = 0; i < k; i++) {
      sum += (x[Math.floor(index / n) * k + i] as number) * (w[i * n + (index % n)] as number);
    }
    return sum;
  });
}

/** The largest difference, relative to the largest magnitude of `expected`. */
export function relativeError(actual: ArrayLike<unknown>, expected: readonly number[]): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  const largest = Math.max(...expected.map(Math.abs));
  return Math.max(...expected.map((wanted, i) => Math.abs(Number(actual[i]) - wanted))) / largest;
}

export function initializer(given: OnnxModel, name: string | undefined): TensorProto {
  const found = graphOf(given).initializer.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no initializer ${name}`);
  return found;
}

export function numbers(given: OnnxModel, name: string | undefined): readonly number[] {
  const data = unwrap(readTensorData(given, initializer(given, name)));
  return Array.from(data as ArrayLike<number>, Number);
}

function unpack(bytes: readonly number[], bits: number): number[] {
  return bits === 8 ? [...bytes] : bytes.flatMap((byte) => [byte & 15, byte >> 4]);
}
