import { nodeLabel } from '../onnx/make-node.ts';
import type { NodeProto } from '../onnx/messages.ts';

/** What a recipe leaves in float32. */
export interface Exclusions {
  readonly opTypes: readonly string[];
  /** Node names; `*` stands for any run of characters. */
  readonly nodes: readonly string[];
}

export function isExcluded(node: NodeProto, { opTypes, nodes }: Exclusions): boolean {
  return (
    opTypes.includes(node.opType ?? '') || nodes.some((pattern) => matchesPattern(pattern, nodeLabel(node)))
  );
}

/** Whether `name` matches `pattern`, in which `*` stands for any run of characters. */
export function matchesPattern(pattern: string, name: string): boolean {
  const literal = pattern
    .split('*')
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^${literal}$`, 's').test(name);
}
