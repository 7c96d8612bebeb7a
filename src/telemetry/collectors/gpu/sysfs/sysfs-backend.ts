import { join } from 'node:path';
import { type Clock, systemClock } from '../../../../core/clock.ts';
import { problem } from '../../../../core/problem.ts';
import { err, ok, type Result } from '../../../../core/result.ts';
import type { Host } from '../../collector.ts';
import { linkedName, listSysfs } from '../../sysfs.ts';
import type { GpuBackend, GpuProblem } from '../gpu-backend.ts';
import type { GpuReading, GpusReading } from '../gpu-reading.ts';
import { type PciGpu, readPciGpus } from '../pci-gpus.ts';
import { readAmdGpu } from './amd-gpu.ts';
import type { ReadCard } from './attributes.ts';
import { readIntelGpu } from './intel-gpu.ts';

const DRIVERS: Readonly<Record<string, ReadCard>> = {
  amdgpu: readAmdGpu,
  i915: readIntelGpu,
  xe: readIntelGpu,
};

interface Card {
  readonly identity: Pick<GpuReading, 'uuid' | 'index' | 'name' | 'pciBusId' | 'state'>;
  readonly folder: string;
  readonly device: string;
  readonly read: ReadCard;
}

/** Cards come and go rarely. */
const LIST_AGAIN_NS = 10_000_000_000n;

/** GPUs of AMD and Intel by what their kernel drivers show in sysfs. Files are small and answer at once. */
export class SysfsBackend implements GpuBackend {
  readonly name = 'sysfs';
  readonly #clock: Clock;
  #cards: readonly Card[] = [];
  #listedAtNs: bigint | undefined;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  read({ sysPath }: Host): Result<GpusReading, GpuProblem> {
    const nowNs = this.#clock.nowNs();
    if (this.#listedAtNs === undefined || nowNs - this.#listedAtNs >= LIST_AGAIN_NS) {
      this.#cards = listCards(sysPath);
      this.#listedAtNs = nowNs;
    }
    const gpus = this.#cards.flatMap(({ identity, folder, device, read }) => {
      const values = read(folder, device);
      // A display of a virtual machine, say, tells nothing.
      return Object.keys(values).length === 0 ? [] : [{ ...identity, ...values }];
    });
    return gpus.length === 0
      ? err(problem('absent', 'No GPU of AMD or Intel tells anything in sysfs.'))
      : ok({ backend: 'sysfs', gpus });
  }

  close(): void {
    this.#listedAtNs = undefined;
  }
}

function listCards(sysPath: string): readonly Card[] {
  const pciGpus = readPciGpus(sysPath);
  return listSysfs(join(sysPath, 'class/drm'))
    .filter((name) => /^card\d+$/.test(name))
    .flatMap((name) => {
      const folder = join(sysPath, 'class/drm', name);
      const device = join(folder, 'device');
      const read = DRIVERS[linkedName(join(device, 'driver')) ?? ''];
      const pci = pciGpus.find(({ address }) => address === linkedName(device));
      return read === undefined || pci === undefined ? [] : [{ pci, folder, device, read }];
    })
    .map(({ pci, ...card }, index) => ({ ...card, identity: identityOf(pci, index) }));
}

function identityOf({ address, vendor, id }: PciGpu, index: number): Card['identity'] {
  return { uuid: address, index, name: `${vendor} ${id}`, pciBusId: address, state: 'ok' };
}
