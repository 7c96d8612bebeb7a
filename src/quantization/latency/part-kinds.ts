import type { PlannedNode } from '../placement.ts';
import type { SlowerPart } from './slower-parts.ts';

/** Groups parts that do equal work, as the blocks of a network do. The kind that loses most in int8 comes first. */
export function partKinds(parts: readonly SlowerPart[]): readonly (readonly SlowerPart[])[] {
  const kinds = new Map<string, SlowerPart[]>();
  for (const part of parts) {
    const work = part.nodes.map(workOf).join(';');
    const kind = kinds.get(work);
    if (kind === undefined) kinds.set(work, [part]);
    else kind.push(part);
  }
  return [...kinds.values()].sort((a, b) => lossNs(b) - lossNs(a));
}

/** How much longer parts take in int8 than in float32. */
export function lossNs(parts: readonly SlowerPart[]): number {
  return parts.reduce((sum, { int8Ns, float32Ns }) => sum + int8Ns - float32Ns, 0);
}

function workOf({ node, weights }: PlannedNode): string {
  return `${node.opType} ${weights?.tensor.dims.join('x') ?? ''}`;
}
