import type { GpuProcess } from '../gpu-reading.ts';
import { isUnsupported, NVML } from './nvml-codes.ts';
import type { NvmlFunction } from './nvml-library.ts';
import type { NvmlQueries } from './nvml-queries.ts';

/** `nvmlProcessInfo_t` since version 2: pid, used memory, GPU instance, compute instance. */
const ENTRY_BYTES = 24;
const USED_AT = 8;
/** A driver that does not tell the memory of a process (WSL) says so. */
const NOT_AVAILABLE = 2n ** 64n - 1n;
const FIRST_CAPACITY = 64;
const MAX_CAPACITY = 65_536;

/** CUDA and TensorRT compute; WebGPU goes through Vulkan, which the driver counts among graphics. */
const LISTS: readonly (readonly NvmlFunction[])[] = [
  ['nvmlDeviceGetComputeRunningProcesses_v3', 'nvmlDeviceGetComputeRunningProcesses_v2'],
  ['nvmlDeviceGetGraphicsRunningProcesses_v3', 'nvmlDeviceGetGraphicsRunningProcesses_v2'],
];

/** Lists the processes on a GPU, by pids as the driver has them. */
export class NvmlProcesses {
  readonly #count = new Uint8Array(4);
  #list = new Uint8Array(FIRST_CAPACITY * ENTRY_BYTES);

  /** Undefined where the driver tells no processes. */
  read(device: NvmlQueries): readonly GpuProcess[] | undefined {
    const lists = LISTS.map((versions) => this.#firstThatWorks(device, versions));
    const [compute, graphics] = lists;
    if (compute === undefined && graphics === undefined) return undefined;
    return mergeByPid([...(compute ?? []), ...(graphics ?? [])]);
  }

  #firstThatWorks(device: NvmlQueries, versions: readonly NvmlFunction[]): readonly Listed[] | undefined {
    for (const version of versions) {
      const code = this.#fill(device, version);
      if (code === NVML.success) return this.#decode();
      if (!isUnsupported(code)) return undefined;
    }
    return undefined;
  }

  #fill(device: NvmlQueries, version: NvmlFunction): number {
    const count = new DataView(this.#count.buffer);
    for (;;) {
      const capacity = this.#list.length / ENTRY_BYTES;
      count.setUint32(0, capacity, true);
      const code = device.runningProcesses(version, this.#count, this.#list);
      if (code !== NVML.insufficientSize || capacity >= MAX_CAPACITY) return code;
      // Twice as many as there were: some may start before the next call.
      const needed = Math.max(capacity, count.getUint32(0, true)) * 2;
      this.#list = new Uint8Array(Math.min(needed, MAX_CAPACITY) * ENTRY_BYTES);
    }
  }

  #decode(): readonly Listed[] {
    const view = new DataView(this.#list.buffer);
    const count = Math.min(
      new DataView(this.#count.buffer).getUint32(0, true),
      this.#list.length / ENTRY_BYTES,
    );
    return Array.from({ length: count }, (_, index) => {
      const used = view.getBigUint64(index * ENTRY_BYTES + USED_AT, true);
      return {
        pid: view.getUint32(index * ENTRY_BYTES, true),
        instances: view.getBigUint64(index * ENTRY_BYTES + 16, true),
        ...(used === NOT_AVAILABLE ? {} : { usedBytes: Number(used) }),
      };
    });
  }
}

interface Listed extends GpuProcess {
  /** GPU instance and compute instance. */
  readonly instances: bigint;
}

/** A process that computes and draws stands in both lists with the same memory; one on several MIG instances has memory on each. */
function mergeByPid(listed: readonly Listed[]): readonly GpuProcess[] {
  const byPid = new Map<number, Map<bigint, number | undefined>>();
  for (const { pid, instances, usedBytes } of listed) {
    const used = byPid.get(pid) ?? new Map<bigint, number | undefined>();
    byPid.set(pid, used.set(instances, larger(used.get(instances), usedBytes)));
  }
  return [...byPid].map(([pid, used]) => {
    const amounts = [...used.values()].filter((amount) => amount !== undefined);
    return {
      pid,
      ...(amounts.length === 0 ? {} : { usedBytes: amounts.reduce((sum, amount) => sum + amount) }),
    };
  });
}

function larger(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.max(a, b);
}
