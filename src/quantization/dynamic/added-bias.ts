import { hasOneReader } from '../../onnx/graph-index.ts';
import { isDefaultDomain } from '../../onnx/make-node.ts';
import type { GraphView } from '../graph-view.ts';

/**
 * Keeps the runtime from taking the Add behind a product into the product's kernel where that is wrong. It does so with
 * every constant whose dimensions but the last are 1 (seen in ONNX Runtime 1.30), even where the constant has more
 * dimensions than the product, and the result then loses some, or is wider than a product of one column, which the
 * kernel refuses to run. Such an Add becomes a Sum in place, which gives the same and is not fused.
 * @param product a tensor that an int8 product gives
 * @param columns its last dimension
 * @param rank its number of dimensions, where it is known
 */
export function guardAddedConstant(
  product: string,
  columns: number,
  rank: number | undefined,
  { index }: GraphView,
): void {
  const reader = hasOneReader(product, index) ? index.consumersOf.get(product)?.[0] : undefined;
  if (reader?.node.opType !== 'Add' || !isDefaultDomain(reader.node.domain)) return;
  const other = reader.node.input[1 - reader.inputIndex] ?? '';
  const dims = index.initializers.get(other)?.dims;
  // What is computed from constants alone becomes a constant in the runtime.
  const isConstant =
    dims !== undefined || index.producerOf.get(other)?.input.every((name) => index.initializers.has(name));
  const isOneRow =
    dims?.at(-1) === columns && (dims.length === 1 || (rank !== undefined && dims.length <= rank));
  if (isConstant && !isOneRow) reader.node.opType = 'Sum';
}
