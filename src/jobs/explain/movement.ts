import type { Compared, Decibels } from './explanation.ts';

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

/** What moved between two versions of a model: the reference is the older one, the candidate the newer. */
export interface Movement extends Compared {
  readonly kind: 'moved';
  /** First those in which something is set otherwise, and of both kinds those that add most to what moved before them. */
  readonly nodes: readonly MovedNode[];
  /** Nodes that only one version has. */
  readonly onlyBefore: readonly string[];
  readonly onlyAfter: readonly string[];
}
