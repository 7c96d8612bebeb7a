import { describe, expect, it } from 'vitest';
import { canShareAmongThreads, deviceAvailability, requireDevice } from '../../../src/runtime/devices.ts';
import type { Machine } from '../../../src/runtime/machine.ts';
import { fakeMachine } from '../../support/fake-machine.ts';

const LOADER = '/usr/lib/libvulkan.so.1';
const manifest = (library: string) => JSON.stringify({ ICD: { library_path: library } });
const RADEON = { '/etc/vulkan/icd.d/radeon.json': manifest('/radeon.so'), '/radeon.so': '' };
const LAVAPIPE = { '/etc/vulkan/icd.d/lvp.json': manifest('/libvulkan_lvp.so'), '/libvulkan_lvp.so': '' };

const PROVIDERS = ['cuda', 'tensorrt', 'shared'].map((name) => `libonnxruntime_providers_${name}.so`);
const LINKED = ['libcublas.so.13', 'libcudart.so.13'];
const CUDA = [...LINKED, 'libcudnn.so.9'];
/** Such as the package for CUDA 13 has. */
const LIBRARIES = {
  'libonnxruntime_providers_cuda.so': [...LINKED, 'libcuda.so.1', 'libc.so.6'],
  'libonnxruntime_providers_tensorrt.so': ['libcudart.so.13', 'libnvinfer.so.10'],
  'libonnxruntime_providers_shared.so': ['libc.so.6'],
};
const inLib = (names: readonly string[]) => Object.fromEntries(names.map((name) => [`/usr/lib/${name}`, '']));
const NVIDIA = { '/dev/nvidia0': '', '/dev/nvidiactl': '', ...inLib(['libcuda.so.1']) };

function stateOf(device: string, machine: Machine) {
  return deviceAvailability(machine).find((availability) => availability.device === device);
}

describe('availability of devices', () => {
  it('lists every device, and finds the CPU on the barest machine', () => {
    const all = deviceAvailability(fakeMachine());
    expect(all.map(({ device, available }) => [device, available])).toEqual([
      ['cpu', true],
      ['webgpu', false],
      ['cuda', false],
      ['tensorrt', false],
    ]);
    expect(all[0]).toEqual({ device: 'cpu', available: true });
  });

  it.each(['webgpu', 'cuda', 'tensorrt'])(
    'says that %s is no part of a runtime built without it',
    (device) => {
      expect(stateOf(device, fakeMachine({ backends: ['cpu'] }))).toMatchObject({
        available: false,
        reason: 'ONNX Runtime for this platform is built without it',
        howToGet: expect.stringMatching(/Linux|onnxruntime-node/),
      });
    },
  );
});

describe('WebGPU', () => {
  it('needs the Vulkan loader', () =>
    expect(stateOf('webgpu', fakeMachine({ system: RADEON }))).toMatchObject({
      available: false,
      reason: 'the Vulkan loader libvulkan.so.1 is not installed',
      howToGet: expect.stringContaining('apt-get install libvulkan1'),
    }));

  it('needs a driver, and names manifests that lead to none', () => {
    expect(stateOf('webgpu', fakeMachine({ system: { [LOADER]: '' } }))).toMatchObject({
      available: false,
      reason: 'no Vulkan driver is installed',
      howToGet: expect.stringContaining('VK_DRIVER_FILES'),
    });
    const env = { VK_DRIVER_FILES: '/gone.json' };
    expect(stateOf('webgpu', fakeMachine({ system: { [LOADER]: '', ...RADEON }, env }))?.reason).toBe(
      'no Vulkan driver is installed: /gone.json is no manifest of a driver',
    );
  });

  it('tells all that is missing at once', () => {
    const { reason, howToGet } = stateOf('webgpu', fakeMachine()) ?? {};
    expect(reason).toMatch(/loader .*; no Vulkan driver/);
    expect(howToGet).toMatch(/libvulkan1.*; .*mesa-vulkan-drivers/);
  });

  const GPU = { '/dev/dri/renderD128': '' };
  const vendor = (id: string) => ({ ...GPU, '/sys/class/drm/renderD128/device/vendor': `${id}\n` });
  const NVIDIA_DRIVER = {
    '/etc/vulkan/icd.d/nvidia.json': manifest('libGLX_nvidia.so.0'),
    '/usr/lib/libGLX_nvidia.so.0': '',
  };
  const NOUVEAU = {
    '/etc/vulkan/icd.d/nvk.json': manifest('/libvulkan_nouveau.so'),
    '/libvulkan_nouveau.so': '',
  };

  it.each([
    ['a GPU of a vendor that is not told', { ...RADEON, ...GPU }],
    ['a GPU of another vendor, software beside it', { ...RADEON, ...LAVAPIPE, ...vendor('0x1002') }],
    ["NVIDIA's GPU and driver", { ...NVIDIA_DRIVER, '/dev/nvidia0': '' }],
    ["NVIDIA's GPU and Mesa's driver for it", { ...NOUVEAU, ...vendor('0x10de') }],
    ['a GPU under WSL', { ...RADEON, '/dev/dxg': '' }],
  ])('is there with the loader, %s', (_what, system) =>
    expect(stateOf('webgpu', fakeMachine({ system: { [LOADER]: '', ...system } }))).toEqual({
      device: 'webgpu',
      available: true,
    }),
  );

  it.each([
    ['its drivers are software, whatever is plugged in', { ...LAVAPIPE, ...vendor('0x1002') }],
    ['there is no GPU, whatever drivers there are', { ...RADEON, ...LAVAPIPE, '/dev/dri/card0': '' }],
    [
      "the GPU is NVIDIA's and the drivers are for others",
      { ...RADEON, ...vendor('0x10de'), '/dev/nvidia0': '' },
    ],
    ["the driver is NVIDIA's and the GPU another's", { ...NVIDIA_DRIVER, ...vendor('0x8086') }],
  ])('computes in software alone where %s', (_what, system) =>
    expect(stateOf('webgpu', fakeMachine({ system: { [LOADER]: '', ...system } }))).toEqual({
      device: 'webgpu',
      available: true,
      softwareOnly: true,
    }),
  );
});

