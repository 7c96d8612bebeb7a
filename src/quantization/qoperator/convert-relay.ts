import { intAttributeProto } from '../../onnx/attributes.ts';
import type { PlannedNode } from '../placement.ts';
import { type CodedTensor, codesBehind, gridOf, haveBytes, roundingOf, triple } from './coded-tensor.ts';
import { type Conversion, type ConversionContext, NO_CODES, notRounded, WIDE_CODES } from './conversion.ts';

type Form = Pick<Conversion, 'opType' | 'input' | 'attribute'>;
type MakeForm = (inputs: readonly CodedTensor[], output: CodedTensor, opset: number) => Form;

/** Each input with its scale and zero point, then those of the result. */
function plain(opType: string): MakeForm {
  return (inputs, output) => ({ opType, input: [...inputs.flatMap(triple), ...gridOf(output)] });
}

/**
 * Operators that compute on codes and requantize, by the name of the float operator; they have its attributes.
 * Source: ONNX Runtime 1.30, the schemas of the domain com.microsoft.
 */
const FORMS: ReadonlyMap<string, MakeForm> = new Map<string, MakeForm>([
  ['Add', plain('QLinearAdd')],
  ['Mul', plain('QLinearMul')],
  ['Sigmoid', plain('QLinearSigmoid')],
  ['LeakyRelu', plain('QLinearLeakyRelu')],
  ['AveragePool', plain('QLinearAveragePool')],
  ['GlobalAveragePool', plain('QLinearGlobalAveragePool')],
  [
    'Softmax',
    (inputs, output, opset) => ({
      ...plain('QLinearSoftmax')(inputs, output, opset),
      // Softmax of opset 12 flattened its input to a matrix first, so the operator has to be told which one is meant.
      attribute: [intAttributeProto('opset', opset)],
    }),
  ],
  [
    'Concat',
    (inputs, output) => ({ opType: 'QLinearConcat', input: [...gridOf(output), ...inputs.flatMap(triple)] }),
  ],
]);

/** An operator without weights on codes, or why there is none. */
export function convertRelay({ node }: PlannedNode, context: ConversionContext): Conversion | string {
  const makeForm = FORMS.get(node.opType ?? '');
  if (makeForm === undefined) return moveCodes(node, context);
  const { index, opset } = context;
  const inputs = node.input.flatMap((input) => codesBehind(input, index) ?? []);
  if (inputs.length < node.input.length) return NO_CODES;
  const result = node.output[0] ?? '';
  const rounding = roundingOf(result, index);
  if (rounding === undefined) return notRounded(result, context);
  if (!haveBytes([...inputs, rounding.coded], index)) return WIDE_CODES;
  return {
    ...makeForm(inputs, rounding.coded, opset),
    isContributed: true,
    output: [rounding.coded.codes],
    replaced: [rounding.quantize],
  };
}

/** Lets an operator that gives on values as they are do so with codes. They then mean the same before and after it. */
function moveCodes(node: PlannedNode['node'], context: ConversionContext): Conversion | string {
  const { index } = context;
  const [first = '', ...others] = node.input;
  const input = codesBehind(first, index);
  if (input === undefined) return NO_CODES;
  if (!haveBytes([input], index)) return WIDE_CODES;
  const output: string[] = [];
  const replaced: PlannedNode['node'][] = [];
  for (const result of node.output) {
    const rounding = roundingOf(result, index);
    if (rounding === undefined) return notRounded(result, context);
    const { coded, quantize } = rounding;
    if (coded.scale !== input.scale || coded.zeroPoint !== input.zeroPoint) {
      return 'its result is rounded to another grid than its input';
    }
    output.push(coded.codes);
    replaced.push(quantize);
  }
  const input0 = [input.codes, ...others];
  return { opType: node.opType ?? '', isContributed: false, input: input0, output, replaced };
}
