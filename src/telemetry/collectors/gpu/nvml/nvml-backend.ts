import { type Clock, systemClock } from '../../../../core/clock.ts';
import { problem } from '../../../../core/problem.ts';
import { err, ok, type Result } from '../../../../core/result.ts';
import type { Host } from '../../collector.ts';
import type { GpuBackend, GpuProblem } from '../gpu-backend.ts';
import { type GpuReading, type GpusReading, known } from '../gpu-reading.ts';
import { OwnProcesses } from '../own-processes.ts';
import { readPciGpus } from '../pci-gpus.ts';
import { endsSession, NVML, nvmlProblem } from './nvml-codes.ts';
import { NvmlDevice, stateOf } from './nvml-device.ts';
import { type Nvml, openNvml } from './nvml-library.ts';
import { DeviceGone, textAt } from './nvml-queries.ts';

export interface NvmlOptions {
  /** Names or paths of the library, the first that loads is taken. */
  readonly libraries?: readonly string[];
  readonly clock?: Clock;
}

/** While a GPU is lost, the session is begun anew this often: a GPU that was reset answers in a new one only. */
const LOOK_AGAIN_NS = 30_000_000_000n;
const TEXT_BYTES = 96;

interface Session {
  readonly nvml: Nvml;
  readonly driverVersion?: string;
  readonly cudaVersion?: string;
  /** By index. A GPU that could not be opened stands there as it was known before, with its state. */
  readonly devices: readonly (NvmlDevice | GpuReading)[];
  readonly openedAtNs: bigint;
}

type Identities = readonly NvmlDevice['identity'][];

/** GPUs by the library that NVIDIA's driver brings: no process is started, and a reading is some dozens of calls. */
export class NvmlBackend implements GpuBackend {
  readonly name = 'nvml';
  readonly #libraries: readonly string[] | undefined;
  readonly #clock: Clock;
  readonly #ownProcesses = new OwnProcesses();
  #session: Session | undefined;
  #hasLostGpu = false;
  /** As they were last seen, so that a GPU that is lost keeps its name. */
  #identities: Identities = [];

  constructor({ libraries, clock = systemClock }: NvmlOptions = {}) {
    this.#libraries = libraries;
    this.#clock = clock;
  }

