import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readModel } from '../onnx/model-file.ts';
import { summarizeModel } from '../onnx/summary.ts';
import { auditNodes, type NodeAudit } from '../quantization/node-audit.ts';
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
    return describe(auditNodes(unwrap(readModel(optimizedModelPath))));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function describe(nodes: readonly NodeAudit[]): RuntimeAudit {
  const operators = new Map<string, number>();
  for (const { op } of nodes) operators.set(op, (operators.get(op) ?? 0) + 1);
  const count = (wanted: NodeAudit['runs']) => nodes.filter(({ runs }) => runs === wanted).length;
  return {
    provider: 'CPUExecutionProvider',
    runtimeVersion: onnxRuntimeVersion(),
    operators: Object.fromEntries([...operators].sort((a, b) => b[1] - a[1])),
    int8Nodes: count('int8'),
    codeNodes: count('codes'),
    conversionNodes: count('conversion'),
    otherNodes: count('other'),
    nodes,
  };
}
