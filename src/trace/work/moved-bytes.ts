import type { OpCall } from './op-call.ts';
import { type TypedShape, totalBytes } from './typed-shape.ts';

/** These look at shapes, not at elements. */
const LOOK_AT_SHAPES: ReadonlySet<string> = new Set(['Shape', 'Size', 'ConstantOfShape']);

/** These read only as much of their first input as they write. */
const READ_A_PART: ReadonlySet<string> = new Set(['Gather', 'GatherElements', 'GatherND', 'Slice']);

/** The bodies of these are listed beside them and have bytes of their own. */
const HOLD_BODIES: ReadonlySet<string> = new Set(['If', 'Loop', 'Scan']);

/** What an operator without packed weights reads and writes. */
export function movedBytes({ op, inputs, outputs }: OpCall): number | null {
  if (HOLD_BODIES.has(op)) return null;
  if (LOOK_AT_SHAPES.has(op)) return totalBytes(outputs);
  const read: readonly TypedShape[] = READ_A_PART.has(op) ? [...outputs, ...inputs.slice(1)] : inputs;
  return totalBytes([...read, ...outputs]);
}
