import { ProblemError, problem } from '../core/problem.ts';
import { nodeLabel } from '../onnx/make-node.ts';
import type { NodeProto } from '../onnx/messages.ts';
import type { OnnxModel } from '../onnx/model-file.ts';

const QUANTIZED_OPERATORS =
  /^(QuantizeLinear|DequantizeLinear|DynamicQuantize.*|QLinear.*|QGemm|.*Integer(ToFloat)?|MatMulNBits)$/;

/** Throws `ProblemError` for a model that carries quantized operators already, naming the first. */
export function requireQuantizable(model: OnnxModel): void {
  const found = (model.proto.graph?.node ?? []).find((node: NodeProto) =>
    QUANTIZED_OPERATORS.test(node.opType ?? ''),
  );
  if (found === undefined) return;
  throw new ProblemError(
    problem('already-quantized', `the model is quantized already: it holds a ${found.opType} node`, {
      place: { ...(model.path === undefined ? {} : { file: model.path }), node: nodeLabel(found) },
      hint: 'give the float32 model that it was made from',
    }),
  );
}