  read(host: Host, watchedPids: readonly number[]): Result<GpusReading, GpuProblem> {
    return this.#ask(host, ({ driverVersion, cudaVersion, devices }, nowNs) => {
      const gpus = devices.map((device) =>
        device instanceof NvmlDevice ? device.read({ host, watchedPids, nowNs }) : device,
      );
      this.#hasLostGpu = gpus.some(({ state }) => state !== 'ok');
      return { backend: 'nvml', ...known({ driverVersion, cudaVersion }), gpus };
    });
  }

  /** What the GPUs took since their driver was loaded, in joules by UUID, and nothing else: one call a GPU, some microseconds. */
  readEnergyJoules(host: Host): Result<ReadonlyMap<string, number>, GpuProblem> {
    return this.#ask(host, ({ devices }) => {
      const joules = new Map<string, number>();
      for (const device of devices) {
        if (!(device instanceof NvmlDevice)) continue;
        const taken = device.readEnergyJoules();
        if (taken !== undefined) joules.set(device.identity.uuid, taken);
      }
      return joules;
    });
  }

  #ask<T>(host: Host, question: (session: Session, nowNs: bigint) => T): Result<T, GpuProblem> {
    const nowNs = this.#clock.nowNs();
    const isOld = this.#session !== undefined && nowNs - this.#session.openedAtNs >= LOOK_AGAIN_NS;
    if (isOld && this.#hasLostGpu) this.close();
    if (this.#session === undefined) {
      const opened = openSession(this.#libraries, host, nowNs, this.#identities, this.#ownProcesses);
      if (!opened.ok) return opened;
      this.#session = opened.value;
      this.#identities = this.#session.devices.map(identityOf);
    }
    try {
      return ok(question(this.#session, nowNs));
    } catch (error) {
      if (!(error instanceof DeviceGone)) throw error;
      this.close();
      return err(nvmlProblem('A question to a device', error.code));
    }
  }

  close(): void {
    const session = this.#session;
    this.#session = undefined;
    if (session !== undefined) closeLibrary(session.nvml);
  }
}

function openSession(
  libraries: readonly string[] | undefined,
  host: Host,
  nowNs: bigint,
  identities: Identities,
  ownProcesses: OwnProcesses,
): Result<Session, GpuProblem> {
  const opened = openNvml(libraries);
  if (!opened.ok) return opened;
  const nvml = opened.value;
  const failed = (reason: GpuProblem): Result<Session, GpuProblem> => {
    closeLibrary(nvml);
    return err(reason);
  };
  const code = nvml.call('nvmlInit_v2');
  if (code !== NVML.success) {
    const reason = nvmlProblem('nvmlInit_v2', code);
    // Images for CUDA bring the library to hosts without a GPU, where that its driver is not loaded is no news.
    const isNoNews = code === NVML.driverNotLoaded && !hasNvidiaCard(host);
    return failed(isNoNews ? problem('absent', reason.message) : reason);
  }
  const bytes = new Uint8Array(TEXT_BYTES);
  const view = new DataView(bytes.buffer);
  const counted = nvml.call('nvmlDeviceGetCount_v2', bytes);
  if (counted !== NVML.success) return failed(nvmlProblem('nvmlDeviceGetCount_v2', counted));
  const count = view.getUint32(0, true);
  if (count === 0) return failed(problem('absent', "NVIDIA's driver finds no GPU."));
  try {
    const devices = Array.from({ length: count }, (_, index) =>
      openDevice(nvml, index, identities, ownProcesses),
    );
    return ok({
      nvml,
      ...known({ driverVersion: driverVersionOf(nvml), cudaVersion: cudaVersionOf(nvml) }),
      devices,
      openedAtNs: nowNs,
    });
  } catch (error) {
    if (!(error instanceof DeviceGone)) throw error;
    return failed(nvmlProblem('nvmlDeviceGetHandleByIndex_v2', error.code));
  }
}

/** Throws `DeviceGone` when the session is over. */
function openDevice(
  nvml: Nvml,
  index: number,
  identities: Identities,
  ownProcesses: OwnProcesses,
): NvmlDevice | GpuReading {
  const handle = new Uint8Array(8);
  try {
    const code = nvml.call('nvmlDeviceGetHandleByIndex_v2', index, handle);
    if (code !== NVML.success) throw new DeviceGone(code);
    const address = Number(new DataView(handle.buffer).getBigUint64(0, true));
    return new NvmlDevice(nvml, address, index, ownProcesses);
  } catch (error) {
    if (!(error instanceof DeviceGone) || endsSession(error.code)) throw error;
    const unknown = { uuid: `gpu-${index}`, index, name: 'NVIDIA GPU' };
    return { ...(identities.find((identity) => identity.index === index) ?? unknown), state: stateOf(error) };
  }
}

function identityOf(device: NvmlDevice | GpuReading): NvmlDevice['identity'] {
  if (device instanceof NvmlDevice) return device.identity;
  const { uuid, index, name, pciBusId } = device;
  return { uuid, index, name, ...(pciBusId === undefined ? {} : { pciBusId }) };
}

function driverVersionOf(nvml: Nvml): string | undefined {
  const bytes = new Uint8Array(TEXT_BYTES);
  const code = nvml.call('nvmlSystemGetDriverVersion', bytes, TEXT_BYTES);
  return code === NVML.success ? textAt(bytes, 0, TEXT_BYTES) : undefined;
}

/** 12080 is CUDA 12.8. */
function cudaVersionOf(nvml: Nvml): string | undefined {
  const bytes = new Uint8Array(4);
  if (nvml.call('nvmlSystemGetCudaDriverVersion_v2', bytes) !== NVML.success) return undefined;
  const version = new DataView(bytes.buffer).getUint32(0, true);
  return `${Math.floor(version / 1000)}.${Math.floor((version % 1000) / 10)}`;
}

function hasNvidiaCard({ sysPath }: Host): boolean {
  return readPciGpus(sysPath).some(({ vendor }) => vendor === 'NVIDIA');
}

function closeLibrary(nvml: Nvml): void {
  nvml.call('nvmlShutdown');
  nvml.unload();
}
