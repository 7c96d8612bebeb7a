import type { LeafKind, PathPart } from './snapshot-leaves.ts';

/** How a snapshot of one shape is put together from the values of its columns. */
export interface SnapshotPlan {
  column?: { readonly id: number; readonly kind: LeafKind };
  /** Of an element of a list: what it is told apart by. */
  identity?: readonly [string, string | number];
  readonly properties: Map<string, SnapshotPlan>;
  /** Elements in their order. */
  readonly elements: Map<string, SnapshotPlan>;
}

export interface PlannedColumn {
  readonly id: number;
  readonly kind: LeafKind;
  readonly path: readonly PathPart[];
}

/** @param columns  in the order in which `visitLeaves` met them */
export function planSnapshot(columns: readonly PlannedColumn[]): SnapshotPlan {
  const root = newPlan();
  for (const { id, kind, path } of columns) {
    let plan = root;
    for (const part of path) plan = childOf(plan, part);
    plan.column = { id, kind };
  }
  return root;
}

function childOf(plan: SnapshotPlan, part: PathPart): SnapshotPlan {
  const [children, key] =
    typeof part === 'string' ? [plan.properties, part] : [plan.elements, JSON.stringify(part)];
  let child = children.get(key);
  if (child === undefined) {
    child = newPlan();
    if (typeof part === 'object') child.identity = Object.entries(part)[0] as [string, string | number];
    children.set(key, child);
  }
  return child;
}

function newPlan(): SnapshotPlan {
  return { properties: new Map(), elements: new Map() };
}

/** @param next  the value of a column; called once for each that has values, in the order of the columns */
export function buildSnapshot(
  plan: SnapshotPlan,
  next: (column: number) => string | number | bigint,
): unknown {
  if (plan.elements.size > 0)
    return [...plan.elements.values()].map((element) => buildSnapshot(element, next));
  switch (plan.column?.kind) {
    case 'number':
    case 'clock':
    case 'text':
    case 'bigint':
      return next(plan.column.id);
    case 'true':
      return true;
    case 'false':
      return false;
    case 'null':
      return null;
    case 'array':
      return [];
    default:
      return buildObject(plan, next);
  }
}

function buildObject(
  { identity, properties }: SnapshotPlan,
  next: (column: number) => string | number | bigint,
) {
  const object: Record<string, unknown> = {};
  if (identity !== undefined) setOwn(object, identity[0], identity[1]);
  for (const [name, plan] of properties) setOwn(object, name, buildSnapshot(plan, next));
  return object;
}

function setOwn(object: Record<string, unknown>, name: string, value: unknown): void {
  // Assigning this one would change what the object inherits from.
  if (name !== '__proto__') object[name] = value;
  else Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}
