import { createRequire } from 'node:module';
import { type Problem, problem } from '../../../../core/problem.ts';
import { err, ok, type Result } from '../../../../core/result.ts';
import { NVML } from './nvml-codes.ts';

/** A device handle is an opaque pointer: an address, which a double holds without loss. */
const DEVICE = 'uintptr_t';
const OUT = 'void *';

/**
 * Parameters of the functions that are used; all return an int. What they write goes into byte arrays, so that no struct is
 * converted. Source: nvml.h of API version 13.
 */
const PARAMETERS = {
  nvmlInit_v2: [],
  nvmlShutdown: [],
  nvmlSystemGetDriverVersion: [OUT, 'uint32_t'],
  nvmlSystemGetCudaDriverVersion_v2: [OUT],
  nvmlDeviceGetCount_v2: [OUT],
  nvmlDeviceGetHandleByIndex_v2: ['uint32_t', OUT],
  nvmlDeviceGetName: [DEVICE, OUT, 'uint32_t'],
  nvmlDeviceGetUUID: [DEVICE, OUT, 'uint32_t'],
  nvmlDeviceGetPciInfo_v3: [DEVICE, OUT],
  nvmlDeviceGetArchitecture: [DEVICE, OUT],
  nvmlDeviceGetUtilizationRates: [DEVICE, OUT],
  nvmlDeviceGetMemoryInfo_v2: [DEVICE, OUT],
  nvmlDeviceGetMemoryInfo: [DEVICE, OUT],
  nvmlDeviceGetPowerUsage: [DEVICE, OUT],
  nvmlDeviceGetEnforcedPowerLimit: [DEVICE, OUT],
  nvmlDeviceGetTotalEnergyConsumption: [DEVICE, OUT],
  nvmlDeviceGetTemperatureV: [DEVICE, OUT],
  nvmlDeviceGetTemperature: [DEVICE, 'uint32_t', OUT],
  nvmlDeviceGetClockInfo: [DEVICE, 'uint32_t', OUT],
  nvmlDeviceGetCurrentClocksEventReasons: [DEVICE, OUT],
  nvmlDeviceGetCurrentClocksThrottleReasons: [DEVICE, OUT],
  nvmlDeviceGetPcieReplayCounter: [DEVICE, OUT],
  nvmlDeviceGetTotalEccErrors: [DEVICE, 'uint32_t', 'uint32_t', OUT],
  nvmlDeviceGetFieldValues: [DEVICE, 'int32_t', OUT],
  nvmlDeviceGetComputeRunningProcesses_v3: [DEVICE, OUT, OUT],
  nvmlDeviceGetComputeRunningProcesses_v2: [DEVICE, OUT, OUT],
  nvmlDeviceGetGraphicsRunningProcesses_v3: [DEVICE, OUT, OUT],
  nvmlDeviceGetGraphicsRunningProcesses_v2: [DEVICE, OUT, OUT],
  nvmlDeviceGetMigMode: [DEVICE, OUT, OUT],
  nvmlDeviceGetMaxMigDeviceCount: [DEVICE, OUT],
  nvmlDeviceGetMigDeviceHandleByIndex: [DEVICE, 'uint32_t', OUT],
  nvmlDeviceGetGpuInstanceId: [DEVICE, OUT],
  nvmlDeviceGetComputeInstanceId: [DEVICE, OUT],
} as const satisfies Record<string, readonly string[]>;

export type NvmlFunction = keyof typeof PARAMETERS;

type NvmlArgument = number | Uint8Array;

/** The opened library. It has a state of its own: between `nvmlInit_v2` and `nvmlShutdown` it holds the driver. */
export interface Nvml {
  /** The return code. A function that this driver lacks returns `functionNotFound`, as NVML does for its own. */
  call(name: NvmlFunction, ...values: readonly NvmlArgument[]): number;
  /** Lets the library go, so that the next opening finds one that was updated meanwhile. */
  unload(): void;
}

/** Where the library lies when the loader does not find it by its name alone. */
const NVML_LIBRARIES: readonly string[] = [
  'libnvidia-ml.so.1',
  // Debian and Fedora, as containers get it too; WSL; Google's nodes; NixOS; the driver container of the GPU operator.
  '/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1',
  '/usr/lib/aarch64-linux-gnu/libnvidia-ml.so.1',
  '/usr/lib64/libnvidia-ml.so.1',
  '/usr/lib/wsl/lib/libnvidia-ml.so.1',
  '/usr/local/nvidia/lib64/libnvidia-ml.so.1',
  '/run/opengl-driver/lib/libnvidia-ml.so.1',
  '/run/nvidia/driver/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1',
];

type BoundFunction = (...values: readonly NvmlArgument[]) => number;

/** What is used of koffi. Written out, as it is an optional dependency that a type check must do without. */
interface Koffi {
  load(path: string): KoffiLibrary;
}

interface KoffiLibrary {
  /** Throws when the library has no such function. */
  func(name: string, result: string, parameters: readonly string[]): BoundFunction;
  unload(): void;
}

/** Undefined where it was left out, or has no binary for this platform. */
function loadKoffi(): Koffi | undefined {
  try {
    const require = createRequire(import.meta.url);
    return require('koffi') as Koffi;
  } catch {
    return undefined;
  }
}

/** Opens the first library that is there. Problems: `absent`, when none is or koffi is missing. */
export function openNvml(
  libraries: readonly string[] = NVML_LIBRARIES,
  koffi: Koffi | undefined = loadKoffi(),
): Result<Nvml, Problem<'absent'>> {
  if (koffi === undefined) {
    return err(
      problem('absent', 'The package koffi, by which NVML is called, is not installed.', {
        hint: 'install with optional dependencies (npm ci --include=optional)',
      }),
    );
  }
  for (const file of libraries) {
    try {
      return ok(bindLazily(koffi.load(file)));
    } catch {
      // Not there, or for another processor: the next may be.
    }
  }
  return err(
    problem('absent', `NVML is not on this host: no ${libraries[0]} can be loaded.`, {
      hint: "install NVIDIA's driver; a container gets its libraries with the capability `utility`",
    }),
  );
}

/** Binds a function when it is first called: one that a driver lacks costs only its own value. */
function bindLazily(library: KoffiLibrary): Nvml {
  const bound = new Map<NvmlFunction, BoundFunction | undefined>();
  const bind = (name: NvmlFunction): BoundFunction | undefined => {
    try {
      return library.func(name, 'int', PARAMETERS[name]);
    } catch {
      return undefined;
    }
  };
  return {
    call: (name, ...values) => {
      if (!bound.has(name)) bound.set(name, bind(name));
      return bound.get(name)?.(...values) ?? NVML.functionNotFound;
    },
    unload: () => library.unload(),
  };
}
