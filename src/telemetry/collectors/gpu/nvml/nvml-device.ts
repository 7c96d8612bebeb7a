import type { Host } from '../../collector.ts';
import { ByteRate } from '../byte-rate.ts';
import { type GpuReading, kernelPciAddress, known, throttleReasons } from '../gpu-reading.ts';
import type { OwnProcesses } from '../own-processes.ts';
import { endsSession, NVML } from './nvml-codes.ts';
import { NvmlFields } from './nvml-fields.ts';
import type { Nvml } from './nvml-library.ts';
import { NvmlMig } from './nvml-mig.ts';
import { NvmlProcesses } from './nvml-processes.ts';
import { DeviceGone, NvmlQueries } from './nvml-queries.ts';

/** NVML_DEVICE_ARCH_AMPERE. */
const AMPERE = 7;
/** Device ids of GA100 (A100, A30, A800) begin so. */
const GA100 = 0x20;

type Identity = Pick<GpuReading, 'uuid' | 'index' | 'name' | 'pciBusId'>;

export interface ReadingContext {
  readonly host: Host;
  readonly watchedPids: readonly number[];
  readonly nowNs: bigint;
}

/** One GPU while the session with the driver lasts. */
export class NvmlDevice {
  readonly #queries: NvmlQueries;
  readonly #fields = new NvmlFields();
  readonly #processes = new NvmlProcesses();
  readonly #ownProcesses: OwnProcesses;
  readonly #mig: NvmlMig;
  readonly #rx = new ByteRate();
  readonly #tx = new ByteRate();
  readonly identity: Identity;
  readonly #powerIsAveraged: boolean;
  #isSplit: boolean | undefined;

  /** Throws `DeviceGone` for a GPU that does not even tell its name. */
  constructor(nvml: Nvml, handle: number, index: number, ownProcesses: OwnProcesses) {
    const queries = new NvmlQueries(nvml, handle);
    const pci = queries.pci();
    const pciBusId = pci === undefined ? undefined : kernelPciAddress(pci.busId);
    this.identity = {
      uuid: queries.uuid() ?? pciBusId ?? `gpu-${index}`,
      index,
      name: queries.name() ?? 'NVIDIA GPU',
      ...(pciBusId === undefined ? {} : { pciBusId }),
    };
    this.#queries = queries;
    this.#powerIsAveraged = powerIsAveraged(queries.architecture(), pci?.deviceId);
    this.#ownProcesses = ownProcesses;
    this.#mig = new NvmlMig(nvml);
  }

  /** Throws `DeviceGone` when not the device but the session is over. */
  read(context: ReadingContext): GpuReading {
    try {
      return { ...this.identity, state: 'ok', ...this.#readValues(context) };
    } catch (error) {
      if (!(error instanceof DeviceGone) || endsSession(error.code)) throw error;
      return { ...this.identity, state: stateOf(error) };
    }
  }

  /** Undefined where the board does not count it, and where it does not answer. Throws `DeviceGone` as `read` does. */
  readEnergyJoules(): number | undefined {
    try {
      return this.#queries.energyJoules();
    } catch (error) {
      if (!(error instanceof DeviceGone) || endsSession(error.code)) throw error;
      return undefined;
    }
  }

  #readValues({ host, watchedPids, nowNs }: ReadingContext): Partial<GpuReading> {
    const device = this.#queries;
    const isSplit = device.migIsEnabled();
    // What a split GPU does not tell, it tells again when it is whole.
    if (isSplit !== this.#isSplit) device.forgetUnsupported();
    this.#isSplit = isSplit;
    const fields = this.#fields.read(device);
    const utilization = device.utilization();
    const mask = device.throttleMask();
    return (
      known({
        utilizationRatio: utilization?.gpuRatio,
        memoryActivityRatio: utilization?.memoryRatio,
        memory: device.memory(),
        powerWatts: this.#powerWatts(fields),
        powerLimitWatts: device.powerLimitWatts(),
        energyJoules: fields.totalEnergy === undefined ? device.energyJoules() : fields.totalEnergy / 1e3,
        temperatureCelsius: known({
          gpu: device.temperatureCelsius(),
          // Boards without that sensor answer 0.
          memory: fields.memoryTemperature === 0 ? undefined : fields.memoryTemperature,
        }),
        clockHertz: known({
          graphics: device.clockHertz(0),
          sm: device.clockHertz(1),
          memory: device.clockHertz(2),
          video: device.clockHertz(3),
        }),
        throttleReasons: mask === undefined ? undefined : throttleReasons(mask),
        pcie: known({
          rxBytesPerSecond: this.#rx.next(fields.pcieRxBytes, nowNs),
          txBytesPerSecond: this.#tx.next(fields.pcieTxBytes, nowNs),
          replays: fields.pcieReplays ?? device.pcieReplays(),
        }),
        eccErrors: known({
          correctedVolatile: device.eccErrors(0, 0),
          uncorrectedVolatile: device.eccErrors(1, 0),
          correctedAggregate: device.eccErrors(0, 1),
          uncorrectedAggregate: device.eccErrors(1, 1),
        }),
        processes: this.#readProcesses(host, watchedPids),
        mig: isSplit ? this.#mig.read(device, nowNs) : undefined,
      }) ?? {}
    );
  }

  #powerWatts(fields: ReturnType<NvmlFields['read']>): GpuReading['powerWatts'] {
    const both = known({
      instant: fields.powerInstant === undefined ? undefined : fields.powerInstant / 1e3,
      average: fields.powerAverage === undefined ? undefined : fields.powerAverage / 1e3,
    });
    if (both !== undefined) return both;
    const watts = this.#queries.powerWatts();
    if (watts === undefined) return undefined;
    return this.#powerIsAveraged ? { average: watts } : { instant: watts };
  }

  #readProcesses(host: Host, watchedPids: readonly number[]): GpuReading['processes'] {
    if (watchedPids.length === 0) return [];
    const listed = this.#processes.read(this.#queries);
    return listed === undefined ? undefined : this.#ownProcesses.find(listed, host, watchedPids);
  }
}

export function stateOf({ code }: DeviceGone): 'lost' | 'reset-required' {
  return code === NVML.resetRequired ? 'reset-required' : 'lost';
}

/**
 * Whether `nvmlDeviceGetPowerUsage` is an average over one second: since Ampere, apart from GA100. A driver that does not
 * tell the architecture is older than that. Source: nvml.h.
 */
function powerIsAveraged(architecture: number | undefined, deviceId: number | undefined): boolean {
  if (architecture === undefined || architecture < AMPERE) return false;
  return architecture > AMPERE || deviceId === undefined || deviceId >>> 8 !== GA100;
}
