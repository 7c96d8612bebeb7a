import {
  type GpuProcess,
  type GpuReading,
  kernelPciAddress,
  known,
  type MigDevice,
  type ThrottleReason,
} from '../gpu-reading.ts';
import { scaled, smiMemory, smiNumber, smiRatio, smiState, smiWord } from './smi-value.ts';
import { type XmlNode, xmlChild, xmlList, xmlText, xmlTexts } from './xml-node.ts';

/** What `nvidia-smi -q -x` tells. */
export interface QueryXml {
  readonly driverVersion?: string;
  readonly cudaVersion?: string;
  readonly gpus: readonly { readonly gpu: GpuReading; readonly processes: readonly GpuProcess[] }[];
}

/**
 * Reads `nvidia-smi -q -x` after xml2js. Elements were renamed between drivers (510: `power_readings`,
 * `clocks_throttle_reasons`; 570: `gpu_power_readings`, `clocks_event_reasons`), so it goes by those that are there, not by the
 * version of the DTD. Undefined when it is no such document.
 */
export function readQueryXml(document: XmlNode): QueryXml | undefined {
  const log = xmlChild(document, 'nvidia_smi_log');
  if (typeof log !== 'object' || log === null) return undefined;
  return {
    ...known({
      driverVersion: smiWord(xmlText(log, 'driver_version')),
      cudaVersion: smiWord(xmlText(log, 'cuda_version')),
    }),
    gpus: xmlList(log, 'gpu').map((node, index) => ({
      gpu: readGpu(node, index),
      processes: readProcesses(node),
    })),
  };
}

function readGpu(node: XmlNode, index: number): GpuReading {
  const text = (...path: readonly string[]) => xmlText(node, ...path);
  const number = (...path: readonly string[]) => smiNumber(text(...path));
  const busId = smiWord(text('pci', 'pci_bus_id')) ?? smiWord(text('$', 'id'));
  const pciBusId = busId === undefined ? undefined : kernelPciAddress(busId);
  const name = smiWord(text('product_name')) ?? 'NVIDIA GPU';
  const uuid = smiWord(text('uuid')) ?? pciBusId ?? `gpu-${index}`;
  const mig = readMig(node, uuid);
  const needsReset = text('gpu_reset_status', 'reset_required') === 'Yes' ? 'Reset' : undefined;
  return {
    uuid,
    index,
    name,
    ...known({ pciBusId }),
    state: smiState(xmlTexts(node), needsReset ?? text('gpu_recovery_action')),
    ...known({
      utilizationRatio: smiRatio(text('utilization', 'gpu_util')),
      memoryActivityRatio: smiRatio(text('utilization', 'memory_util')),
      memory: readMemory(node),
      powerWatts: readPower(node, name),
      powerLimitWatts:
        number('gpu_power_readings', 'current_power_limit') ??
        number('gpu_power_readings', 'power_limit') ??
        number('power_readings', 'enforced_power_limit') ??
        number('power_readings', 'power_limit'),
      temperatureCelsius: known({
        gpu: number('temperature', 'gpu_temp'),
        memory: number('temperature', 'memory_temp'),
      }),
      clockHertz: known({
        graphics: scaled(number('clocks', 'graphics_clock'), 1e6),
        sm: scaled(number('clocks', 'sm_clock'), 1e6),
        memory: scaled(number('clocks', 'mem_clock'), 1e6),
        video: scaled(number('clocks', 'video_clock'), 1e6),
      }),
      throttleReasons: readThrottleReasons(node),
      pcie: known({
        rxBytesPerSecond: scaled(number('pci', 'rx_util'), 1e3),
        txBytesPerSecond: scaled(number('pci', 'tx_util'), 1e3),
        replays: number('pci', 'replay_counter'),
      }),
      eccErrors: known({
        correctedVolatile: countEcc(node, 'volatile', 'corrected'),
        uncorrectedVolatile: countEcc(node, 'volatile', 'uncorrected'),
        correctedAggregate: countEcc(node, 'aggregate', 'corrected'),
        uncorrectedAggregate: countEcc(node, 'aggregate', 'uncorrected'),
      }),
      mig: mig.length === 0 ? undefined : mig,
    }),
  };
}

function readMemory(node: XmlNode): GpuReading['memory'] {
  const text = (name: string) => xmlText(node, 'fb_memory_usage', name);
  return smiMemory({
    total: text('total'),
    reserved: text('reserved'),
    used: text('used'),
    free: text('free'),
  });
}

