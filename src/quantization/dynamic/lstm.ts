import { intAttributeProto, removeAttribute, setAttribute } from '../../onnx/attributes.ts';
import type { ModelProto, NodeProto, TensorProto } from '../../onnx/messages.ts';
import type { DynamicWriter } from './dynamic-writer.ts';
import type { Replacement } from './matrix-product.ts';

const RUNTIME_DOMAIN = 'com.microsoft';

/**
 * Writes an LSTM as ONNX Runtime's DynamicQuantizeLSTM, which takes both weights transposed and keeps bias, lengths,
 * initial states, peepholes and attributes where they were.
 * Source: ONNX LSTM; ONNX Runtime docs/ContribOperators.md, com.microsoft.DynamicQuantizeLSTM.
 */
export function writeLstm(node: NodeProto, writer: DynamicWriter): Replacement {
  const quantize = (input: number) => {
    const tensor = writer.view.index.initializers.get(node.input[input] ?? '') as TensorProto;
    const [count = 0, rows = 0, columns = 0] = tensor.dims;
    const names = writer.quantizeWeights(
      node,
      tensor,
      { count, rows, columns, outputs: 'rows' },
      { codes: [count, columns, rows], scale: [count, rows] },
    );
    return { ...names, hiddenSize: rows / 4 };
  };
  const weights = quantize(1);
  const recurrence = quantize(2);
  // One zero point a scale: for the second direction the kernel moves on in both by the same count.
  const zeroPoint = (of: { readonly scaleDims: readonly number[] }) => writer.zeros(of.scaleDims);
  const optional = [3, 4, 5, 6, 7].map((input) => node.input[input] ?? '');
  const made: NodeProto = {
    ...node,
    opType: 'DynamicQuantizeLSTM',
    domain: RUNTIME_DOMAIN,
    input: [
      node.input[0] ?? '',
      weights.codes,
      recurrence.codes,
      ...optional,
      ...[weights.scale, zeroPoint(weights), recurrence.scale, zeroPoint(recurrence)],
    ],
    attribute: [...node.attribute],
  };
  // Layout 0 is the only one the kernel has, and it rejects the attribute; what ONNX lets one leave out it asks for.
  removeAttribute(made, 'layout');
  setAttribute(made, intAttributeProto('hidden_size', recurrence.hiddenSize));
  return { nodes: [made], weights: weights.codes };
}

/** Declares that the model uses operators of ONNX Runtime's own domain. */
export function importRuntimeDomain(proto: ModelProto): void {
  if (proto.opsetImport.some(({ domain }) => domain === RUNTIME_DOMAIN)) return;
  proto.opsetImport.push({ domain: RUNTIME_DOMAIN, version: 1 });
}
