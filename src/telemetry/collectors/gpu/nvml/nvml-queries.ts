import type { GpuMemory } from '../gpu-reading.ts';
import { isUnsupported, NVML } from './nvml-codes.ts';
import type { Nvml, NvmlFunction } from './nvml-library.ts';

const SCRATCH_BYTES = 512;
const NAME_BYTES = 96;

/** `nvmlMemory_v2_t`, 40 bytes, version 2. */
const MEMORY_V2 = (2 << 24) | 40;
/** `nvmlTemperature_v1_t`, 12 bytes, version 1. */
const TEMPERATURE_V1 = (1 << 24) | 12;
/** NVML_TEMPERATURE_GPU, the only sensor that these functions know. */
const GPU_SENSOR = 0;

type Decode<T> = (bytes: DataView) => T;

/** The device answers nothing for this reason: it is lost, must be reset, or the session with the driver is over. */
export class DeviceGone extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`NVML answers ${code}`);
    this.code = code;
  }
}

const GONE: ReadonlySet<number> = new Set([
  NVML.uninitialized,
  NVML.driverNotLoaded,
  NVML.gpuIsLost,
  NVML.resetRequired,
  NVML.libraryMismatch,
]);

/**
 * Questions to one device, a whole GPU or a part of one. What it does not answer is undefined; what it says not to support
 * is not asked again. Every question throws `DeviceGone` when the device answers nothing any more.
 */
export class NvmlQueries {
  readonly handle: number;
  readonly #nvml: Nvml;
  readonly #unsupported = new Set<string>();
  readonly #bytes = new Uint8Array(SCRATCH_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);

  constructor(nvml: Nvml, handle: number) {
    this.#nvml = nvml;
    this.handle = handle;
  }

  /** Asks everything again, as after a change of the device's mode. */
  forgetUnsupported(): void {
    this.#unsupported.clear();
  }

  name(): string | undefined {
    return this.#text('nvmlDeviceGetName');
  }

  uuid(): string | undefined {
    return this.#text('nvmlDeviceGetUUID');
  }

