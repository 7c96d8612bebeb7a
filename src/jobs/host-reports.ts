import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { HostInventory } from '../telemetry/inventory/host-inventory.ts';
import type { Sampler } from '../telemetry/sampler.ts';
import type { AgentDeps } from './agent-deps.ts';
import type { HostFacts } from './doctor-task.ts';
import { type HostFingerprint, readHostFingerprint } from './host-fingerprint.ts';
import { runTask } from './worker-process.ts';

/** What the host is and has, without serial numbers, addresses or secrets. */
export interface HostReport extends Partial<Omit<HostFacts, 'host' | 'memory'>> {
  readonly host: HostFingerprint;
  readonly sampler: string;
  readonly startedAt: string;
}

export interface HostReportDeps {
  readonly workerEntry: AgentDeps['workerEntry'];
  readonly sampler: Pick<Sampler, 'health'>;
  readonly hardware?: Promise<HostInventory>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether a run is under way, which looking at devices would disturb. */
  readonly isBusy: () => boolean;
}

type Devices = Pick<HostFacts, 'devices' | 'gpus' | 'nvmeDrives'>;

const KNOWN_FOR_MS = 10 * 60_000;

/** Tells what the host is. Devices are looked at in a worker, now and then, and never while a run is under way. */
export class HostReports {
  readonly #deps: HostReportDeps;
  readonly #startedMs: number;
  #devices: { readonly atMs: number; readonly read: Promise<Devices | undefined> } | undefined;

  constructor(deps: HostReportDeps) {
    this.#deps = deps;
    this.#startedMs = deps.clock.wallMs();
  }

  async read(): Promise<HostReport> {
    const { sampler, hardware } = this.#deps;
    const devices = await this.#knownDevices();
    // What is not known yet is not waited for.
    const inventory = await Promise.race([hardware, undefined]);
    return {
      host: readHostFingerprint(inventory),
      ...devices,
      sampler: sampler.health().state,
      startedAt: new Date(this.#startedMs).toISOString(),
    };
  }

  #knownDevices(): Promise<Devices | undefined> | undefined {
    const { clock, isBusy } = this.#deps;
    const atMs = clock.wallMs();
    const isFresh = this.#devices !== undefined && Math.abs(atMs - this.#devices.atMs) < KNOWN_FOR_MS;
    if (!isFresh && !isBusy()) this.#devices = { atMs, read: this.#readDevices() };
    return this.#devices?.read;
  }

  async #readDevices(): Promise<Devices | undefined> {
    const { workerEntry: entry, logger } = this.#deps;
    const read = await runTask({ entry }, { kind: 'doctor' });
    if (read.ok) {
      const { devices, gpus, nvmeDrives } = read.value as HostFacts;
      return { devices, gpus, nvmeDrives };
    }
    logger.warn(`the devices of the host cannot be looked at: ${read.error.message}`);
    this.#devices = undefined;
    return undefined;
  }
}
