import type { OpCall } from './op-call.ts';
import { product, type TypedShape } from './typed-shape.ts';

export interface MatrixWork {
  readonly flops: number;
  /** Operands that the runtime has packed and does not list; null where there are such and their size is not known. */
  readonly missing: readonly TypedShape[] | null;
}

type Rule = (call: OpCall) => MatrixWork | null;

const NOTHING_MISSING: readonly TypedShape[] = [];

/** Kernels and batches are whole numbers of multiply-adds; what is added or activated afterwards is not counted. */
export const MATRIX_OPS: Readonly<Record<string, Rule>> = {
  Conv: convolution,
  FusedConv: convolution,
  NhwcFusedConv: convolution,
  ConvInteger: convolution,
  QLinearConv: convolution,
  DeformConv: convolution,
  ConvTranspose: transposedConvolution,
  ConvTransposeWithDynamicPads: transposedConvolution,
  Gemm: gemm,
  FusedGemm: gemm,
  QGemm: gemm,
  MatMul: matMul,
  FusedMatMul: matMul,
  MatMulInteger: matMul,
  MatMulInteger16: matMul,
  MatMulIntegerToFloat: matMul,
  DynamicQuantizeMatMul: matMul,
  QLinearMatMul: matMul,
  MatMulNBits: blockMatMul,
  MatMulBnb4: blockMatMul,
  Attention: attention,
  QAttention: attention,
  MultiHeadAttention: multiHeadAttention,
  LSTM: (call) => recurrent(call, 4),
  DynamicQuantizeLSTM: (call) => recurrent(call, 4),
  GRU: (call) => recurrent(call, 3),
  RNN: (call) => recurrent(call, 1),
};

/** Every output element is a sum over the kernel and the channels of its group: weights are [M, C/group, k…]. */
function convolution(call: OpCall): MatrixWork | null {
  const [image] = call.inputs;
  const weight = image && kernelOf(call, image.dims.length);
  const output = call.outputs[0];
  if (weight === undefined || output === undefined) return null;
  return {
    flops: 2 * product(output.dims) * product(weight.shape.dims.slice(1)),
    missing: weight.isListed ? NOTHING_MISSING : [weight.shape],
  };
}

/** Every input element goes into the kernel and the output channels of its group: weights are [C, M/group, k…]. */
function transposedConvolution(call: OpCall): MatrixWork | null {
  const [image] = call.inputs;
  const weight = image && kernelOf(call, image.dims.length);
  if (image === undefined || weight === undefined) return null;
  return {
    flops: 2 * product(image.dims) * product(weight.shape.dims.slice(1)),
    missing: weight.isListed ? NOTHING_MISSING : [weight.shape],
  };
}

/** The first tensor behind the image that has as many dimensions. */
function kernelOf(
  call: OpCall,
  rank: number,
): { readonly shape: TypedShape; readonly isListed: boolean } | undefined {
  if (rank < 3) return undefined;
  const isKernel = ({ dims }: TypedShape) => dims.length === rank;
  const listed = call.inputs.slice(1).find(isKernel);
  if (listed !== undefined) return { shape: listed, isListed: true };
  const known = call.facts?.weights?.find(isKernel);
  return known === undefined ? undefined : { shape: known, isListed: false };
}

/** Y [M, N] of A [M, K] or [K, M]; what A has more than M is K. */
function gemm(call: OpCall): MatrixWork | null {
  const [a, ...others] = call.inputs;
  const output = call.outputs[0];
  const [rows, columns] = output?.dims ?? [];
  if (a?.dims.length !== 2 || rows === undefined || columns === undefined) return null;
  const depth = rows === 0 ? 0 : product(a.dims) / rows;
  const isOperand = ({ dims }: TypedShape) => dims.length === 2 && product(dims) === depth * columns;
  return {
    flops: 2 * rows * columns * depth,
    missing: missingOperand(call, others.some(isOperand), [depth, columns], a.type),
  };
}

/** Y […, M, N] of A […, M, K], or of A transposed, which shows where M and K differ. */
function matMul(call: OpCall): MatrixWork | null {
  const [a, ...others] = call.inputs;
  const output = call.outputs[0];
  if (a === undefined || output === undefined || a.dims.length === 0) return null;
  const depth = innerSize(a.dims, output.dims);
  const columns = output.dims.at(-1) ?? 1;
  const isOperand = ({ dims }: TypedShape) => dims.length >= 2 && dims.includes(depth);
  // A vector is an operand only where the output has no columns of its own.
  const isVector = ({ dims }: TypedShape) => dims.length === 1 && dims[0] === depth && output.dims.length < 2;
  const isThere = others.some((shape) => isOperand(shape) || isVector(shape));
  return {
    flops: 2 * product(output.dims) * depth,
    missing: missingOperand(call, isThere, [depth, columns], quantizedType(call, a)),
  };
}

function innerSize(a: readonly number[], y: readonly number[]): number {
  const [rows = 1, depth = 1] = a.length === 1 ? [1, a[0]] : a.slice(-2);
  const outputRows = y.length >= 2 && a.length >= 2 ? (y.at(-2) as number) : rows;
  return rows !== outputRows && depth === outputRows ? rows : depth;
}

