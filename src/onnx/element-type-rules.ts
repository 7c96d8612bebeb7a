import { findAttribute, intAttribute } from './attributes.ts';
import { isDefaultDomain } from './make-node.ts';
import { DATA_TYPE, type GraphProto, type NodeProto } from './messages.ts';

type MaybeType = number | undefined;

interface RuleInput {
  readonly node: NodeProto;
  inputType(index: number): MaybeType;
  /** Element types of a body's outputs, in order. */
  inferBody(body: GraphProto): readonly MaybeType[];
}

/** Gives the element types of a node's outputs, in order. */
type Rule = (input: RuleInput) => readonly MaybeType[];

const { bool, float, int32, int64, string, uint8 } = DATA_TYPE;

/** The outputs, in order, have the types of these inputs. */
const likeInputs =
  (...indices: readonly number[]): Rule =>
  ({ inputType }) =>
    indices.map(inputType);

const fixed =
  (...types: readonly number[]): Rule =>
  () =>
    types;

/** The output type is an attribute that holds a DATA_TYPE; without it, what `fallback` says. */
const byAttribute =
  (name: string, fallback: (input: RuleInput) => MaybeType): Rule =>
  (input) => [intAttribute(input.node, name) || fallback(input)];

/** All inputs and outputs have one type: that of the first input whose type is known. */
const likeFirstKnownInput: Rule = ({ node, inputType }) => {
  const index = node.input.findIndex((_, at) => inputType(at) !== undefined);
  return node.output.map(() => inputType(index));
};

const likeInput0 = likeInputs(0);

function each(opTypes: string, rule: Rule): Record<string, Rule> {
  return Object.fromEntries(opTypes.split(/\s+/).map((opType) => [opType, rule]));
}

