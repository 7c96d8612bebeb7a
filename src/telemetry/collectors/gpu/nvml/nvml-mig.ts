import type { MigDevice } from '../gpu-reading.ts';
import type { Nvml } from './nvml-library.ts';
import { NvmlQueries } from './nvml-queries.ts';

interface Part {
  readonly queries: NvmlQueries;
  readonly identity: Omit<MigDevice, 'memory'>;
}

/** Whether a GPU was split differently is looked up this often. */
const REFRESH_NS = 5_000_000_000n;

/** The parts of a GPU that is split by MIG. */
export class NvmlMig {
  readonly #nvml: Nvml;
  #parts: readonly Part[] = [];
  #listedAtNs: bigint | undefined;

  constructor(nvml: Nvml) {
    this.#nvml = nvml;
  }

  read(device: NvmlQueries, nowNs: bigint): readonly MigDevice[] {
    if (this.#listedAtNs === undefined || nowNs - this.#listedAtNs >= REFRESH_NS) {
      this.#parts = this.#list(device);
      this.#listedAtNs = nowNs;
    }
    return this.#parts.map(({ queries, identity }) => {
      const memory = queries.memory();
      return { ...identity, ...(memory === undefined ? {} : { memory }) };
    });
  }

  #list(device: NvmlQueries): readonly Part[] {
    return Array.from({ length: device.maxMigDevices() }, (_, position) => {
      const handle = device.migHandle(position);
      return handle === undefined ? undefined : describe(new NvmlQueries(this.#nvml, handle));
    }).filter((part) => part !== undefined);
  }
}

function describe(queries: NvmlQueries): Part | undefined {
  const uuid = queries.uuid();
  const gpuInstanceId = queries.gpuInstanceId();
  if (uuid === undefined || gpuInstanceId === undefined) return undefined;
  const computeInstanceId = queries.computeInstanceId();
  const name = shortName(queries.name() ?? '');
  return {
    queries,
    identity: {
      uuid,
      name,
      gpuInstanceId,
      ...(computeInstanceId === undefined ? {} : { computeInstanceId }),
    },
  };
}

/** `NVIDIA H100 80GB HBM3 MIG 3g.40gb` is the part `MIG 3g.40gb` of that GPU, as nvidia-smi lists it. */
function shortName(name: string): string {
  return /MIG \S+$/.exec(name)?.[0] ?? name;
}
