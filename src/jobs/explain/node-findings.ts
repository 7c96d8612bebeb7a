import type { PairedNode } from '../../quantization/explain/pair-graphs.ts';
import type { TensorStatistics } from '../../quantization/explain/tensor-statistics.ts';
import type { LocalError } from './measure-local.ts';
import type { OpenedPair } from './open-pair.ts';

/** What was found out of nodes and tensors by themselves. */
export interface NodeFindings extends OpenedPair {
  readonly statistics: ReadonlyMap<string, TensorStatistics>;
  readonly errors: ReadonlyMap<PairedNode, LocalError>;
}
