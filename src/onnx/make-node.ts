import type { AttributeProto, NodeProto } from './messages.ts';

/** A node of the default domain. An input of '' leaves that optional input out. */
export function makeNode(
  opType: string,
  parts: {
    readonly name: string;
    readonly input: readonly string[];
    readonly output: readonly string[];
    readonly attribute?: readonly AttributeProto[];
    readonly domain?: string;
  },
): NodeProto {
  return {
    opType,
    name: parts.name,
    input: [...parts.input],
    output: [...parts.output],
    attribute: [...(parts.attribute ?? [])],
    metadataProps: [],
    deviceConfigurations: [],
    ...(parts.domain === undefined ? {} : { domain: parts.domain }),
  };
}

/** What people know a node by: its name, or its first output when the exporter gave it none. */
export function nodeLabel(node: NodeProto): string {
  return node.name || node.output[0] || node.opType || 'node';
}

/** True for operators of ONNX itself, whose domain is written as nothing, '' or 'ai.onnx'. */
export function isDefaultDomain(domain: string | undefined): boolean {
  return domain === undefined || domain === '' || domain === 'ai.onnx';
}
