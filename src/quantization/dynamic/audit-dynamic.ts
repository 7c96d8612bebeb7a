import type { GraphProto } from '../../onnx/messages.ts';
import { walkGraphs } from '../../onnx/traversal.ts';
import type { FusionAudit } from '../audit.ts';
import type { DynamicNode } from './quantize-dynamically.ts';

/** What the runtime made of a dynamically quantized model. */
export interface DynamicAudit extends FusionAudit {
  /** The operator that reads the weights of each node: `DynamicQuantizeMatMul`, say. */
  readonly kernels: readonly { readonly node: string; readonly op: string; readonly kernel: string }[];
}

/** Operators that round the input, multiply in int8 and give float32 in one step or, with a shared input, in two. */
const FUSED: ReadonlySet<string> = new Set([
  'DynamicQuantizeMatMul',
  'MatMulIntegerToFloat',
  'DynamicQuantizeLSTM',
]);

/**
 * Finds out what each quantized node runs as, in the graph that the runtime wrote after its fusions. There the nodes
 * have new names, so it goes by who reads the codes of their weights.
 */
export function auditDynamic(quantized: readonly DynamicNode[], optimized: GraphProto): DynamicAudit {
  const readers = new Map<string, Set<string>>();
  const read = (name: string, opType: string) => {
    const known = readers.get(name);
    if (known === undefined) readers.set(name, new Set([opType]));
    else known.add(opType);
  };
  walkGraphs(optimized, ({ node: nodes }) => {
    for (const { opType = '', input } of nodes) for (const name of input) read(name, opType);
  });
  const kernels = quantized.map(({ node, op, weights }) => ({
    node,
    op,
    kernel: [...(readers.get(weights) ?? [])].sort().join(', '),
  }));
  const notFused = kernels
    .filter(({ kernel }) => !kernel.split(', ').every((part) => FUSED.has(part)))
    .map(({ node, op, kernel }) => ({
      node,
      op,
      reason:
        kernel === ''
          ? 'the runtime has turned its int8 weights into another constant'
          : `the runtime runs it as ${kernel} with steps around it that are not fused`,
    }));
  return { fused: quantized.length - notFused.length, notFused, kernels };
}
