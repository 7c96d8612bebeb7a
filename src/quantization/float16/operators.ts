import { stringAttribute } from '../../onnx/attributes.ts';
import { isDefaultDomain } from '../../onnx/make-node.ts';
import type { NodeProto } from '../../onnx/messages.ts';

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}

/**
 * Operators whose every floating-point input and output may be float16 in opset 13, or in the opset that brought them
 * in, apart from `FLOAT32_INPUTS` and `FLOAT32_OUTPUTS`.
 * Source: the type constraints of the ONNX 1.23 operator schemas (opsets 13 to 26).
 */
const FLOAT16_OPERATORS: ReadonlySet<string> = new Set(
  words(`
    Abs Acos Acosh Add ArgMax ArgMin Asin Asinh Atan Atanh Attention AveragePool BatchNormalization Ceil
    CenterCropPad Clip Col2Im Compress Concat Conv ConvTranspose Cos Cosh DeformConv DepthToSpace Div Dropout
    Einsum Elu Equal Erf Exp Expand Flatten Floor GRU Gather GatherElements GatherND Gelu Gemm GlobalAveragePool
    GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GroupNormalization HardSigmoid HardSwish Hardmax Identity
    InstanceNormalization IsNaN LRN LSTM LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax
    LpNormalization LpPool MatMul Max MaxPool MaxUnpool Mean Min Mish Mod Mul Neg
    NonZero OneHot PRelu Pad Pow RMSNormalization RNN Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp
    ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize ReverseSequence
    RotaryEmbedding Round ScatterElements ScatterND Selu Shrink Sigmoid Sign Sin Sinh Slice Softmax Softplus
    Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Swish Tan Tanh TensorScatter ThresholdedRelu Tile TopK
    Transpose Trilu Unsqueeze Where`),
);

/** Operators that are older than their float16 form, and the opset that brought it. */
const FLOAT16_SINCE: ReadonlyMap<string, number> = new Map([
  ['IsInf', 20],
  ['Celu', 28],
]);

const COORDINATES = 'coordinates need more digits than float16 has';
const SUMS = 'running sums and products need more digits than float16 has';
const REDUCTION = 'runtimes have no float16 form of its reduction';
const GENERATOR = 'runtimes make these values in float32';
const EXPANSION = 'ONNX defines it by nodes with float32 constants, which runtimes then put in its place';
const NUMERIC = 'the algorithm needs more digits than float16 has';

/** Operators that stay float32 although their schemas may allow float16. */
const FLOAT32_BY_CHOICE: ReadonlyMap<string, string> = new Map([
  ...each('AffineGrid GridSample MaxRoiPool NonMaxSuppression Range RoiAlign', COORDINATES),
  ...each('CumProd CumSum', SUMS),
  ...each('MeanVarianceNormalization', EXPANSION),
  ...each('DFT Det NegativeLogLikelihoodLoss STFT SoftmaxCrossEntropyLoss Unique', NUMERIC),
  ...each(
    `Bernoulli BlackmanWindow EyeLike HammingWindow HannWindow MelWeightMatrix Multinomial RandomNormal
     RandomNormalLike RandomUniform RandomUniformLike`,
    GENERATOR,
  ),
]);

function each(opTypes: string, reason: string): (readonly [string, string])[] {
  return words(opTypes).map((opType) => [opType, reason] as const);
}

/** Why a node of ONNX's own domain cannot be float16 in `opset`; undefined where it can. */
export function float16Refusal(node: NodeProto, opset: number): string | undefined {
  const opType = node.opType ?? '';
  if ((stringAttribute(node, 'reduction') ?? 'none') !== 'none') return REDUCTION;
  const chosen = FLOAT32_BY_CHOICE.get(opType);
  if (chosen !== undefined) return chosen;
  if (FLOAT16_OPERATORS.has(opType)) return undefined;
  const since = FLOAT16_SINCE.get(opType);
  if (since === undefined) return 'the operator is not known to have a float16 form';
  return opset >= since ? undefined : `the operator has a float16 form from opset ${since} only`;
}

/** Inputs that stay float32 while the rest of the operator is float16: the schema asks for it, or they count things. */
const FLOAT32_INPUTS: Readonly<Record<string, readonly number[]>> = { OneHot: [0, 1], Resize: [1, 2] };

/** Outputs that the schema keeps in float32: mean and inverse deviation. */
const FLOAT32_OUTPUTS: Readonly<Record<string, readonly number[]>> = { LayerNormalization: [1, 2] };

export function staysFloat32Input({ opType }: NodeProto, index: number): boolean {
  return FLOAT32_INPUTS[opType ?? '']?.includes(index) ?? false;
}

export function staysFloat32Output({ opType }: NodeProto, index: number): boolean {
  return FLOAT32_OUTPUTS[opType ?? '']?.includes(index) ?? false;
}

/**
 * Operators through which index and position arithmetic runs: sizes of tensors, steps of a sequence, angles made of
 * positions. While nothing else is mixed in, such values stay float32: float16 counts exactly to 2048 only.
 */
const INTEGER_ARITHMETIC: ReadonlySet<string> = new Set(
  words(`
    Abs Add Ceil Clip Concat Cos Div Equal Exp Expand Flatten Floor Gather Greater GreaterOrEqual Identity Less
    LessOrEqual Log MatMul Max Min Mod Mul Neg Pow Reciprocal ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum
    Reshape Round ScatterElements ScatterND Sign Sin Slice Split Sqrt Squeeze Sub Sum Tile Transpose Trilu
    Unsqueeze Where`),
);

export function isIntegerArithmetic({ opType, domain }: NodeProto): boolean {
  return isDefaultDomain(domain) && INTEGER_ARITHMETIC.has(opType ?? '');
}

/**
 * Operators for which a constant limited to the range of float16 gives the result that limiting the result would give:
 * they move, select, compare or add. The usual case is the most negative float32 in an attention mask.
 */
const LIMITS_CONSTANTS: ReadonlySet<string> = new Set(
  words(`
    Add ArgMax ArgMin Clip Compress Concat Equal Expand Flatten Gather GatherElements GatherND Greater
    GreaterOrEqual Identity Less LessOrEqual Max Min Pad Reshape ScatterElements ScatterND Slice Split Squeeze Sub
    Tile Transpose Unsqueeze Where`),
);

export function mayLimitConstants({ opType }: NodeProto): boolean {
  return LIMITS_CONSTANTS.has(opType ?? '');
}

/** Whether an input is only added to what the operator computes from the others. */
export function isAddend({ opType }: NodeProto, index: number): boolean {
  return index === 2 && (opType === 'Conv' || opType === 'ConvTranspose' || opType === 'Gemm');
}