/** Per operator of the default domain, from the type constraints of the ONNX 1.23 operator schemas. */
const RULES: Readonly<Record<string, Rule>> = {
  ...each(
    `Abs Acos Acosh AffineGrid Asin Asinh Atan Atanh AveragePool BitShift BitwiseAnd BitwiseNot BitwiseOr
     BitwiseXor Ceil Celu CenterCropPad Clip Col2Im Compress Conv ConvTranspose Cos Cosh CumProd CumSum DFT
     DeformConv DepthToSpace Det Elu Erf Exp Expand Flatten Floor Gather GatherElements GatherND Gelu
     GlobalAveragePool GlobalLpPool GlobalMaxPool GridSample GroupNormalization HardSigmoid HardSwish Hardmax
     Identity InstanceNormalization LRN LeakyRelu Log LogSoftmax LpNormalization LpPool MaxRoiPool MaxUnpool
     MeanVarianceNormalization Mish Neg NegativeLogLikelihoodLoss Not PRelu Pad Pow Reciprocal ReduceL1
     ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum
     ReduceSumSquare Relu Reshape Resize ReverseSequence RoiAlign RotaryEmbedding Round STFT Scatter
     ScatterElements ScatterND Selu Shrink Sigmoid Sign Sin Sinh Slice Softmax Softplus Softsign SpaceToDepth
     Sqrt Squeeze StringConcat SwiGLU Swish Tan Tanh TensorScatter ThresholdedRelu Tile Transpose Trilu
     Unsqueeze Upsample`,
    likeInput0,
  ),
  ...each('Add Concat Div Einsum Gemm MatMul Max Mean Min Mod Mul Range Sub Sum', likeFirstKnownInput),
  ...each('GRU LSTM RNN', ({ node, inputType }) => node.output.map(() => inputType(0) ?? inputType(1))),
  ...each(
    `And Equal Greater GreaterOrEqual IsInf IsNaN Less LessOrEqual OptionalHasElement Or RegexFullMatch
     Xor`,
    fixed(bool),
  ),
  ...each('ArgMax ArgMin NonMaxSuppression NonZero SequenceLength Shape Size', fixed(int64)),
  ...each('ConvInteger MatMulInteger', fixed(int32)),
  ...each(
    'Bernoulli EyeLike RandomNormalLike RandomUniformLike',
    byAttribute('dtype', ({ inputType }) => inputType(0)),
  ),
  ...each(
    'RandomNormal RandomUniform',
    byAttribute('dtype', () => float),
  ),
  ...each(
    'BlackmanWindow HammingWindow HannWindow MelWeightMatrix',
    byAttribute('output_datatype', () => float),
  ),
  ...each(
    'Cast BitCast',
    byAttribute('to', () => undefined),
  ),
  ...each('MaxPool TopK', ({ inputType }) => [inputType(0), int64]),
  ...each('QLinearConv QLinearMatMul', likeInputs(7)),
  Attention: likeInputs(0, 0, 2, 0),
  BatchNormalization: likeInputs(0, 3, 3, 3, 3),
  CastLike: likeInputs(1),
  Constant: ({ node }) => [constantType(node)],
  ConstantOfShape: ({ node }) => [findAttribute(node, 'value')?.t?.dataType ?? float],
  DequantizeLinear: byAttribute('output_dtype', ({ inputType }) => inputType(1)),
  Dropout: ({ inputType }) => [inputType(0), bool],
  DynamicQuantizeLinear: fixed(uint8, float, uint8),
  ImageDecoder: fixed(uint8),
  If: (input) => {
    const thenTypes = bodyTypes(input, 'then_branch');
    const elseTypes = bodyTypes(input, 'else_branch');
    return input.node.output.map((_, at) => thenTypes[at] ?? elseTypes[at]);
  },
  LayerNormalization: ({ node, inputType }) => {
    const stash = intAttribute(node, 'stash_type') ?? float;
    return [inputType(0), stash, stash];
  },
  // The first output of a Loop's body is the condition to go on, which the node itself does not give out.
  Loop: (input) => bodyTypes(input, 'body').slice(1),
  Multinomial: byAttribute('dtype', () => int32),
  OneHot: likeInputs(2),
  QuantizeLinear: ({ node, inputType }) => [
    inputType(2) ?? ((node.input[2] ?? '') === '' ? intAttribute(node, 'output_dtype') || uint8 : undefined),
  ],
  RMSNormalization: likeInputs(1),
  Scan: (input) => bodyTypes(input, 'body'),
  SoftmaxCrossEntropyLoss: likeInputs(0, 0),
  Split: ({ node, inputType }) => node.output.map(() => inputType(0)),
  StringNormalizer: fixed(string),
  TfIdfVectorizer: fixed(float),
  Unique: ({ inputType }) => [inputType(0), int64, int64, int64],
  Where: ({ inputType }) => [inputType(1) ?? inputType(2)],
};

/** ONNX Runtime's domain has the same two operators for types that older opsets do not quantize to. */
const QUANTIZATION_OPS: ReadonlySet<string> = new Set(['QuantizeLinear', 'DequantizeLinear']);

/** The rule for a node's outputs; undefined where nothing is known about the operator. */
export function elementTypeRule(node: NodeProto): Rule | undefined {
  const opType = node.opType ?? '';
  const known =
    isDefaultDomain(node.domain) || (node.domain === 'com.microsoft' && QUANTIZATION_OPS.has(opType));
  return known && Object.hasOwn(RULES, opType) ? RULES[opType] : undefined;
}

function bodyTypes({ node, inferBody }: RuleInput, attributeName: string): readonly MaybeType[] {
  const body = findAttribute(node, attributeName)?.g;
  return body === undefined ? [] : inferBody(body);
}

function constantType(node: NodeProto): MaybeType {
  const attribute = node.attribute[0];
  switch (attribute?.name) {
    case 'value':
      return attribute.t?.dataType;
    case 'sparse_value':
      return attribute.sparseTensor?.values?.dataType;
    case 'value_float':
    case 'value_floats':
      return float;
    case 'value_int':
    case 'value_ints':
      return int64;
    case 'value_string':
    case 'value_strings':
      return string;
    default:
      return undefined;
  }
}
