import { ATTRIBUTE_TYPE, type AttributeProto, type NodeProto } from './messages.ts';

export function findAttribute(node: NodeProto, name: string): AttributeProto | undefined {
  return node.attribute.find((attribute) => attribute.name === name);
}

/** An INT attribute as a number. ONNX attributes that count or index stay far below 2^53. */
export function intAttribute(node: NodeProto, name: string): number | undefined {
  const value = findAttribute(node, name)?.i;
  return value === undefined ? undefined : Number(value);
}

export function intsAttribute(node: NodeProto, name: string): readonly number[] | undefined {
  return findAttribute(node, name)?.ints.map(Number);
}

export function floatAttribute(node: NodeProto, name: string): number | undefined {
  return findAttribute(node, name)?.f;
}

export function stringAttribute(node: NodeProto, name: string): string | undefined {
  const bytes = findAttribute(node, name)?.s;
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}

export function removeAttribute(node: NodeProto, name: string): void {
  node.attribute = node.attribute.filter((attribute) => attribute.name !== name);
}

/** Puts `attribute` in the place of the one with its name, or at the end. */
export function setAttribute(node: NodeProto, attribute: AttributeProto): void {
  const at = node.attribute.findIndex(({ name }) => name === attribute.name);
  if (at === -1) node.attribute.push(attribute);
  else node.attribute[at] = attribute;
}

export function intAttributeProto(name: string, value: number): AttributeProto {
  return { ...emptyAttribute(name, ATTRIBUTE_TYPE.int), i: BigInt(value) };
}

export function stringAttributeProto(name: string, value: string): AttributeProto {
  return { ...emptyAttribute(name, ATTRIBUTE_TYPE.string), s: new TextEncoder().encode(value) };
}

/** An attribute of `type` (a value of ATTRIBUTE_TYPE) that carries nothing yet. */
export function emptyAttribute(name: string, type: number): AttributeProto {
  return {
    name,
    type,
    floats: [],
    ints: [],
    strings: [],
    tensors: [],
    graphs: [],
    sparseTensors: [],
    typeProtos: [],
  };
}
