interface NamedNode {
  readonly node: string;
  readonly op: string;
  readonly reason: string;
}

const MAX_NAMED = 3;

/** Nodes with the reason for something, one line an operator and reason, the first names of each. */
export function listNodes(title: string, nodes: readonly NamedNode[]): string[] {
  const groups = new Map<string, string[]>();
  for (const { node, op, reason } of nodes) {
    const key = `${op}: ${reason}`;
    groups.set(key, [...(groups.get(key) ?? []), node]);
  }
  return [...groups].map(([key, names]) => {
    const named = names.slice(0, MAX_NAMED).join(', ');
    const more = names.length > MAX_NAMED ? ', … (--json lists all)' : '';
    return `  ${title.padEnd(11)} ${names.length} ${key} (${named}${more})`;
  });
}
