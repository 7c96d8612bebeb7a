import { attempt, type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { isElementType, type Tensor } from '../core/tensor.ts';
import { memorySource } from '../onnx/byte-source.ts';
import { decodeMessage } from '../onnx/decode.ts';
import type { TensorProto } from '../onnx/messages.ts';
import { tensorSchema } from '../onnx/schema.ts';
import { readTensorData } from '../onnx/tensor-data.ts';
import { tensorLayout } from '../onnx/tensor-layout.ts';

/**
 * A tensor from the bytes of a `.pb` file, as ONNX's `test_data_set_N` folders hold them.
 * Errors: `tensor-type-unsupported` for what no input can be fed, and what the codec finds.
 */
export function decodeTensorProto(
  bytes: Uint8Array,
): Result<{ readonly name: string; readonly tensor: Tensor }, Problem> {
  const decoded = attempt(() => decodeMessage(tensorSchema, memorySource(bytes)) as unknown as TensorProto);
  if (!decoded.ok) return decoded;
  const proto = decoded.value;
  const type = tensorLayout(proto.dataType)?.name ?? '';
  if (!isElementType(type) || type === 'string') {
    return err(
      problem('tensor-type-unsupported', 'the tensor has an element type that cannot be fed', {
        hint: 'dense tensors of numbers can be fed',
      }),
    );
  }
  const data = readTensorData({ path: '', proto: {} as never }, proto);
  if (!data.ok) return data;
  const dims = (proto.dims ?? []).map(Number);
  return ok({ name: proto.name ?? '', tensor: { type, dims, data: data.value } });
}
