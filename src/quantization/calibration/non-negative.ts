import { isDefaultDomain } from '../../onnx/make-node.ts';
import type { NodeProto } from '../../onnx/messages.ts';
import { clipBounds, type GraphView } from '../graph-view.ts';

/** Operators whose result is never negative, whatever they read. */
const NEVER_NEGATIVE: ReadonlySet<string> = new Set(['Relu', 'Sigmoid', 'HardSigmoid', 'Softmax']);

/** Operators that pick or average values of their first input. */
const KEEPS_SIGN: ReadonlySet<string> = new Set([
  'AveragePool',
  'Flatten',
  'GlobalAveragePool',
  'GlobalMaxPool',
  'Identity',
  'MaxPool',
  'Reshape',
  'Slice',
  'Squeeze',
  'Transpose',
  'Unsqueeze',
]);

/** Operators that give nothing negative where none of their inputs is. */
const COMBINES: ReadonlySet<string> = new Set(['Add', 'Concat', 'Mul']);

/** Tensors that the operators they come from keep from ever being negative. */
export function findNonNegative(view: GraphView): ReadonlySet<string> {
  const found = new Set<string>();
  for (const node of view.graph.node) {
    const output = node.output[0] ?? '';
    if (output !== '' && isDefaultDomain(node.domain) && isNonNegative(node, view, found)) found.add(output);
  }
  return found;
}

function isNonNegative(node: NodeProto, view: GraphView, found: ReadonlySet<string>): boolean {
  const opType = node.opType ?? '';
  if (opType === 'Clip') {
    const { min, max } = clipBounds(node, view);
    return min >= 0 && max >= 0;
  }
  if (COMBINES.has(opType)) return node.input.every((input) => found.has(input));
  return NEVER_NEGATIVE.has(opType) || (KEEPS_SIGN.has(opType) && found.has(node.input[0] ?? ''));
}
