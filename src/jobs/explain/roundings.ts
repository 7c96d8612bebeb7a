import type { PairedNode, Pairing } from '../../quantization/explain/pair-graphs.ts';
import type { GraphSplitter } from '../../quantization/explain/split-graph.ts';

/** Roundings that are switched together: weights by the first output of their node, activations by their name. */
export interface Roundings {
  readonly weights: ReadonlySet<string>;
  readonly activations: ReadonlySet<string>;
}

export const NOTHING: Roundings = { weights: new Set(), activations: new Set() };

/** All that a node needs to compute as the quantized model does: its weights, what it reads and what it gives. */
export function roundingsOf({ float, output, weights }: PairedNode, pairing: Pairing): Roundings {
  const tensors = [...float.input, output].filter((name) => pairing.rounded.has(name));
  return {
    weights: new Set(weights === undefined ? [] : [float.output[0] ?? '']),
    activations: new Set(tensors),
  };
}

/**
 * What need not be rounded any more once a node computes in float32: its weights, and the tensors that no other quantized node reads or
 * gives. A tensor that one does still has to be rounded for it.
 */
export function roundingsLeft(node: PairedNode, pairing: Pairing): Roundings {
  const { weights, activations } = roundingsOf(node, pairing);
  const needed = new Set(
    pairing.nodes
      .filter((other) => other !== node)
      .flatMap((other) => [...roundingsOf(other, pairing).activations]),
  );
  return { weights, activations: new Set([...activations].filter((name) => !needed.has(name))) };
}

export function union(groups: readonly Roundings[]): Roundings {
  return {
    weights: new Set(groups.flatMap(({ weights }) => [...weights])),
    activations: new Set(groups.flatMap(({ activations }) => [...activations])),
  };
}

/** The place of the first node of the float32 model that computes something else, or reads it, once roundings are switched. */
export function startOf({ weights, activations }: Roundings, splitter: GraphSplitter): number {
  const places = [
    ...[...weights].map((name) => splitter.placeOf(name)),
    ...[...activations].map((name) => splitter.firstUse(name)),
  ];
  return places.length === 0 ? 0 : Math.min(...places.map((place) => place ?? 0));
}
