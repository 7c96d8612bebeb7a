import { klDivergence } from './tasks/kl-divergence.ts';

/** More scores than any classifier has are a picture or a sequence. */
const MAX_CLASSES = 100_000;

/** How close one output of the candidate is to the reference's, over all items. */
export interface OutputFidelity {
  readonly name: string;
  /**
   * 20 · log10(‖reference‖ / ‖reference − candidate‖) over all elements of all items, in dB; higher is better. Null
   * without a noise to divide by (`identical`), without a signal (the reference is all zeros), and without items.
   */
  readonly sqnrDb: number | null;
  /** Mean over the items of the cosine between the two outputs; null without items. */
  readonly cosine: number | null;
  readonly maxAbsError: number;
  /**
   * Mean over the items of the divergence of the candidate's probabilities from the reference's, in nats; null where the
   * output is not one score for each of several classes.
   */
  readonly kl: number | null;
  /** No finite element differs. */
  readonly identical: boolean;
  /** Items on which the two outputs have different sizes, so that nothing else here tells about them. */
  readonly incomparable: number;
}

/** Whose output holds a NaN or an infinity that the other one does not share. */
type NonFiniteSide = 'reference' | 'candidate';

export interface FidelityAccumulator {
  /**
   * Adds one item; both arrays have the same length. An infinity that both have in the same place counts as equal.
   * Other elements that are not finite are left out of the sums and reported.
   */
  add(reference: ArrayLike<number>, candidate: ArrayLike<number>): NonFiniteSide | undefined;
  /** Counts an item whose two outputs have different sizes. */
  addIncomparable(): undefined;
  result(): OutputFidelity;
}

/** Sums are float64, so that an item's share does not depend on its place in the data. */
export function accumulateFidelity(name: string): FidelityAccumulator {
  let items = 0;
  let signal = 0;
  let noise = 0;
  let cosines = 0;
  let maxAbsError = 0;
  let divergences = 0;
  let divergent = 0;
  let incomparable = 0;
  return {
    addIncomparable: () => {
      incomparable += 1;
    },
    add: (reference, candidate) => {
      const item = compareItem(reference, candidate);
      items += 1;
      signal += item.referenceSquares;
      noise += item.noiseSquares;
      cosines += cosineOf(item);
      maxAbsError = Math.max(maxAbsError, item.maxAbsError);
      const divergence = reference.length > MAX_CLASSES ? null : klDivergence(reference, candidate);
      if (divergence !== null) {
        divergences += divergence;
        divergent += 1;
      }
      return item.nonFinite;
    },
    result: () => ({
      name,
      sqnrDb: noise > 0 && signal > 0 ? 10 * Math.log10(signal / noise) : null,
      cosine: items === 0 ? null : cosines / items,
      maxAbsError,
      // An output that is class scores for some items alone is none.
      kl: divergent === items && items > 0 ? divergences / items : null,
      identical: items > 0 && incomparable === 0 && maxAbsError === 0,
      incomparable,
    }),
  };
}

interface ItemComparison {
  readonly referenceSquares: number;
  readonly candidateSquares: number;
  readonly noiseSquares: number;
  readonly products: number;
  readonly maxAbsError: number;
  readonly nonFinite: NonFiniteSide | undefined;
}

function compareItem(reference: ArrayLike<number>, candidate: ArrayLike<number>): ItemComparison {
  let referenceSquares = 0;
  let candidateSquares = 0;
  let noiseSquares = 0;
  let products = 0;
  let maxAbsError = 0;
  let nonFinite: NonFiniteSide | undefined;
  for (let i = 0; i < reference.length; i += 1) {
    const r = reference[i] as number;
    const c = candidate[i] as number;
    const error = Math.abs(r - c);
    if (!Number.isFinite(error)) {
      if (r !== c) nonFinite ??= Number.isFinite(r) ? 'candidate' : 'reference';
      continue;
    }
    referenceSquares += r * r;
    candidateSquares += c * c;
    noiseSquares += error * error;
    products += r * c;
    if (error > maxAbsError) maxAbsError = error;
  }
  return { referenceSquares, candidateSquares, noiseSquares, products, maxAbsError, nonFinite };
}

/** Two zero vectors point the same way (1); one zero vector and another have nothing in common (0). */
function cosineOf({ referenceSquares, candidateSquares, products }: ItemComparison): number {
  if (referenceSquares === 0 && candidateSquares === 0) return 1;
  if (referenceSquares === 0 || candidateSquares === 0) return 0;
  // Rounding may carry the quotient of two nearly parallel vectors beyond 1.
  return Math.max(-1, Math.min(1, products / Math.sqrt(referenceSquares) / Math.sqrt(candidateSquares)));
}
