import type { ValueRange } from '../affine.ts';
import type { GraphView } from '../graph-view.ts';
import type { LeftFloat, Placement } from '../placement.ts';
import type { TunedConstants } from '../tuned-constants.ts';

/** A quantization in the making. A pass makes another one of it and leaves it, and the graph in it, as they are. */
export interface Draft {
  /** The float model. What it computes is what the original computes. */
  readonly view: GraphView;
  /** What of `view` runs in int8. */
  readonly placement: Placement;
  /** Of every tensor that `placement.edges` takes its range from. */
  readonly ranges: ReadonlyMap<string, ValueRange>;
  /** By the name of the anchor; one that is not named is rounded to nearest. */
  readonly constants: ReadonlyMap<string, TunedConstants>;
  /** Nodes that a pass leaves float32, besides those that were left before. */
  readonly left?: LeftFloat;
}

/** The draft with more about some anchors. What is known of them and not said anew stays. */
export function withConstants(draft: Draft, more: ReadonlyMap<string, TunedConstants>): Draft {
  const constants = new Map(draft.constants);
  for (const [anchor, tuned] of more) constants.set(anchor, { ...constants.get(anchor), ...tuned });
  return { ...draft, constants };
}
