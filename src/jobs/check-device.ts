import type { Device } from '../core/device.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { DeviceTrial } from './device-trial.ts';
import { runTask, type WorkerHost } from './worker-process.ts';

/** A driver that compiles its first shaders on a slow processor takes a few seconds. */
const TIMEOUT_MS = 30_000;
const KILL_AFTER_MS = 500;

export interface DeviceCheckControls {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/**
 * Whether a device computes, tried in a worker process with a time limit, so that a driver that hangs or aborts ends
 * neither this process nor its caller's patience.
 * Problems: `device-unavailable`, also where the worker died or was too slow, and `cancelled`.
 */
export async function checkDevice(
  host: WorkerHost,
  device: Device,
  { signal, timeoutMs = TIMEOUT_MS }: DeviceCheckControls = {},
): Promise<Result<DeviceTrial, Problem>> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const answer = await runTask(
    host,
    { kind: 'device-trial', device },
    {
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      killAfterMs: KILL_AFTER_MS,
    },
  );
  if (answer.ok) return ok(answer.value as DeviceTrial);
  const { error } = answer;
  if (error.kind === 'cancelled' && signal?.aborted !== true) {
    return unavailable(device, `it gave no answer within ${timeoutMs / 1000} s, so its driver hangs`);
  }
  if (error.kind === 'worker-crashed' || error.kind === 'worker-killed') {
    return unavailable(device, `its driver ended the process that tried it: ${error.message}`);
  }
  // All that it needs is there, and the runtime refuses it. The trial's own file tells nobody anything.
  if (error.kind === 'device-unavailable' && error.place !== undefined) {
    return err(problem(error.kind, error.message, { hint: driverHint(device) }));
  }
  return err(error);
}

function unavailable(device: Device, reason: string) {
  return err(
    problem('device-unavailable', `the device ${device} cannot be used: ${reason}`, {
      hint: driverHint(device),
    }),
  );
}

function driverHint(device: Device): string {
  return device === 'webgpu'
    ? 'update the Vulkan driver, or name another in VK_DRIVER_FILES; a container needs the device files of the GPU too'
    : "update the device's driver";
}
