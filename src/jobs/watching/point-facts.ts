import { basename } from 'node:path';
import type { PhaseSummary } from '../../telemetry/summary/phase-summary.ts';
import type { SuiteBenchResult } from '../bench-suite.ts';
import type { PipelineResult, VariantOutcome } from '../pipeline.ts';

/** What the figure of a run depends on, as far as it is known: where two differ, the difference may be why. */
export interface PointFacts {
  /** SHA-256 of the fp32 model. */
  readonly model?: string;
  /** Names the quantized model by what made it; absent for fp32. */
  readonly artifact?: string;
  readonly profile?: string;
  readonly data?: string;
  readonly runtime?: string;
  readonly drivers?: string;
  readonly agent?: string;
  readonly node?: string;
  readonly kernel?: string;
  /** Processor cores that other work took, on average. */
  readonly otherCpuCores?: number;
  /** Whether heat or power slowed a processor or a GPU down. */
  readonly slowedDown?: string;
}

/** @param bench the measurement whose figure it is; without one, what bears on answers alone */
export function factsOf(
  { host, inputs, timeline }: Pick<PipelineResult, 'host' | 'inputs' | 'timeline'>,
  { quantization }: Pick<VariantOutcome, 'quantization'>,
  bench?: SuiteBenchResult,
): PointFacts {
  const artifact = artifactOf(quantization?.output);
  const drivers = [
    ...new Set((host?.hardware?.gpus ?? []).flatMap(({ driverVersion }) => driverVersion ?? [])),
  ];
  const known: Readonly<Record<keyof PointFacts, string | number | undefined>> = {
    model: inputs?.modelDigest,
    artifact,
    profile: inputs?.profileDigest,
    data: inputs?.dataDigest,
    runtime: host?.onnxRuntimeVersion,
    drivers: drivers.length === 0 ? undefined : drivers.sort().join(', '),
    agent: host?.agentVersion,
    node: host?.nodeVersion,
    kernel: host?.kernel,
    otherCpuCores: bench === undefined ? undefined : otherCores(bench),
    slowedDown: bench === undefined ? undefined : slowDowns(timeline?.phases ?? [], bench),
  };
  return Object.fromEntries(Object.entries(known).filter(([, fact]) => fact !== undefined)) as PointFacts;
}

/** The hash that names an artifact, from the path of its file. */
function artifactOf(output: string | undefined): string | undefined {
  return /^([0-9a-f]{64})\.onnx$/.exec(basename(output ?? ''))?.[1];
}

function otherCores({ rounds = [] }: SuiteBenchResult): number | undefined {
  const known = rounds.flatMap(({ otherCpuCores }) => otherCpuCores ?? []);
  if (known.length === 0) return undefined;
  return known.reduce((sum, cores) => sum + cores, 0) / known.length;
}

/** Of the phase in which it was measured; undefined where nothing was seen. */
function slowDowns(
  phases: readonly PhaseSummary[],
  { suite, measurement }: SuiteBenchResult,
): string | undefined {
  const subjects = new Set([measurement, `${suite}/${measurement}`]);
  const during = phases.filter(({ phase, subject = '' }) => phase === 'bench' && subjects.has(subject));
  const reasons = during.flatMap(({ cpuThrottleEvents = 0, gpus = [] }) => [
    ...(cpuThrottleEvents >= 1 ? ['heat of the processors'] : []),
    ...gpus.flatMap(({ throttledBy }) => throttledBy),
  ]);
  return reasons.length === 0 ? undefined : [...new Set(reasons)].sort().join(', ');
}
