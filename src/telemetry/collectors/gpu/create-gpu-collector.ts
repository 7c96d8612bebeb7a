import { type Clock, systemClock } from '../../../core/clock.ts';
import { problem } from '../../../core/problem.ts';
import { err, ok, type Result } from '../../../core/result.ts';
import type { CollectProblem, Host, OpenCollector } from '../collector.ts';
import type { GpuBackend, GpuProblem } from './gpu-backend.ts';
import { GPU_BACKENDS, type GpusReading, type UnusedGpuBackend } from './gpu-reading.ts';
import { NvmlBackend } from './nvml/nvml-backend.ts';
import { PatientBackend } from './patient-backend.ts';
import { NodeNvidiaSmiBackend } from './smi/node-nvidia-smi-backend.ts';
import { NvidiaSmiBackend } from './smi/nvidia-smi-backend.ts';
import { SysfsBackend } from './sysfs/sysfs-backend.ts';

export interface GpuCollectorOptions {
  /** From the best to the last resort. */
  readonly backends?: readonly GpuBackend[];
  readonly env?: NodeJS.ProcessEnv;
  readonly clock?: Clock;
}

/** An `OpenCollector` whose problems say whether a backend is only about to start. */
export type GpuCollector = ((host: Host, watchedPids: readonly number[]) => Outcome) &
  Pick<OpenCollector<GpusReading>, 'close'>;

/** A backend that has worked is given this long to work again before others are tried. */
const GRACE_NS = 10_000_000_000n;

type Outcome = Result<GpusReading, GpuProblem>;

/**
 * Reads the host's GPUs by the first backend that works: NVML, an nvidia-smi that keeps running, node-nvidia-smi, sysfs.
 * A better one that begins to work takes over. `absent` where there is no GPU.
 *
 * Of `env` it reads `PTQ_AGENT_GPU_BACKEND`, the only backend to use, or `none`; and `PTQ_AGENT_NVML`, the file of that
 * library where it lies in an unusual place.
 */
export function createGpuCollector({
  env = process.env,
  backends = createGpuBackends(env),
  clock = systemClock,
}: GpuCollectorOptions = {}): GpuCollector {
  const forced = env['PTQ_AGENT_GPU_BACKEND'] ?? 'auto';
  const misnamed = checkForced(forced);
  if (misnamed !== undefined) return () => err(misnamed);
  const wanted = backends.filter(({ name }) => forced === 'auto' || forced === name);
  const candidates = wanted.map((backend) => new PatientBackend(backend, clock));
  let current: PatientBackend | undefined;

  /** Whether the others are not to be tried now: it is about to start, and nothing else works, or it has just worked. */
  function isWaitedFor(candidate: PatientBackend, { isStarting }: GpuProblem): boolean {
    if (candidate === current) return isStarting || candidate.workedWithin(GRACE_NS);
    return isStarting === true && current === undefined;
  }

  function use(
    candidate: PatientBackend,
    reading: GpusReading,
    failed: readonly UnusedGpuBackend[],
  ): Outcome {
    if (candidate === current) return ok(reading);
    current?.close();
    current = candidate;
    return ok({ ...reading, notUsed: failed });
  }

  function collect(host: Host, watchedPids: readonly number[]): Outcome {
    const failed: UnusedGpuBackend[] = [];
    let fault: GpuProblem | undefined;
    for (const candidate of candidates) {
      const outcome = candidate.read(host, watchedPids);
      if (outcome.ok) return use(candidate, outcome.value, failed);
      const { message, hint, kind } = outcome.error;
      if (isWaitedFor(candidate, outcome.error)) return err(outcome.error);
      failed.push({ backend: candidate.name, reason: message, ...(hint === undefined ? {} : { hint }) });
      // That a host has no GPU is no fault.
      if (kind !== 'absent') fault ??= outcome.error;
    }
    current?.close();
    current = undefined;
    return err(fault ?? NO_GPU);
  }

  return Object.assign(collect, {
    close: () => {
      for (const candidate of candidates) candidate.close();
    },
  });
}

const NO_GPU = problem('absent', 'This host has no GPU that can be read.');

function checkForced(forced: string): CollectProblem | undefined {
  const names: readonly string[] = ['auto', ...GPU_BACKENDS];
  if (forced === 'none') return problem('absent', 'Reading GPUs is switched off (PTQ_AGENT_GPU_BACKEND).');
  if (names.includes(forced)) return undefined;
  return problem('malformed', `PTQ_AGENT_GPU_BACKEND is '${forced}', which is no way to read GPUs.`, {
    hint: `set it to one of ${[...names, 'none'].join(', ')}`,
  });
}

/** All backends, the best first. */
function createGpuBackends(env: NodeJS.ProcessEnv): readonly GpuBackend[] {
  const library = env['PTQ_AGENT_NVML'];
  return [
    new NvmlBackend(library === undefined ? {} : { libraries: [library] }),
    new NvidiaSmiBackend(),
    new NodeNvidiaSmiBackend(),
    new SysfsBackend(),
  ];
}
