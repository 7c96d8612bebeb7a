import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DEVICES, type Device } from '../core/device.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import {
  existsInSystem,
  findSharedLibrary,
  listSystemFolder,
  type Machine,
  readSystemFile,
} from './machine.ts';
import { neededLibraries } from './needed-libraries.ts';
import { findVulkanDrivers } from './vulkan.ts';

/** Whether a device has what it needs, as far as files tell. Whether it works shows when a session is opened on it. */
export interface DeviceAvailability {
  readonly device: Device;
  readonly available: boolean;
  /** What is missing. */
  readonly reason?: string;
  /** What to do about it. */
  readonly howToGet?: string;
  /** WebGPU alone: Vulkan has nothing but the processor to compute on, so times say nothing about a GPU. */
  readonly softwareOnly?: true;
}

export type DeviceProblem = Problem<'device-unavailable'>;

/** Something that a device needs and this machine lacks. */
interface Missing {
  readonly what: string;
  readonly howToGet: string;
}

/** What the providers open by name while they run, and are therefore not linked with. */
const OPENED_BY_NAME = { cuda: ['libcudnn.so.9'], tensorrt: [] } as const;

/** Every device with what it lacks on `machine`. Reads files; loads and runs nothing. */
export function deviceAvailability(machine: Machine): readonly DeviceAvailability[] {
  return DEVICES.map((device) => availabilityOf(device, machine));
}

/** Errors: `device-unavailable`, with all that is missing for the device. */
export function requireDevice(device: Device, machine: Machine): Result<DeviceAvailability, DeviceProblem> {
  const availability = availabilityOf(device, machine);
  if (availability.available) return ok(availability);
  const { reason = '', howToGet } = availability;
  return err(
    problem('device-unavailable', `the device ${device} is not available: ${reason}`, {
      ...(howToGet === undefined ? {} : { hint: howToGet }),
    }),
  );
}

/**
 * Whether sessions on a device may be used by several threads of one process. Those of WebGPU share one command encoder:
 * with two threads version 1.30 reports errors of the one to the other or dies (onnxruntime#32561).
 */
export function canShareAmongThreads(device: Device): boolean {
  return device !== 'webgpu';
}

function availabilityOf(device: Device, machine: Machine): DeviceAvailability {
  const missing = machine.backends.includes(device)
    ? missingFor(device, machine)
    : [
        {
          what: 'ONNX Runtime for this platform is built without it',
          howToGet:
            device === 'cuda' || device === 'tensorrt'
              ? 'it is there on Linux on x86-64'
              : 'install onnxruntime-node of the version that package.json names',
        },
      ];
  if (missing.length > 0) {
    return {
      device,
      available: false,
      reason: missing.map(({ what }) => what).join('; '),
      howToGet: missing.map(({ howToGet }) => howToGet).join('; '),
    };
  }
  const softwareOnly = device === 'webgpu' && hasOnlySoftwareVulkan(machine);
  return { device, available: true, ...(softwareOnly ? { softwareOnly } : {}) };
}

function missingFor(device: Device, machine: Machine): readonly Missing[] {
  switch (device) {
    case 'cpu':
      return [];
    case 'webgpu':
      return missingForWebgpu(machine);
    case 'cuda':
      return [...missingProvider('cuda', machine), ...missingForNvidia(['cuda'], machine)];
    case 'tensorrt':
      // What TensorRT does not take is left to CUDA.
      return [...missingProvider('tensorrt', machine), ...missingForNvidia(['cuda', 'tensorrt'], machine)];
  }
}

/** WebGPU in Node.js is Dawn, which computes through Vulkan on Linux. */
function missingForWebgpu(machine: Machine): readonly Missing[] {
  const missing: Missing[] = [];
  if (findSharedLibrary('libvulkan.so.1', machine) === undefined) {
    missing.push({
      what: 'the Vulkan loader libvulkan.so.1 is not installed',
      howToGet: 'install it (Debian and Ubuntu: `apt-get install libvulkan1`)',
    });
  }
  const { usable, broken } = findVulkanDrivers(machine);
  if (usable.length === 0) {
    const unusable = broken.map(({ manifest, reason }) => `${manifest} ${reason}`);
    missing.push({
      what: ['no Vulkan driver is installed', ...(broken.length === 0 ? [] : [unusable.join(', ')])].join(
        ': ',
      ),
      howToGet:
        'install the driver of the GPU (AMD and Intel on Debian and Ubuntu: `apt-get install mesa-vulkan-drivers`; ' +
        "NVIDIA's driver brings its own, and a container gets it with NVIDIA_DRIVER_CAPABILITIES=all), or name the driver's " +
        'JSON file in VK_DRIVER_FILES',
    });
  }
  return missing;
}

