import type { Host } from '../client/client.ts';
import { formatBytes } from '../core/units.ts';

type Fingerprint = Host['host'];

/** Hosts whose figures can be compared: processor, GPUs and runtime are alike. */
export interface HostClass {
  /** Equal for hosts of a class. */
  readonly key: string;
  /** Such as `Intel(R) Xeon(R) Platinum 8375C × 16, NVIDIA A100-SXM4-40GB, ONNX Runtime 1.30.0`. */
  readonly description: string;
}

export function hostClassOf(host: Fingerprint): HostClass {
  const gpus = gpusOf(host).map(({ model }) => model);
  const description = [
    `${host.cpuModel || host.architecture} × ${host.logicalCpus}`,
    ...countEach(gpus),
    `ONNX Runtime ${host.onnxRuntimeVersion}`,
  ].join(', ');
  const key = JSON.stringify([
    host.cpuModel,
    host.architecture,
    host.logicalCpus,
    [...host.cpuFeatures].sort(),
    gpus.toSorted(),
    host.onnxRuntimeVersion,
  ]);
  return { key, description };
}

/** What else differs between two hosts of a class, as phrases: `kernel Linux 6.1 instead of Linux 6.8`. */
export function differencesWithin(of: Fingerprint, reference: Fingerprint): readonly string[] {
  const facts = (host: Fingerprint) => ({
    kernel: host.kernel,
    memory: formatBytes(host.memoryTotalBytes),
    'Node.js': host.nodeVersion,
    'ptq-agent': host.agentVersion,
    'GPU driver': [...new Set(gpusOf(host).map(({ driverVersion }) => driverVersion ?? 'unknown'))].join(
      ', ',
    ),
  });
  const there = facts(reference);
  return Object.entries(facts(of)).flatMap(([name, value]) => {
    const other = there[name as keyof typeof there];
    return value === other ? [] : [`${name} ${value || 'none'} instead of ${other || 'none'}`];
  });
}

interface Gpu {
  readonly model: string;
  readonly driverVersion?: string;
}

/** The API does not describe the inventory, which has grown with every version: what is there is looked at. */
function gpusOf({ hardware }: Fingerprint): readonly Gpu[] {
  const { gpus } = (hardware ?? {}) as { readonly gpus?: unknown };
  if (!Array.isArray(gpus)) return [];
  return gpus.filter((gpu): gpu is Gpu => typeof gpu?.model === 'string');
}

function countEach(names: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => (count === 1 ? name : `${count} × ${name}`));
}
