import { ProblemError, problem } from '../core/problem.ts';
import { nodeLabel } from '../onnx/make-node.ts';
import type { NodeProto } from '../onnx/messages.ts';
import type { OnnxModel } from '../onnx/model-file.ts';
import { walkGraphs } from '../onnx/traversal.ts';

const QUANTIZED_OPERATORS =
  /^(QuantizeLinear|DequantizeLinear|DynamicQuantize.*|QLinear.*|QGemm|.*Integer(ToFloat)?|MatMulNBits)$/;

/** Throws `ProblemError` for a model that carries quantized operators already, in bodies too, naming the first. */
export function requireQuantizable(model: OnnxModel): void {
  const nodes: NodeProto[] = [];
  if (model.proto.graph !== undefined) walkGraphs(model.proto.graph, ({ node }) => nodes.push(...node));
  const found = nodes.find(({ opType }) => QUANTIZED_OPERATORS.test(opType ?? ''));
  if (found === undefined) return;
  throw new ProblemError(
    problem('already-quantized', `the model is quantized already: it holds a ${found.opType} node`, {
      place: { ...(model.path === undefined ? {} : { file: model.path }), node: nodeLabel(found) },
      hint: 'give the float32 model that it was made from',
    }),
  );
}
