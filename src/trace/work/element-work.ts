import type { OpCall } from './op-call.ts';
import { product } from './typed-shape.ts';

/** The work of operators that do the same to every element; null for those that are not known. */
export function elementFlops(call: OpCall): number | null {
  const { op, inputs, outputs, facts } = call;
  const largestInput = Math.max(0, ...inputs.map(({ dims }) => product(dims)));
  const output = product(outputs[0]?.dims ?? []);
  if (MOVES.has(op)) return 0;
  const perOutput = PER_OUTPUT[op];
  if (perOutput !== undefined) return perOutput * output;
  const perInput = PER_INPUT[op];
  if (perInput !== undefined) return perInput * largestInput;
  if (VARIADIC.has(op)) return (inputs.length - 1) * output;
  if (POOLS.has(op)) return facts?.kernelShape === undefined ? null : output * product(facts.kernelShape);
  return null;
}

const words = (text: string) => new Set(text.split(' '));

/** They copy, or tell of shapes. */
const MOVES: ReadonlySet<string> = words(
  'Reshape Flatten Squeeze Unsqueeze Transpose Concat Split Slice Gather GatherElements GatherND Scatter ScatterElements ' +
    'ScatterND Expand Tile Pad Identity Cast CastLike Shape Size Constant ConstantOfShape Range ReorderInput ReorderOutput ' +
    'MemcpyFromHost MemcpyToHost DepthToSpace SpaceToDepth OneHot NonZero Compress Dropout EyeLike ReverseSequence Trilu Where ' +
    'ConcatFromSequence SplitToSequence SequenceAt SequenceConstruct Bitcast',
);

const VARIADIC: ReadonlySet<string> = words('Sum Mean Max Min');

const POOLS: ReadonlySet<string> = words(
  'MaxPool AveragePool NhwcMaxPool QLinearAveragePool LpPool MaxpoolWithMask',
);

/** A function of one element or of a pair of them: one operation. */
const SIMPLE =
  'Add Sub Mul Div Mod Pow Neg Abs Sign Floor Ceil Round Sqrt Reciprocal Exp Log Erf Sin Cos Tan Asin Acos Atan Sinh Cosh ' +
  'Asinh Acosh Atanh Tanh Relu And Or Xor Not Equal Less LessOrEqual Greater GreaterOrEqual BitwiseAnd BitwiseOr BitwiseXor ' +
  'BitwiseNot BitShift IsNaN IsInf BiasAdd';

/**
 * Operations for every element of the output, by the operator's definition: Sigmoid is 1 / (1 + exp(-x)), of four. Codes are
 * dequantized (subtract, multiply) and quantized (divide, add) around what is computed.
 */
const PER_OUTPUT: Readonly<Record<string, number>> = {
  ...Object.fromEntries(SIMPLE.split(' ').map((op) => [op, 1])),
  Clip: 2,
  LeakyRelu: 2,
  PRelu: 2,
  ThresholdedRelu: 1,
  Sigmoid: 4,
  HardSigmoid: 4,
  HardSwish: 5,
  Swish: 5,
  Silu: 5,
  QuickGelu: 6,
  Gelu: 5,
  BiasGelu: 6,
  FastGelu: 9,
  Elu: 3,
  Celu: 4,
  Selu: 4,
  Softplus: 3,
  Softsign: 3,
  Mish: 5,
  BatchNormalization: 4,
  QuantizeLinear: 2,
  DequantizeLinear: 2,
  QLinearAdd: 7,
  QLinearMul: 7,
  QLinearConcat: 4,
  QLinearLeakyRelu: 6,
  QLinearSigmoid: 8,
  QLinearWhere: 4,
  CumSum: 1,
};

/** Operations for every element of the largest input: mostly what is summed up, and what is normalized by that sum. */
const PER_INPUT: Readonly<Record<string, number>> = {
  ReduceSum: 1,
  ReduceMean: 1,
  ReduceMax: 1,
  ReduceMin: 1,
  ReduceProd: 1,
  ReduceL1: 2,
  ReduceL2: 2,
  ReduceSumSquare: 2,
  ReduceLogSum: 1,
  ReduceLogSumExp: 2,
  ArgMax: 1,
  ArgMin: 1,
  GlobalAveragePool: 1,
  GlobalMaxPool: 1,
  QLinearGlobalAveragePool: 3,
  QLinearReduceMean: 3,
  // Largest, difference, exponential, sum, quotient.
  Softmax: 5,
  LogSoftmax: 5,
  Hardmax: 1,
  QLinearSoftmax: 9,
  // Sum, difference, square, sum, quotient, scale, shift.
  LayerNormalization: 7,
  SkipLayerNormalization: 8,
  InstanceNormalization: 7,
  GroupNormalization: 7,
  GroupNorm: 7,
  // Square, sum, quotient, scale.
  SimplifiedLayerNormalization: 4,
  RMSNormalization: 4,
  SkipSimplifiedLayerNormalization: 5,
  LpNormalization: 3,
  // Least, largest, quotient, sum.
  DynamicQuantizeLinear: 4,
};
