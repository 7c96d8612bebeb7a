import { nodeLabel } from '../onnx/make-node.ts';
import type { NodeProto } from '../onnx/messages.ts';

/** A choice of nodes; a node belongs to it by any of the three. `*` in a pattern stands for any run of characters. */
export interface NodeSelection {
  readonly opTypes: readonly string[];
  /** Patterns of node names. */
  readonly nodes: readonly string[];
  /** Patterns of tensor names: of what the node reads, weights among it, or of what it makes. */
  readonly tensors: readonly string[];
}

/** What a recipe may touch: what it includes, or everything where it includes nothing by name, without what it excludes. */
export interface RecipeScope {
  readonly include: NodeSelection;
  readonly exclude: NodeSelection;
}

export const EMPTY_SELECTION: NodeSelection = { opTypes: [], nodes: [], tensors: [] };

/** Why the recipe leaves a node as it is, in words for the report; `undefined` where it may change it. */
export function scopeRefusal(node: NodeProto, { include, exclude }: RecipeScope): string | undefined {
  if (isSelected(node, exclude)) return 'excluded by the recipe';
  return isEmpty(include) || isSelected(node, include) ? undefined : 'not included by the recipe';
}

function isSelected(node: NodeProto, { opTypes, nodes, tensors }: NodeSelection): boolean {
  return (
    opTypes.includes(node.opType ?? '') ||
    nodes.some((pattern) => matchesPattern(pattern, nodeLabel(node))) ||
    tensors.some((pattern) => tensorsOf(node).some((name) => matchesPattern(pattern, name)))
  );
}

/** Entries of a selection that select no node, most likely because they are mistyped. */
export function unmatchedEntries(nodes: readonly NodeProto[], selection: NodeSelection): string[] {
  const names = nodes.map(nodeLabel);
  const tensors = nodes.flatMap(tensorsOf);
  return [
    ...selection.opTypes.filter((opType) => !nodes.some((node) => node.opType === opType)),
    ...selection.nodes.filter((pattern) => !names.some((name) => matchesPattern(pattern, name))),
    ...selection.tensors.filter((pattern) => !tensors.some((name) => matchesPattern(pattern, name))),
  ];
}

/** Whether `name` matches `pattern`, in which `*` stands for any run of characters. */
export function matchesPattern(pattern: string, name: string): boolean {
  const literal = pattern
    .split('*')
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^${literal}$`, 's').test(name);
}

function tensorsOf({ input, output }: NodeProto): readonly string[] {
  return [...input, ...output].filter((name) => name !== '');
}

function isEmpty({ opTypes, nodes, tensors }: NodeSelection): boolean {
  return opTypes.length + nodes.length + tensors.length === 0;
}
