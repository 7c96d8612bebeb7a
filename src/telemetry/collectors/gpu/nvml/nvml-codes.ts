import { type Problem, problem } from '../../../../core/problem.ts';

/** What NVML's functions return, as far as it makes a difference here. Source: nvml.h, `nvmlReturn_t`. */
export const NVML = {
  success: 0,
  uninitialized: 1,
  notSupported: 3,
  noPermission: 4,
  insufficientSize: 7,
  driverNotLoaded: 9,
  libraryNotFound: 12,
  functionNotFound: 13,
  gpuIsLost: 15,
  resetRequired: 16,
  libraryMismatch: 18,
  argumentVersionMismatch: 25,
  deprecated: 26,
} as const;

/** What a device that answers so will not answer otherwise until it or the driver is set up anew. */
const NEVER: ReadonlySet<number> = new Set([
  NVML.notSupported,
  NVML.functionNotFound,
  NVML.argumentVersionMismatch,
  NVML.deprecated,
]);

export function isUnsupported(code: number): boolean {
  return NEVER.has(code);
}

/** Codes after which nothing of this session with the driver can be used any more. */
const SESSION_IS_OVER: ReadonlySet<number> = new Set([
  NVML.uninitialized,
  NVML.driverNotLoaded,
  NVML.libraryNotFound,
  NVML.libraryMismatch,
]);

export function endsSession(code: number): boolean {
  return SESSION_IS_OVER.has(code);
}

const KERNEL_LOG = 'look for NVRM in the kernel log (dmesg)';

/** A call on which everything depends has failed. `unreadable`, with what to do. */
export function nvmlProblem(call: string, code: number): Problem<'unreadable'> {
  return driverProblem(code, `${call} of NVML failed with code ${code}.`);
}

/** What a code of NVIDIA's driver means for the host. nvidia-smi exits with the same codes. */
export function driverProblem(code: number, otherwise: string): Problem<'unreadable'> {
  const [what, hint] = explain(code) ?? [otherwise, KERNEL_LOG];
  return problem('unreadable', what, { hint });
}

function explain(code: number): readonly [what: string, hint: string] | undefined {
  switch (code) {
    case NVML.noPermission:
      return [
        "NVIDIA's driver lets this user not in.",
        'give the user access to /dev/nvidiactl and /dev/nvidia*, or give the container the GPU',
      ];
    case NVML.driverNotLoaded:
      return [
        "NVIDIA's kernel driver is not loaded.",
        `load it (modprobe nvidia) or install it for the running kernel, or give the container the GPU; ${KERNEL_LOG}`,
      ];
    case NVML.libraryNotFound:
      return [
        "A library of NVIDIA's driver is missing.",
        'install the driver whole; a container gets its libraries with the capability `utility`',
      ];
    case NVML.gpuIsLost:
      return ['The GPU has fallen off the bus.', `reboot the host; ${KERNEL_LOG}`];
    case NVML.libraryMismatch:
      return [
        "NVIDIA's driver in the kernel and its libraries are of different versions.",
        'it was updated while in use: reboot, or unload and load its modules; a container is started anew',
      ];
    default:
      return undefined;
  }
}
