import { intAttribute, intsAttribute } from '../onnx/attributes.ts';
import type { NodeProto } from '../onnx/messages.ts';

/**
 * What the CPU provider of ONNX Runtime runs in int8 when Q/DQ surrounds it, read off its optimized graphs (1.30).
 * `anchor`: where int8 arithmetic pays; needs constant weights. `elementwise`: has an int8 kernel that requantizes, so it
 * only keeps a path between anchors in int8. `pass-through`: moves codes without arithmetic, and is kept in int8 only if
 * its input and output have the same parameters. Operators that are not listed stay float.
 */
export type OperatorRole = 'anchor' | 'elementwise' | 'pass-through';

interface OperatorRule {
  readonly role: OperatorRole;
  /** Indexes of the inputs that carry activations; `all` for variadic operators. */
  readonly activations: 'all' | readonly number[];
  /** Whether a constant may stand for an activation (it is then quantized as one). */
  readonly constants: boolean;
}

const RULES: Readonly<Record<string, OperatorRule>> = {
  Conv: { role: 'anchor', activations: [0], constants: false },
  Gemm: { role: 'anchor', activations: [0], constants: false },
  MatMul: { role: 'anchor', activations: [0], constants: false },
  Add: { role: 'elementwise', activations: 'all', constants: true },
  Mul: { role: 'elementwise', activations: 'all', constants: true },
  Concat: { role: 'elementwise', activations: 'all', constants: false },
  Sigmoid: { role: 'elementwise', activations: [0], constants: false },
  LeakyRelu: { role: 'elementwise', activations: [0], constants: false },
  AveragePool: { role: 'elementwise', activations: [0], constants: false },
  GlobalAveragePool: { role: 'elementwise', activations: [0], constants: false },
  MaxPool: { role: 'pass-through', activations: [0], constants: false },
  Reshape: { role: 'pass-through', activations: [0], constants: false },
  Flatten: { role: 'pass-through', activations: [0], constants: false },
  Transpose: { role: 'pass-through', activations: [0], constants: false },
  Squeeze: { role: 'pass-through', activations: [0], constants: false },
  Unsqueeze: { role: 'pass-through', activations: [0], constants: false },
  Split: { role: 'pass-through', activations: [0], constants: false },
  Slice: { role: 'pass-through', activations: [0], constants: false },
  Resize: { role: 'pass-through', activations: [0], constants: false },
};

/**
 * Whether the int8 kernel of an AveragePool cannot stand for the float one: it has no dilations, and with `ceil_mode`
 * and `count_include_pad` together it divides by another count.
 */
export function int8PoolingDiffers(averagePool: NodeProto): boolean {
  const dilations = intsAttribute(averagePool, 'dilations') ?? [];
  return (
    dilations.some((dilation) => dilation !== 1) ||
    (intAttribute(averagePool, 'ceil_mode') === 1 && intAttribute(averagePool, 'count_include_pad') === 1)
  );
}

/** The rule of an operator of the default ONNX domain, or `undefined` when it has no int8 form. */
export function operatorRule(opType: string): OperatorRule | undefined {
  return Object.hasOwn(RULES, opType) ? RULES[opType] : undefined;
}
