import type { ModelSummary } from '../onnx/summary.ts';
import type { NodeAudit } from '../quantization/node-audit.ts';

/** Describe a model file; with `audit` also what the runtime makes of it. */
export interface InspectTask {
  readonly kind: 'inspect';
  readonly modelPath: string;
  readonly audit: boolean;
}

export interface RuntimeAudit {
  readonly provider: string;
  readonly runtimeVersion: string;
  /** Nodes of the optimized graph by operator, most frequent first. */
  readonly operators: Readonly<Record<string, number>>;
  /** Nodes that compute on codes. */
  readonly int8Nodes: number;
  /** Nodes that move codes. */
  readonly codeNodes: number;
  /** Conversions between float and int8 that remain. */
  readonly conversionNodes: number;
  readonly otherNodes: number;
  /** The graph that the runtime really runs, node by node. */
  readonly nodes: readonly NodeAudit[];
}

export interface InspectReport {
  readonly model: string;
  readonly sizeBytes: number;
  readonly summary: ModelSummary;
  readonly audit?: RuntimeAudit;
}