/** The weights of one bound matrix are of one batch: the runtime packs no others. */
function missingOperand(
  { facts }: OpCall,
  isListed: boolean,
  dims: readonly [number, number],
  type: string | undefined,
): readonly TypedShape[] | null {
  if (isListed) return NOTHING_MISSING;
  const known = facts?.weights?.filter((weight) => product(weight.dims) === dims[0] * dims[1]);
  if (known?.[0] !== undefined) return [known[0]];
  return type === undefined ? null : [{ type, dims }];
}

/** Operands of these are 8 bits wide, with or without a sign, when the activations are floats too. */
function quantizedType({ op }: OpCall, a: TypedShape): string {
  return op === 'DynamicQuantizeMatMul' ? 'int8' : a.type;
}

/** Weights in blocks of a few bits; how many, only the graph tells. */
function blockMatMul(call: OpCall): MatrixWork | null {
  const [a] = call.inputs;
  const output = call.outputs[0];
  const depth = a?.dims.at(-1);
  const columns = output?.dims.at(-1);
  if (output === undefined || depth === undefined || columns === undefined) return null;
  // [N, blocks, bytes of a block]; scales and zero points have fewer dimensions.
  const isPacked = ({ type, dims }: TypedShape) => type === 'uint8' && dims.length === 3;
  const known = call.facts?.weights?.filter(isPacked);
  const isListed = call.inputs.slice(1).some(isPacked);
  return {
    flops: 2 * product(output.dims) * depth,
    missing: isListed ? NOTHING_MISSING : known?.[0] === undefined ? null : [known[0]],
  };
}

/**
 * Attention with its projections (com.microsoft): input [B, S, H], weights [H, 3·H'], output [B, S, H']; or that of ai.onnx,
 * whose three inputs are projected already.
 */
function attention(call: OpCall): MatrixWork | null {
  const [input, second, third] = call.inputs;
  const output = call.outputs[0];
  if (input === undefined || second === undefined || output === undefined) return null;
  const rank = input.dims.length;
  if (second.dims.length === rank && third?.dims.length === rank) return projectedAttention(call);
  if (rank !== 3 || output.dims.length !== 3) return null;
  const [batch = 0, sequence = 0, width = 0] = input.dims;
  const matrix = [...call.inputs.slice(1), ...(call.facts?.weights ?? [])].find(
    ({ dims }) => dims.length === 2 && dims[0] === width,
  );
  const bias = call.inputs.slice(1).find(({ dims }) => dims.length === 1 && (dims[0] ?? 0) > 1);
  const projected = matrix?.dims[1] ?? bias?.dims[0];
  if (projected === undefined) return null;
  // [2, B, heads, everything so far, size of a head], where keys and values are handed on.
  const total = call.outputs[1]?.dims.length === 5 ? (call.outputs[1].dims[3] as number) : sequence;
  const outputWidth = output.dims[2] as number;
  return {
    flops: 2 * batch * sequence * width * projected + 4 * batch * sequence * total * outputWidth,
    missing: call.inputs.includes(matrix as TypedShape)
      ? NOTHING_MISSING
      : [matrix ?? { type: call.op === 'QAttention' ? 'int8' : input.type, dims: [width, projected] }],
  };
}

/** Queries, keys and values of [B, S, H] or [B, heads, S, size of a head], without what is remembered from before. */
function projectedAttention(call: OpCall): MatrixWork | null {
  const [query, key, value] = call.inputs;
  if (query === undefined || key === undefined || value === undefined) return null;
  // More than a mask may be keys and values of before.
  if (call.inputs.length > 4) return null;
  const length = key.dims.at(-2) as number;
  const rows = product(query.dims.slice(0, -1));
  return {
    flops: 2 * rows * length * ((query.dims.at(-1) as number) + (value.dims.at(-1) as number)),
    missing: NOTHING_MISSING,
  };
}

function multiHeadAttention(call: OpCall): MatrixWork | null {
  const isPlain =
    call.inputs.slice(0, 3).length === 3 && call.inputs.slice(0, 3).every(({ dims }) => dims.length === 3);
  return isPlain ? projectedAttention(call) : null;
}

/** X [T, B, I] times W [D, g·H, I] and, step by step, the state times R [D, g·H, H]; what the gates do is not counted. */
function recurrent(call: OpCall, gates: number): MatrixWork | null {
  const [x, ...others] = call.inputs;
  const output = call.outputs.find(({ dims }) => dims.length === 4) ?? call.outputs[0];
  const hidden = output?.dims.at(-1);
  if (x?.dims.length !== 3 || output === undefined || hidden === undefined) return null;
  // Y is [T, D, B, H], Y_h [D, B, H].
  const directions = output.dims.length === 4 ? output.dims[1] : output.dims[0];
  const [steps = 0, batch = 0, width = 0] = x.dims;
  if (directions === undefined) return null;
  const rows = gates * hidden;
  const type = call.op === 'DynamicQuantizeLSTM' ? 'int8' : x.type;
  const missing = [width, hidden].filter((columns, index) => {
    const size = directions * rows * columns;
    const found = others.filter(({ dims }) => dims.length === 3 && product(dims) === size);
    // Where both are of one size, one that is there is W.
    return found.length <= (width === hidden ? index : 0);
  });
  return {
    flops: 2 * steps * batch * directions * rows * (width + hidden),
    missing: missing.map((columns) => ({ type, dims: [directions, rows, columns] })),
  };
}
