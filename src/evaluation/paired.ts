import { binomialUpperTail } from './proportion.ts';
import { normalQuantile } from './special-functions.ts';

/** Two models on the same items, counted by who was right. */
export interface PairedCounts {
  readonly bothRight: number;
  /** Reference right, candidate wrong: `b` of McNemar's test. */
  readonly referenceOnly: number;
  /** Reference wrong, candidate right: `c`. */
  readonly candidateOnly: number;
  readonly bothWrong: number;
}

export interface PairedComparison {
  readonly n: number;
  /** Items that only the reference has right. */
  readonly b: number;
  /** Items that only the candidate has right. */
  readonly c: number;
  /** Accuracy of the reference minus that of the candidate, (b − c)/n: positive is a loss. */
  readonly drop: number;
  readonly dropStandardError: number;
  /** One-sided upper bound of the drop at `confidence`. */
  readonly dropUpperBound: number;
  readonly confidence: number;
  /** Probability of b or more losses among b + c, if losses and gains were equally likely. */
  readonly pValue: number;
  /** Share of the items on which exactly one of the two is right. */
  readonly discordance: number;
}

/**
 * Exact one-sided McNemar test of a loss, and the drop with an upper bound that holds on small samples.
 * The bound is Wald's after adding ½ to each of the four cells. `n` is 0 only for an empty comparison, which has drop 0,
 * p 1 and the bound 1.
 * Source: Q. McNemar, Psychometrika 12 (1947); A. Agresti and Y. Min, Statistics in Medicine 24 (2005).
 */
export function comparePaired(counts: PairedCounts, confidence = 0.95): PairedComparison {
  const { bothRight, referenceOnly: b, candidateOnly: c, bothWrong } = counts;
  const n = bothRight + b + c + bothWrong;
  const z = normalQuantile(confidence);
  const adjusted = difference(b + 0.5, c + 0.5, n + 2);
  const observed = n === 0 ? { mean: 0, standardError: 0 } : difference(b, c, n);
  return {
    n,
    b,
    c,
    drop: observed.mean,
    dropStandardError: observed.standardError,
    dropUpperBound: n === 0 ? 1 : Math.min(1, adjusted.mean + z * adjusted.standardError),
    confidence,
    pValue: binomialUpperTail(b, b + c, 0.5),
    discordance: n === 0 ? 0 : (b + c) / n,
  };
}

/**
 * Items needed to show that the drop is below `margin`, if there is none in truth and `discordance` of the items differ.
 * @param power probability of succeeding with that many items
 */
export function itemsNeeded(
  discordance: number,
  margin: number,
  { confidence = 0.95, power = 0.8 }: { readonly confidence?: number; readonly power?: number } = {},
): number {
  const z = normalQuantile(confidence);
  const byPower = ((z + normalQuantile(power)) ** 2 * discordance) / margin ** 2;
  // Without a single differing item the adjusted bound is z/(n + 2), which still has to fall below the margin.
  const withoutDifferences = z / margin - 2;
  return Math.max(1, Math.ceil(Math.max(byPower, withoutDifferences)));
}

/** Mean and standard error of a paired difference, (b − c)/n. */
function difference(
  b: number,
  c: number,
  n: number,
): { readonly mean: number; readonly standardError: number } {
  const variance = Math.max(0, b + c - (b - c) ** 2 / n);
  return { mean: (b - c) / n, standardError: Math.sqrt(variance) / n };
}
