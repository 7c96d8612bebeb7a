/*
 * A snapshot is taken apart into leaves: the path of each value that is no object, and the value. So a collector that is added
 * needs no line here. Elements of a list are named by what identifies them, not by their position: the first property of a
 * reading of a disk is its device, of a process its pid, of a GPU its UUID. A disk that vanishes then shifts no other.
 */

/** A property, the position in a list, or `{device: 'nvme0n1'}`: the element of a list with this identity. */
export type PathPart = string | number | Readonly<Record<string, string | number>>;

/** How the value of a leaf is kept: `clock` as how far it is ahead of its snapshot's tick, the last five by their kind alone. */
export const LEAF_KINDS = [
  'number',
  'text',
  'bigint',
  'clock',
  'true',
  'false',
  'null',
  'object',
  'array',
] as const;
export type LeafKind = (typeof LEAF_KINDS)[number];

export interface Leaf {
  readonly path: readonly PathPart[];
  readonly kind: LeafKind;
}

/** A place in the tree of all paths that were seen. Each leaf there has a number of its own. */
export class PathNode {
  readonly #parent: PathNode | undefined;
  readonly #part: PathPart;
  readonly #properties = new Map<string, PathNode>();
  readonly #elements = new Map<string, Map<string | number, PathNode>>();
  readonly #positions: PathNode[] = [];
  readonly leafIds = new Map<LeafKind, number>();

  constructor(parent?: PathNode, part: PathPart = '') {
    this.#parent = parent;
    this.#part = part;
  }

  property(name: string): PathNode {
    let node = this.#properties.get(name);
    if (node === undefined) {
      node = new PathNode(this, name);
      this.#properties.set(name, node);
    }
    return node;
  }

  element(key: string, identity: string | number): PathNode {
    let ofKey = this.#elements.get(key);
    if (ofKey === undefined) {
      ofKey = new Map();
      this.#elements.set(key, ofKey);
    }
    let node = ofKey.get(identity);
    if (node === undefined) {
      node = new PathNode(this, { [key]: identity });
      ofKey.set(identity, node);
    }
    return node;
  }

  position(index: number): PathNode {
    this.#positions[index] ??= new PathNode(this, index);
    return this.#positions[index];
  }

  path(): readonly PathPart[] {
    return this.#parent === undefined ? [] : [...this.#parent.path(), this.#part];
  }
}

type Visit = (node: PathNode, kind: LeafKind, value: string | number | bigint | undefined) => void;

/** Visits the leaves of a value in order. Properties that are undefined are left out, as JSON does. */
export function visitLeaves(node: PathNode, value: unknown, visit: Visit): void {
  switch (typeof value) {
    case 'number':
      visit(node, 'number', value);
      return;
    case 'string':
      visit(node, 'text', value);
      return;
    case 'bigint':
      visit(node, 'bigint', value);
      return;
    case 'boolean':
      visit(node, value ? 'true' : 'false', undefined);
      return;
    case 'object':
      if (value === null) visit(node, 'null', undefined);
      else if (Array.isArray(value)) visitList(node, value, visit);
      else visitObject(node, value, undefined, visit);
      return;
    default:
      throw new TypeError(`a snapshot holds a ${typeof value}, which is no plain data`);
  }
}

function visitObject(node: PathNode, object: object, identity: string | undefined, visit: Visit): void {
  let visited = false;
  for (const [name, value] of Object.entries(object)) {
    if (value === undefined || name === identity) continue;
    visitLeaves(node.property(name), value, visit);
    visited = true;
  }
  if (!visited) visit(node, 'object', undefined);
}

function visitList(node: PathNode, list: readonly unknown[], visit: Visit): void {
  if (list.length === 0) {
    visit(node, 'array', undefined);
    return;
  }
  const key = identityKey(list);
  for (const [index, element] of list.entries()) {
    if (key === undefined) visitLeaves(node.position(index), element, visit);
    else {
      const identity = (element as Record<string, string | number>)[key] as string | number;
      visitObject(node.element(key, identity), element as object, key, visit);
    }
  }
}

/** The first property of all elements, if it tells them apart. */
function identityKey(list: readonly unknown[]): string | undefined {
  let key: string | undefined;
  const seen = new Set<unknown>();
  for (const element of list) {
    if (typeof element !== 'object' || element === null || Array.isArray(element)) return undefined;
    const first = Object.entries(element)[0];
    if (first === undefined || (key !== undefined && first[0] !== key)) return undefined;
    const [name, identity] = first as [string, unknown];
    if (typeof identity !== 'string' && !Number.isSafeInteger(identity)) return undefined;
    // JSON, in which a path is kept, knows no -0.
    if (Object.is(identity, -0) || seen.has(identity)) return undefined;
    key = name;
    seen.add(identity);
  }
  return key;
}