describe('CUDA and TensorRT', () => {
  it("need providers that the package does not hold, and NVIDIA's GPU", () => {
    expect(stateOf('cuda', fakeMachine())).toEqual({
      device: 'cuda',
      available: false,
      reason:
        'libonnxruntime_providers_cuda.so and libonnxruntime_providers_shared.so are not installed beside ONNX Runtime; ' +
        'no NVIDIA GPU is visible (/dev/nvidia0)',
      howToGet: expect.stringMatching(
        /^run `ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node`.*--gpus all/,
      ),
    });
    const beside = PROVIDERS.filter((name) => !name.includes('tensorrt'));
    expect(stateOf('tensorrt', fakeMachine({ beside }))?.reason).toMatch(
      /^libonnxruntime_providers_tensorrt\.so is not installed beside ONNX Runtime; no NVIDIA GPU/,
    );
  });

  it('need the driver library and the libraries that the provider is linked with', () => {
    const bare = fakeMachine({ libraries: LIBRARIES, system: { '/dev/nvidia0': '' } });
    expect(stateOf('cuda', bare)).toMatchObject({
      reason:
        "NVIDIA's driver library libcuda.so.1 is not installed; " +
        'libcublas.so.13, libcudart.so.13, libcudnn.so.9 are not found',
      howToGet: expect.stringContaining('install CUDA 13 and cuDNN 9, and'),
    });
    expect(stateOf('tensorrt', bare)?.howToGet).toContain('install CUDA 13, cuDNN 9 and TensorRT 10, and');
    const withoutCudnn = fakeMachine({ libraries: LIBRARIES, system: { ...NVIDIA, ...inLib(LINKED) } });
    expect(stateOf('cuda', withoutCudnn)).toMatchObject({
      available: false,
      reason: 'libcudnn.so.9 is not found',
      howToGet: expect.stringContaining('cuDNN 9'),
    });
  });

  it('need the CUDA that their own files name, whichever that is', () => {
    const libraries = { ...LIBRARIES, 'libonnxruntime_providers_cuda.so': ['libcudart.so.12'] };
    const machine = fakeMachine({ libraries, system: { ...NVIDIA, ...inLib(CUDA) } });
    expect(stateOf('cuda', machine)).toMatchObject({
      reason: 'libcudart.so.12 is not found',
      howToGet: expect.stringContaining('install CUDA 12'),
    });
  });

  it('are not taken for present by the control device alone', () => {
    const system = { '/dev/nvidiactl': '', ...inLib([...CUDA, 'libcuda.so.1']) };
    expect(stateOf('cuda', fakeMachine({ libraries: LIBRARIES, system }))?.reason).toContain('no NVIDIA GPU');
  });

  it('are there with all of it, TensorRT with its own library too', () => {
    const system = { ...NVIDIA, ...inLib(CUDA) };
    const machine = fakeMachine({ libraries: LIBRARIES, system });
    expect(stateOf('cuda', machine)).toEqual({ device: 'cuda', available: true });
    expect(stateOf('tensorrt', machine)?.reason).toBe('libnvinfer.so.10 is not found');
    const full = fakeMachine({
      libraries: LIBRARIES,
      system: { ...system, ...inLib(['libnvinfer.so.10']) },
    });
    expect(stateOf('tensorrt', full)).toEqual({ device: 'tensorrt', available: true });
  });

  it('find their libraries beside the runtime too, and the GPU under WSL', () => {
    const system = { '/dev/dxg': '', ...inLib(['libcuda.so.1']) };
    const machine = fakeMachine({ libraries: LIBRARIES, beside: CUDA, system });
    expect(stateOf('cuda', machine)).toEqual({ device: 'cuda', available: true });
  });
});

describe('a device that is required', () => {
  it('is given where it is there', () =>
    expect(requireDevice('cpu', fakeMachine())).toEqual({
      ok: true,
      value: { device: 'cpu', available: true },
    }));

  it('is a problem with what is missing and what to do where it is not', () =>
    expect(requireDevice('cuda', fakeMachine())).toEqual({
      ok: false,
      error: {
        kind: 'device-unavailable',
        message: expect.stringMatching(
          /^the device cuda is not available: libonnxruntime_providers_cuda\.so and /,
        ),
        hint: expect.stringContaining('ONNXRUNTIME_NODE_INSTALL=cuda12'),
      },
    }));
});

it('threads may share any device but WebGPU', () =>
  expect((['cpu', 'webgpu', 'cuda', 'tensorrt'] as const).map(canShareAmongThreads)).toEqual([
    true,
    false,
    true,
    true,
  ]));
