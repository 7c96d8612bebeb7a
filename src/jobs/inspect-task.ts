import type { ModelSummary } from '../onnx/summary.ts';

/** Describe a model file; with `audit` also what the runtime makes of it. */
export interface InspectTask {
  readonly kind: 'inspect';
  readonly modelPath: string;
  readonly audit: boolean;
}

/** One node of the graph that the runtime really runs. */
export interface AuditedNode {
  readonly node: string;
  readonly op: string;
  readonly int8: boolean;
}

export interface RuntimeAudit {
  readonly provider: string;
  readonly runtimeVersion: string;
  /** Nodes of the optimized graph by operator, most frequent first. */
  readonly operators: Readonly<Record<string, number>>;
  readonly int8Nodes: number;
  /** Conversions between float and int8 that remain. */
  readonly conversionNodes: number;
  readonly floatNodes: number;
  readonly nodes: readonly AuditedNode[];
}

export interface InspectReport {
  readonly model: string;
  readonly sizeBytes: number;
  readonly summary: ModelSummary;
  readonly audit?: RuntimeAudit;
}
