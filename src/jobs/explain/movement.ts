import type { Decibels, OutputCost } from './explanation.ts';

/** A node whose result is another in a newer version of a model. */
export interface MovedNode {
  readonly node: string;
  readonly op: string;
  /** Its place among the nodes of the newer version. */
  readonly depth: number;
  /** Of its result in the newer version, against the older one. */
  readonly sqnrDb: Decibels;
  /** Of what it reads, the input that moved most; null where nothing did. */
  readonly inputsSqnrDb: Decibels;
  /** What is set otherwise in it, in words. */
  readonly changed: readonly string[];
}

/** What moved between two versions of a model. */
export interface Movement {
  readonly kind: 'moved';
  readonly reference: string;
  readonly candidate: string;
  readonly split: string;
  readonly samples: number;
  readonly task: string;
  readonly metric?: { readonly name: string; readonly label: string; readonly better: 'higher' | 'lower' };
  /** The older version's own figure on the samples. */
  readonly referenceFigure?: number;
  /** The newer version against the older one. */
  readonly whole: OutputCost;
  /** First those in which something is set otherwise, and of both kinds those that add most to what moved before them. */
  readonly nodes: readonly MovedNode[];
  /** Nodes that only one version has. */
  readonly onlyBefore: readonly string[];
  readonly onlyAfter: readonly string[];
  readonly notes: readonly string[];
  readonly seconds: number;
  readonly peakRssBytes: number;
}
