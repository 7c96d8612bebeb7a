import type { TypedShape } from './typed-shape.ts';

/** One call of a kernel, as far as the amount of its work goes. */
export interface OpCall {
  readonly op: string;
  /** What the profile lists: weights that the runtime has packed for itself are missing. */
  readonly inputs: readonly TypedShape[];
  readonly outputs: readonly TypedShape[];
  readonly facts?: NodeFacts;
}

/** What a profile does not tell of a node, read from the graph that the runtime made. */
export interface NodeFacts {
  /** Of the node's constant inputs, in their order. */
  readonly weights?: readonly TypedShape[];
  readonly kernelShape?: readonly number[];
}
