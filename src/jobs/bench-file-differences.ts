import { basename } from 'node:path';
import type { BenchFile, BenchFileMeasurement } from '../config/bench-file-schema.ts';
import { formatBytes } from '../core/units.ts';

/** Host, versions and models of two runs, where they differ, as sentences: `kernel: Linux 6.0, then Linux 6.1`. */
export function fileDifferences(base: BenchFile, candidate: BenchFile): readonly string[] {
  return [...hostDifferences(base.host, candidate.host), ...modelDifferences(base, candidate)];
}

/** Hosts and versions, where they differ, as sentences. */
export function hostDifferences(base: BenchFile['host'], candidate: BenchFile['host']): readonly string[] {
  const names = {
    cpuModel: 'processor',
    logicalCpus: 'logical CPUs',
    architecture: 'architecture',
    kernel: 'kernel',
    nodeVersion: 'Node.js',
    onnxRuntimeVersion: 'ONNX Runtime',
    agentVersion: 'ptq-agent',
  } as const;
  const host = Object.entries(names).flatMap(([field, name]) => {
    const of = field as keyof typeof names;
    return differing(name, base[of], candidate[of]);
  });
  const features = differing('instruction sets', base.cpuFeatures.join(' '), candidate.cpuFeatures.join(' '));
  const memory = differing(
    'memory',
    formatBytes(base.memoryTotalBytes),
    formatBytes(candidate.memoryTotalBytes),
  );
  return [...host, ...features, ...memory];
}

/** A model of one name that is another file. */
function modelDifferences({ models }: BenchFile, { models: others }: BenchFile): readonly string[] {
  return models.flatMap(({ variant, digest }) => {
    const other = others.find((of) => basename(of.variant) === basename(variant));
    return other === undefined || other.digest === digest
      ? []
      : [`${basename(variant)} is another file: ${digest.slice(0, 12)}…, then ${other.digest.slice(0, 12)}…`];
  });
}

/** Settings and data of two measurements, where they differ, as sentences. */
export function measurementDifferences(
  base: BenchFileMeasurement,
  candidate: BenchFileMeasurement,
): readonly string[] {
  const settings = Object.keys({ ...base.settings, ...candidate.settings }).flatMap((name) => {
    const of = name as keyof BenchFileMeasurement['settings'];
    return differing(name, shown(base.settings[of]), shown(candidate.settings[of]));
  });
  return [
    ...settings,
    ...differing('threads', base.threads, candidate.threads),
    ...differing('batch', base.batch, candidate.batch),
    ...differing('split', base.data.split, candidate.data.split),
    ...differing('data', `${base.data.digest.slice(0, 12)}…`, `${candidate.data.digest.slice(0, 12)}…`),
  ];
}

function shown(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value ?? 'none');
}

export function differing(name: string, first: string | number, second: string | number): readonly string[] {
  return first === second ? [] : [`${name}: ${first || 'none'}, then ${second || 'none'}`];
}
