import { availableParallelism } from 'node:os';
import type { Device } from '../core/device.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { CarriedState } from '../data/carried-state.ts';
import { PROVIDER_OF } from '../runtime/nodes-by-provider.ts';
import { type Roofline, rooflineOf } from '../trace/roofline/roofline.ts';
import { type HostWait, lockHost } from './bench-variants.ts';
import { type HostPeaks, hostPeaks } from './host-peaks.ts';
import { defaultMemoryLimitBytes } from './memory-limit.ts';
import type { ProfiledOperators } from './profile-operators-task.ts';
import type { TaskData } from './task-data.ts';
import type { NamedModel } from './variant-sut.ts';
import { runTask, type WorkerHost } from './worker-process.ts';

export interface RooflineRequest {
  readonly variants: readonly NamedModel[];
  readonly data: TaskData;
  readonly device: Device;
  /** Threads inside an operator; 0 for every core. */
  readonly threads: number;
  readonly states?: readonly CarriedState[];
  /** Runs of each model that count. */
  readonly runs: number;
  /** Where peaks are kept, a file each; nowhere without. */
  readonly folder?: string;
  /** Measure the peaks even where some are kept. */
  readonly anew?: boolean;
}

export interface RooflineDeps extends HostWait {
  readonly host: WorkerHost;
  /** Told what is begun: a device's name while its peaks are measured, or a variant. */
  readonly onProgress?: (subject: string, done: number, total: number) => void;
}

/** The roofs of a host, and where models lie under them. */
export interface RooflineReport {
  readonly device: Device;
  readonly threads: number;
  /** Of the device first; then of the CPU, which runs what a device has no kernel for. None where every model failed. */
  readonly peaks: readonly HostPeaks[];
  readonly variants: readonly {
    readonly variant: string;
    readonly roofline: Roofline | null;
    /** Why its times are not to be trusted, as sentences. */
    readonly doubts: readonly string[];
    readonly failure: Problem | null;
  }[];
}

/**
 * Holds the operators of models against what the runtime reaches on this host, each model in a process of its own. Nobody else
 * benchmarks on the host meanwhile. A model that fails does not keep the others from being looked at.
 * Problems: `device-not-profiled`, `bench-locked`, `cancelled`, and those of `hostPeaks`.
 */
export async function rooflineModels(
  request: RooflineRequest,
  deps: RooflineDeps,
): Promise<Result<RooflineReport, Problem>> {
  if (!KERNELS_TIMED.has(request.device)) return err(notProfiled(request.device));
  const lock = await lockHost(request, deps);
  try {
    return await measureAlone(request, deps);
  } finally {
    lock?.release();
  }
}

/** Of the others the profile has the time that the host takes to start a kernel, and not the kernel's. */
const KERNELS_TIMED: ReadonlySet<Device> = new Set(['cpu', 'webgpu']);

function notProfiled(device: Device) {
  return problem('device-not-profiled', `ONNX Runtime does not tell how long kernels take on ${device}`, {
    hint: "use the GPU vendor's own profiler, or --device cpu or webgpu",
  });
}

async function measureAlone(
  request: RooflineRequest,
  deps: RooflineDeps,
): Promise<Result<RooflineReport, Problem>> {
  const { device, variants } = request;
  const threads = request.threads || availableParallelism();
  const devices: readonly Device[] = device === 'cpu' ? ['cpu'] : [device, 'cpu'];
  const steps = variants.length + devices.length;
  const profiles: Result<ProfiledOperators, Problem>[] = [];
  for (const [step, { variant, path }] of variants.entries()) {
    deps.onProgress?.(variant, step, steps);
    const found = await profile(path, { ...request, threads }, deps);
    if (!found.ok && found.error.kind === 'cancelled') return found;
    profiles.push(found);
  }
  // Nobody waits for peaks to hear that there is no such model.
  const isWanted = variants.length === 0 || profiles.some(({ ok }) => ok);
  const peaks = new Map<string, HostPeaks>();
  for (const [step, probed] of (isWanted ? devices : []).entries()) {
    const onMeasuring = () => deps.onProgress?.(`peaks of ${probed}`, variants.length + step, steps);
    const found = await hostPeaks({ ...request, device: probed, threads }, { ...deps, onMeasuring });
    if (!found.ok) return found;
    peaks.set(PROVIDER_OF[probed], found.value);
  }
  deps.onProgress?.('', steps, steps);
  const rooflines = variants.map(({ variant }, index) => {
    const found = profiles[index] as (typeof profiles)[number];
    if (!found.ok) return { variant, roofline: null, doubts: [], failure: found.error };
    const roofline = rooflineOf(found.value, (provider) => peaks.get(provider));
    return { variant, roofline, doubts: found.value.doubts, failure: null };
  });
  return ok({ device, threads, peaks: [...peaks.values()], variants: rooflines });
}

async function profile(
  modelPath: string,
  { device, data, threads, states, runs }: RooflineRequest,
  { host, signal }: RooflineDeps,
): Promise<Result<ProfiledOperators, Problem>> {
  const maxRssBytes = defaultMemoryLimitBytes();
  const answer = await runTask(
    host,
    {
      kind: 'profile-operators',
      modelPath,
      device,
      data,
      threads,
      runs,
      ...(states === undefined ? {} : { states }),
    },
    {
      ...(signal === undefined ? {} : { signal }),
      ...(maxRssBytes === undefined ? {} : { maxRssBytes }),
    },
  );
  return answer.ok ? ok(answer.value as ProfiledOperators) : answer;
}
