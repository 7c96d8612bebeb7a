import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeLabel } from '../onnx/make-node.ts';
import type { NodeProto } from '../onnx/messages.ts';
import { readModel } from '../onnx/model-file.ts';
import { summarizeModel } from '../onnx/summary.ts';
import { isInt8Operator } from '../quantization/audit.ts';
import { openSession } from '../runtime/session.ts';
import { onnxRuntimeVersion } from '../runtime/versions.ts';
import type { InspectReport, InspectTask, RuntimeAudit } from './inspect-task.ts';
import { modelSizeBytes } from './model-size.ts';
import { unwrap } from './unwrap.ts';

/** Describes a model. Runs in a worker process, as the audit loads it into the runtime. Throws `ProblemError`. */
export async function inspectModel(task: InspectTask): Promise<InspectReport> {
  const summary = summarizeModel(unwrap(readModel(task.modelPath)));
  return {
    model: task.modelPath,
    sizeBytes: await modelSizeBytes(task.modelPath),
    summary,
    ...(task.audit ? { audit: await auditModel(task.modelPath) } : {}),
  };
}

async function auditModel(modelPath: string): Promise<RuntimeAudit> {
  const folder = await mkdtemp(join(tmpdir(), 'ptq-agent-'));
  try {
    const optimizedModelPath = join(folder, 'optimized.onnx');
    const settings = { intraOpThreads: 1, graphOptimization: 'extended', optimizedModelPath } as const;
    await unwrap(await openSession(modelPath, settings)).close();
    return describe(unwrap(readModel(optimizedModelPath)).proto.graph?.node ?? []);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const CONVERSIONS: ReadonlySet<string> = new Set([
  'QuantizeLinear',
  'DequantizeLinear',
  'DynamicQuantizeLinear',
]);

function describe(graphNodes: readonly NodeProto[]): RuntimeAudit {
  const nodes = graphNodes.map((node) => ({
    node: nodeLabel(node),
    op: node.opType ?? '',
    int8: isInt8Operator(node.opType),
  }));
  const counts = new Map<string, number>();
  for (const { op } of nodes) counts.set(op, (counts.get(op) ?? 0) + 1);
  const int8Nodes = nodes.filter(({ int8 }) => int8).length;
  const conversionNodes = nodes.filter(({ op }) => CONVERSIONS.has(op)).length;
  return {
    provider: 'CPUExecutionProvider',
    runtimeVersion: onnxRuntimeVersion(),
    operators: Object.fromEntries([...counts].sort((a, b) => b[1] - a[1])),
    int8Nodes,
    conversionNodes,
    floatNodes: nodes.length - int8Nodes - conversionNodes,
    nodes,
  };
}