/** The providers that the npm package does not hold. Source: script/install-metadata.js of onnxruntime-node 1.30. */
function missingProvider(provider: 'cuda' | 'tensorrt', { bindingFolder }: Machine): readonly Missing[] {
  const names = [provider, 'shared'].map((name) => `libonnxruntime_providers_${name}.so`);
  const absent = names.filter((name) => !existsSync(join(bindingFolder, name)));
  if (absent.length === 0) return [];
  return [
    {
      what: `${absent.join(' and ')} ${absent.length === 1 ? 'is' : 'are'} not installed beside ONNX Runtime`,
      howToGet:
        'run `ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node`, which downloads some hundred megabytes from ' +
        'outside the npm registry',
    },
  ];
}

/** Where there is no GPU, what else its driver would bring is not worth listing. */
function missingForNvidia(providers: readonly ('cuda' | 'tensorrt')[], machine: Machine): readonly Missing[] {
  if (!hasNvidiaDevice(machine)) {
    return [
      {
        what: 'no NVIDIA GPU is visible (/dev/nvidia0)',
        howToGet:
          "install NVIDIA's driver on the host, and start a container with `--gpus all` (NVIDIA Container Toolkit)",
      },
    ];
  }
  const missing: Missing[] = [];
  if (findSharedLibrary('libcuda.so.1', machine) === undefined) {
    missing.push({
      what: "NVIDIA's driver library libcuda.so.1 is not installed",
      howToGet:
        "install NVIDIA's driver; a container gets it with NVIDIA_DRIVER_CAPABILITIES=compute,utility",
    });
  }
  // The runtime's own words name none of these: its binding says no more than that a library cannot be loaded.
  const libraries = [...new Set(providers.flatMap((provider) => librariesOfNvidia(provider, machine)))];
  const absent = libraries.filter(
    (name) =>
      findSharedLibrary(name, machine) === undefined && !existsSync(join(machine.bindingFolder, name)),
  );
  if (absent.length > 0) {
    missing.push({
      what: `${absent.join(', ')} ${absent.length === 1 ? 'is' : 'are'} not found`,
      howToGet: `install ${bundleOf(libraries)}, and name their folders in LD_LIBRARY_PATH where \`ldconfig -p\` does not list them`,
    });
  }
  return missing;
}

/**
 * The libraries of NVIDIA that a provider which is there needs, apart from the driver's. Read from its file, as packages of one
 * version of ONNX Runtime exist for several of CUDA.
 */
function librariesOfNvidia(provider: 'cuda' | 'tensorrt', { bindingFolder }: Machine): readonly string[] {
  const needed = neededLibraries(join(bindingFolder, `libonnxruntime_providers_${provider}.so`));
  if (needed === undefined) return [];
  const linked = needed.filter((name) => /^lib(?:cu|nv)/.test(name) && name !== 'libcuda.so.1');
  return [...linked, ...OPENED_BY_NAME[provider]];
}

/** What these libraries are part of, such as «CUDA 13, cuDNN 9 and TensorRT 10». */
function bundleOf(libraries: readonly string[]): string {
  const majorOf = (stem: string) =>
    libraries.find((name) => name.startsWith(`${stem}.so.`))?.slice(`${stem}.so.`.length);
  const parts = [
    ['CUDA', majorOf('libcudart') ?? majorOf('libcublas')],
    ['cuDNN', majorOf('libcudnn')],
    ['TensorRT', majorOf('libnvinfer')],
  ].flatMap(([name, major]) => (major === undefined ? [] : [`${name} ${major}`]));
  const [last, ...before] = parts.reverse();
  return before.length === 0 ? (last ?? 'CUDA') : `${before.reverse().join(', ')} and ${last}`;
}

/** Under WSL the GPU is behind one device of another name. */
function hasNvidiaDevice(machine: Machine): boolean {
  return (
    listSystemFolder('/dev', machine).some((name) => /^nvidia\d+$/.test(name)) ||
    existsInSystem('/dev/dxg', machine)
  );
}

/**
 * Whether no driver of Vulkan has a GPU to drive. Mesa installs its drivers together, software among them, so a driver
 * does not mean that there is a GPU; NVIDIA's driver and Mesa's do not drive each other's, but for Mesa's nouveau.
 */
function hasOnlySoftwareVulkan(machine: Machine): boolean {
  const renderNodes = listSystemFolder('/dev/dri', machine).filter((name) => name.startsWith('renderD'));
  const vendors = renderNodes.map((name) =>
    readSystemFile(`/sys/class/drm/${name}/device/vendor`, machine)?.trim(),
  );
  const hasOthers = vendors.some((vendor) => vendor !== '0x10de') || existsInSystem('/dev/dxg', machine);
  const hasGpuFor = (library: string) => {
    if (/nvidia/i.test(library)) return hasNvidiaDevice(machine);
    return library.includes('nouveau') ? renderNodes.length > 0 : hasOthers;
  };
  return !findVulkanDrivers(machine).usable.some(({ software, library }) => !software && hasGpuFor(library));
}
