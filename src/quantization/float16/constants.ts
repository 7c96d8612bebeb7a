import { emptyAttribute, findAttribute } from '../../onnx/attributes.ts';
import { isDefaultDomain } from '../../onnx/make-node.ts';
import { ATTRIBUTE_TYPE, DATA_TYPE, type NodeProto, type TensorProto } from '../../onnx/messages.ts';
import { tensorFrom } from '../../onnx/tensor-data.ts';

/** Constant and ConstantOfShape, which carry their values in an attribute. */
export function isConstantNode({ opType, domain }: NodeProto): boolean {
  return isDefaultDomain(domain) && (opType === 'Constant' || opType === 'ConstantOfShape');
}

/** The float32 values that such a node carries; undefined for another node, other types and sparse values. */
export function constantOf(node: NodeProto): TensorProto | undefined {
  if (!isConstantNode(node)) return undefined;
  const name = node.output[0] ?? '';
  const value = findAttribute(node, 'value')?.t;
  if (value !== undefined) return value.dataType === DATA_TYPE.float ? { ...value, name } : undefined;
  if (node.opType === 'ConstantOfShape') return tensorFrom(name, [1], Float32Array.of(0));
  const single = findAttribute(node, 'value_float')?.f;
  if (single !== undefined) return tensorFrom(name, [], Float32Array.of(single));
  const list = findAttribute(node, 'value_floats')?.floats;
  return list === undefined ? undefined : tensorFrom(name, [list.length], Float32Array.from(list));
}

/** Puts `value` in the place of what the node carries. */
export function setConstant(node: NodeProto, value: TensorProto): void {
  node.attribute = [{ ...emptyAttribute('value', ATTRIBUTE_TYPE.tensor), t: value }];
}
