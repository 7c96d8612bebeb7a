import { familyGroup } from './family-table.ts';
import { GPU_STATES, type GpusSnapshot, THROTTLE_REASONS } from './gpu-snapshot.ts';

interface GpuSource {
  readonly gpus?: GpusSnapshot;
}

const IDENTITY = familyGroup({
  items: ({ gpus }: GpuSource) => gpus?.gpus.map((gpu) => ({ ...gpus, ...gpu })) ?? [],
  labelNames: ['gpu_uuid', 'index', 'name', 'driver_version', 'cuda_version', 'pci_bus_id'],
  labels: ({ uuid, index, name, driverVersion = '', cudaVersion = '', pciBusId = '' }) => ({
    gpu_uuid: uuid,
    index: String(index),
    name,
    driver_version: driverVersion,
    cuda_version: cudaVersion,
    pci_bus_id: pciBusId,
  }),
  rows: [
    {
      name: 'ptq_gpu_info',
      type: 'info',
      help: 'What a GPU is and which driver runs it; always 1.',
      value: () => 1,
    },
  ],
});

const BACKEND = familyGroup({
  items: ({ gpus }: GpuSource) => (gpus === undefined ? [] : [gpus]),
  labelNames: ['backend'],
  labels: ({ backend }) => ({ backend }),
  rows: [
    {
      name: 'ptq_gpu_backend_info',
      type: 'info',
      help: 'How the GPUs are read; always 1.',
      value: () => 1,
    },
  ],
});

const GPUS = familyGroup({
  items: ({ gpus }: GpuSource) => gpus?.gpus ?? [],
  labelNames: ['gpu_uuid'],
  labels: ({ uuid }) => ({ gpu_uuid: uuid }),
  rows: [
    {
      name: 'ptq_gpu_state',
      type: 'gauge',
      help: '1 for the state of the GPU, 0 for the others: ok, lost (fallen off the bus), reset_required.',
      by: 'state',
      values: ({ state }) =>
        Object.fromEntries(GPU_STATES.map((one) => [underscored(one), Number(one === state)])),
    },
    {
      name: 'ptq_gpu_utilization_ratio',
      type: 'gauge',
      help: "Share of the driver's last window in which a kernel ran; not told where MIG splits the GPU.",
      value: (gpu) => gpu.utilizationRatio,
    },
    {
      name: 'ptq_gpu_memory_activity_ratio',
      type: 'gauge',
      help: 'Share of the window in which memory was read or written: how busy it is, not how full.',
      value: (gpu) => gpu.memoryActivityRatio,
    },
    {
      name: 'ptq_gpu_memory_total_bytes',
      type: 'gauge',
      help: 'Memory of the GPU.',
      value: ({ memory }) => memory?.totalBytes,
    },
    {
      name: 'ptq_gpu_memory_used_bytes',
      type: 'gauge',
      help: 'Memory that is in use; without what the driver reserves, where it tells that apart.',
      value: ({ memory }) => memory?.usedBytes,
    },
    {
      name: 'ptq_gpu_memory_free_bytes',
      type: 'gauge',
      help: 'Memory that can be allocated.',
      value: ({ memory }) => memory?.freeBytes,
    },
    {
      name: 'ptq_gpu_memory_reserved_bytes',
      type: 'gauge',
      help: 'Memory that driver and firmware keep for themselves.',
      value: ({ memory }) => memory?.reservedBytes,
    },
    {
      name: 'ptq_gpu_power_watts',
      type: 'gauge',
      help: 'Power that the GPU draws, at the instant or averaged over a second.',
      by: 'window',
      values: ({ powerWatts }) => powerWatts,
    },
    {
      name: 'ptq_gpu_power_limit_watts',
      type: 'gauge',
      help: 'The power limit in force.',
      value: (gpu) => gpu.powerLimitWatts,
    },
    {
      name: 'ptq_gpu_energy_joules_total',
      type: 'counter',
      help: 'Energy since the driver was loaded, as the board counts it.',
      value: (gpu) => gpu.energyJoules,
    },
    {
      name: 'ptq_gpu_temperature_celsius',
      type: 'gauge',
      help: 'Temperature of the chip and of its memory.',
      by: 'sensor',
      values: ({ temperatureCelsius }) => temperatureCelsius,
    },
    {
      name: 'ptq_gpu_clock_hertz',
      type: 'gauge',
      help: 'Clocks at this moment.',
      by: 'domain',
      values: ({ clockHertz }) => clockHertz,
    },
    {
      name: 'ptq_gpu_throttle_active',
      type: 'gauge',
      help: '1 for each reason that holds the clocks back now, 0 for the others that the device can tell.',
      by: 'reason',
      values: ({ throttleReasons }) =>
        throttleReasons &&
        Object.fromEntries(
          THROTTLE_REASONS.map((reason) => [reason, Number(throttleReasons.includes(reason))]),
        ),
    },
    {
      name: 'ptq_gpu_pcie_rx_bytes_per_second',
      type: 'gauge',
      help: 'Bytes a second over PCI Express into the GPU.',
      value: ({ pcie }) => pcie?.rxBytesPerSecond,
    },
    {
      name: 'ptq_gpu_pcie_tx_bytes_per_second',
      type: 'gauge',
      help: 'Bytes a second over PCI Express out of the GPU.',
      value: ({ pcie }) => pcie?.txBytesPerSecond,
    },
    {
      name: 'ptq_gpu_pcie_replays_total',
      type: 'counter',
      help: 'Packets that PCI Express had to send again.',
      value: ({ pcie }) => pcie?.replays,
    },
  ],
});