/** Drivers up to 525 give one figure: an average since Ampere, apart from GA100. */
function readPower(node: XmlNode, name: string): GpuReading['powerWatts'] {
  const told = known({
    instant: smiNumber(xmlText(node, 'gpu_power_readings', 'instant_power_draw')),
    average: smiNumber(xmlText(node, 'gpu_power_readings', 'average_power_draw')),
  });
  const draw =
    smiNumber(xmlText(node, 'gpu_power_readings', 'power_draw')) ??
    smiNumber(xmlText(node, 'power_readings', 'power_draw'));
  if (told !== undefined || draw === undefined) return told;
  const architecture = xmlText(node, 'product_architecture') ?? '';
  const isAveraged = /Ampere|Ada|Hopper|Blackwell/.test(architecture) && !/\b(A100|A800|A30)\b/.test(name);
  return isAveraged ? { average: draw } : { instant: draw };
}

const REASONS: readonly (readonly [element: string, reason: ThrottleReason])[] = [
  ['gpu_idle', 'idle'],
  ['applications_clocks_setting', 'application_clocks'],
  ['sw_power_cap', 'sw_power_cap'],
  ['hw_slowdown', 'hw_slowdown'],
  ['sync_boost', 'sync_boost'],
  ['sw_thermal_slowdown', 'sw_thermal'],
  ['hw_thermal_slowdown', 'hw_thermal'],
  ['hw_power_brake_slowdown', 'hw_power_brake'],
  ['display_clocks_setting', 'display_clocks'],
];

function readThrottleReasons(node: XmlNode): readonly ThrottleReason[] | undefined {
  const told = REASONS.map(([element, reason]) => {
    const text =
      xmlText(node, 'clocks_event_reasons', `clocks_event_reason_${element}`) ??
      xmlText(node, 'clocks_throttle_reasons', `clocks_throttle_reason_${element}`);
    return { reason, text };
  }).filter(({ text }) => text === 'Active' || text === 'Not Active');
  return told.length === 0
    ? undefined
    : told.filter(({ text }) => text === 'Active').map(({ reason }) => reason);
}

/** Since Turing errors are told by kind of memory; before, as a total of single and of double bits. */
function countEcc(
  node: XmlNode,
  scope: 'volatile' | 'aggregate',
  kind: 'corrected' | 'uncorrected',
): number | undefined {
  const counters = xmlChild(node, 'ecc_errors', scope);
  const total = smiNumber(xmlText(counters, kind === 'corrected' ? 'single_bit' : 'double_bit', 'total'));
  if (total !== undefined) return total;
  const names =
    kind === 'corrected'
      ? ['sram_correctable', 'dram_correctable']
      : [
          'sram_uncorrectable',
          'sram_uncorrectable_parity',
          'sram_uncorrectable_secded',
          'dram_uncorrectable',
        ];
  const counts = names
    .map((name) => smiNumber(xmlText(counters, name)))
    .filter((count) => count !== undefined);
  return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count);
}

/** The XML names parts by number only; the identifier is that of drivers up to 450, which libraries still take. */
function readMig(node: XmlNode, gpuUuid: string): readonly MigDevice[] {
  return xmlList(node, 'mig_devices', 'mig_device').flatMap((part) => {
    const gpuInstanceId = smiNumber(xmlText(part, 'gpu_instance_id'));
    if (gpuInstanceId === undefined) return [];
    const computeInstanceId = smiNumber(xmlText(part, 'compute_instance_id'));
    return [
      {
        uuid: `MIG-${gpuUuid}/${gpuInstanceId}/${computeInstanceId ?? 0}`,
        name: `MIG ${gpuInstanceId}/${computeInstanceId ?? 0}`,
        gpuInstanceId,
        ...known({ computeInstanceId, memory: readMemory(part) }),
      },
    ];
  });
}

function readProcesses(node: XmlNode): readonly GpuProcess[] {
  return xmlList(node, 'processes', 'process_info').flatMap((info) => {
    const pid = smiNumber(xmlText(info, 'pid'));
    if (pid === undefined) return [];
    const usedBytes = scaled(smiNumber(xmlText(info, 'used_memory')), 2 ** 20);
    return [{ pid, ...(usedBytes === undefined ? {} : { usedBytes }) }];
  });
}