  /** `nvmlPciInfo_t`: domain, bus, device, device id and subsystem, then the address as text. */
  pci(): { readonly busId: string; readonly deviceId: number } | undefined {
    return this.#ask('nvmlDeviceGetPciInfo_v3', (bytes) => ({
      busId: textAt(this.#bytes, 36, 32),
      deviceId: bytes.getUint32(28, true) >>> 16,
    }));
  }

  architecture(): number | undefined {
    return this.#ask('nvmlDeviceGetArchitecture', firstUint32);
  }

  utilization(): { readonly gpuRatio: number; readonly memoryRatio: number } | undefined {
    return this.#ask('nvmlDeviceGetUtilizationRates', (bytes) => ({
      gpuRatio: bytes.getUint32(0, true) / 100,
      memoryRatio: bytes.getUint32(4, true) / 100,
    }));
  }

  /** The second version tells what the driver keeps for itself; the first counts it as used. */
  memory(): GpuMemory | undefined {
    this.#view.setUint32(0, MEMORY_V2, true);
    return (
      this.#ask('nvmlDeviceGetMemoryInfo_v2', (bytes) => ({
        totalBytes: uint64(bytes, 8),
        usedBytes: uint64(bytes, 32),
        freeBytes: uint64(bytes, 24),
        reservedBytes: uint64(bytes, 16),
      })) ??
      this.#ask('nvmlDeviceGetMemoryInfo', (bytes) => ({
        totalBytes: uint64(bytes, 0),
        usedBytes: uint64(bytes, 16),
        freeBytes: uint64(bytes, 8),
      }))
    );
  }

  powerWatts(): number | undefined {
    return this.#ask('nvmlDeviceGetPowerUsage', firstMilli);
  }

  powerLimitWatts(): number | undefined {
    return this.#ask('nvmlDeviceGetEnforcedPowerLimit', firstMilli);
  }

  energyJoules(): number | undefined {
    return this.#ask('nvmlDeviceGetTotalEnergyConsumption', (bytes) => uint64(bytes, 0) / 1e3);
  }

  temperatureCelsius(): number | undefined {
    this.#view.setUint32(0, TEMPERATURE_V1, true);
    this.#view.setUint32(4, GPU_SENSOR, true);
    return (
      this.#ask('nvmlDeviceGetTemperatureV', (bytes) => bytes.getInt32(8, true)) ??
      this.#askWith('nvmlDeviceGetTemperature', '', firstUint32, GPU_SENSOR)
    );
  }

  /** @param domain  0 graphics, 1 SM, 2 memory, 3 video */
  clockHertz(domain: number): number | undefined {
    return this.#askWith('nvmlDeviceGetClockInfo', `${domain}`, firstMega, domain);
  }

  throttleMask(): number | undefined {
    const mask: Decode<number> = (bytes) => uint64(bytes, 0);
    return (
      this.#ask('nvmlDeviceGetCurrentClocksEventReasons', mask) ??
      this.#ask('nvmlDeviceGetCurrentClocksThrottleReasons', mask)
    );
  }

  pcieReplays(): number | undefined {
    return this.#ask('nvmlDeviceGetPcieReplayCounter', firstUint32);
  }

  /** @param kind  0 corrected, 1 uncorrected   @param scope  0 volatile, 1 aggregate */
  eccErrors(kind: number, scope: number): number | undefined {
    return this.#askWith(
      'nvmlDeviceGetTotalEccErrors',
      `${kind}${scope}`,
      (bytes) => uint64(bytes, 0),
      kind,
      scope,
    );
  }

  /** Whether the GPU is split; undefined where it cannot be. */
  migIsEnabled(): boolean | undefined {
    const pending = this.#bytes.subarray(8, 12);
    return this.#guard('nvmlDeviceGetMigMode', '', [this.handle, this.#bytes, pending], firstUint32) === 1;
  }

  maxMigDevices(): number {
    return this.#ask('nvmlDeviceGetMaxMigDeviceCount', firstUint32) ?? 0;
  }

  /** Undefined where a place is empty. */
  migHandle(position: number): number | undefined {
    return this.#askWith('nvmlDeviceGetMigDeviceHandleByIndex', `${position}`, address, position);
  }

  gpuInstanceId(): number | undefined {
    return this.#ask('nvmlDeviceGetGpuInstanceId', firstUint32);
  }

  computeInstanceId(): number | undefined {
    return this.#ask('nvmlDeviceGetComputeInstanceId', firstUint32);
  }

  /** Fills an array of `nvmlFieldValue_t`; false where the driver does not know the function. */
  fieldValues(count: number, values: Uint8Array): boolean {
    const filled = this.#guard(
      'nvmlDeviceGetFieldValues',
      '',
      [this.handle, count, values],
      () => true as const,
    );
    return filled === true;
  }

  /** The return code of a list of processes: `insufficientSize` asks for as many places as `count` then says. */
  runningProcesses(name: NvmlFunction, count: Uint8Array, list: Uint8Array): number {
    if (this.#unsupported.has(name)) return NVML.notSupported;
    const code = this.#nvml.call(name, this.handle, count, list);
    this.#note(code, name);
    return code;
  }

  #text(name: NvmlFunction): string | undefined {
    return this.#guard(name, '', [this.handle, this.#bytes, NAME_BYTES], () =>
      textAt(this.#bytes, 0, NAME_BYTES),
    );
  }

  #ask<T>(name: NvmlFunction, decode: Decode<T>): T | undefined {
    return this.#guard(name, '', [this.handle, this.#bytes], decode);
  }

  #askWith<T>(name: NvmlFunction, variant: string, decode: Decode<T>, ...choice: number[]): T | undefined {
    return this.#guard(name, variant, [this.handle, ...choice, this.#bytes], decode);
  }

  #guard<T>(
    name: NvmlFunction,
    variant: string,
    values: readonly (number | Uint8Array)[],
    decode: Decode<T>,
  ): T | undefined {
    const question = variant === '' ? name : `${name} ${variant}`;
    if (this.#unsupported.has(question)) return undefined;
    const code = this.#nvml.call(name, ...values);
    if (code === NVML.success) return decode(this.#view);
    this.#note(code, question);
    return undefined;
  }

  #note(code: number, question: string): void {
    if (GONE.has(code)) throw new DeviceGone(code);
    if (isUnsupported(code)) this.#unsupported.add(question);
  }
}

const firstUint32: Decode<number> = (bytes) => bytes.getUint32(0, true);
const firstMilli: Decode<number> = (bytes) => bytes.getUint32(0, true) / 1e3;
const firstMega: Decode<number> = (bytes) => bytes.getUint32(0, true) * 1e6;
const address: Decode<number> = (bytes) => uint64(bytes, 0);

/** Counts and sizes stay far below 2^53. */
function uint64(bytes: DataView, offset: number): number {
  return Number(bytes.getBigUint64(offset, true));
}

export function textAt(bytes: Uint8Array, offset: number, length: number): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + offset, length).toString('latin1');
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}