const ECC = familyGroup({
  items: ({ gpus }: GpuSource) =>
    gpus?.gpus.flatMap(({ uuid, eccErrors: ecc }) => [
      { uuid, type: 'corrected', volatile: ecc?.correctedVolatile, aggregate: ecc?.correctedAggregate },
      { uuid, type: 'uncorrected', volatile: ecc?.uncorrectedVolatile, aggregate: ecc?.uncorrectedAggregate },
    ]) ?? [],
  labelNames: ['gpu_uuid', 'type'],
  labels: ({ uuid, type }) => ({ gpu_uuid: uuid, type }),
  rows: [
    {
      name: 'ptq_gpu_ecc_errors',
      type: 'gauge',
      help: 'Errors of memory, corrected and uncorrected: since the driver was loaded (volatile), over the life of the board (aggregate).',
      by: 'scope',
      values: ({ volatile, aggregate }) => ({ volatile, aggregate }),
    },
  ],
});

const migDevices = ({ gpus }: GpuSource) =>
  gpus?.gpus.flatMap((gpu) => (gpu.mig ?? []).map((part) => ({ ...part, gpu: gpu.uuid }))) ?? [];

const MIG_IDENTITY = familyGroup({
  items: migDevices,
  labelNames: ['gpu_uuid', 'mig_uuid', 'gpu_instance', 'compute_instance', 'name'],
  labels: ({ gpu, uuid, gpuInstanceId, computeInstanceId = '', name }) => ({
    gpu_uuid: gpu,
    mig_uuid: uuid,
    gpu_instance: String(gpuInstanceId),
    compute_instance: String(computeInstanceId),
    name,
  }),
  rows: [
    {
      name: 'ptq_gpu_mig_info',
      type: 'info',
      help: 'A part of a GPU that is split by MIG; always 1.',
      value: () => 1,
    },
  ],
});

// The compute instances of one GPU instance share its memory, so they have one series.
const MIG_MEMORY = familyGroup({
  items: migDevices,
  labelNames: ['gpu_uuid', 'gpu_instance'],
  labels: ({ gpu, gpuInstanceId }) => ({ gpu_uuid: gpu, gpu_instance: String(gpuInstanceId) }),
  rows: [
    {
      name: 'ptq_gpu_mig_memory_total_bytes',
      type: 'gauge',
      help: 'Memory of a GPU instance of MIG.',
      value: ({ memory }) => memory?.totalBytes,
    },
    {
      name: 'ptq_gpu_mig_memory_used_bytes',
      type: 'gauge',
      help: 'Memory of the GPU instance that is in use.',
      value: ({ memory }) => memory?.usedBytes,
    },
    {
      name: 'ptq_gpu_mig_memory_free_bytes',
      type: 'gauge',
      help: 'Memory of the GPU instance that can be allocated.',
      value: ({ memory }) => memory?.freeBytes,
    },
  ],
});

/** Everything about GPUs but the memory of our own processes on them. */
export const GPU_FAMILIES = [IDENTITY, BACKEND, GPUS, ECC, MIG_IDENTITY, MIG_MEMORY];

function underscored(state: string): string {
  return state.replaceAll('-', '_');
}
