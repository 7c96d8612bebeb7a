import type { EnergyCounter, EnergySource } from '../benchmark/energy.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import { attempt, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import {
  type CollectProblem,
  type Host,
  listFolder,
  parseCounter,
  readText,
  SYSTEM_ROOTS,
} from '../telemetry/collectors/collector.ts';

/**
 * Zones of whole packages as the powercap driver names their folders. Those with another colon (`intel-rapl:0:0`) are parts of
 * one, and `intel-rapl-mmio` counts the same packages by another way. AMD's processors are found under this name too.
 */
const ZONE = /^intel-rapl:\d+$/;

/** Not `psys`, which stands beside the packages and includes them. */
const PACKAGE = /^package-\d+(?:-die-\d+)?$/;

/**
 * RAPL: the energy of the processor packages (cores, caches, memory controller; not the memory itself), from
 * `/sys/class/powercap` (kernel doc power/powercap/powercap.rst). What kernels since 5.10 show to root only, because it betrays
 * what others compute (CVE-2020-8694). Problems, with the reason: `absent`, as in a virtual machine, `unreadable` and
 * `malformed`. Counted is everything that runs on the host.
 */
export function openRaplEnergy(
  host: Host = SYSTEM_ROOTS,
  clock: Clock = systemClock,
): Result<EnergySource, CollectProblem> {
  const folder = `${host.sysPath}/class/powercap`;
  const found = attempt<readonly Zone[], CollectProblem['kind']>(() => findPackages(host, folder));
  if (!found.ok) return found;
  if (found.value.length === 0) {
    return err(problem('absent', `This host has no RAPL counter of a package in ${folder}`));
  }
  const source: EnergySource = {
    name: 'rapl-package',
    read: () =>
      attempt(() => ({
        atNs: clock.nowNs(),
        counters: found.value.map((zone) => readZone(host, zone)),
      })),
  };
  const first = source.read();
  return first.ok ? ok(source) : err(explain(first.error as CollectProblem));
}

interface Zone {
  readonly domain: string;
  readonly file: string;
  readonly wrapJoules: number;
}

function findPackages(host: Host, folder: string): readonly Zone[] {
  return listFolder(folder)
    .filter((name) => ZONE.test(name))
    .sort()
    .flatMap((name) => {
      const domain = readText(host, `${folder}/${name}/name`).trim();
      if (!PACKAGE.test(domain)) return [];
      const wrapJoules = readJoules(host, `${folder}/${name}/max_energy_range_uj`);
      return [{ domain, file: `${folder}/${name}/energy_uj`, wrapJoules }];
    });
}

function readZone(host: Host, { domain, file, wrapJoules }: Zone): EnergyCounter {
  return { domain, joules: readJoules(host, file), wrapJoules };
}

function readJoules(host: Host, file: string): number {
  return parseCounter(readText(host, file).trim(), 'microjoules', file, 1) / 1e6;
}

function explain(found: CollectProblem): CollectProblem {
  if (found.kind !== 'unreadable') return found;
  return {
    ...found,
    hint: 'energy counters are for root only: run as root, or let a group read the energy_uj files (chgrp and chmod g+r)',
  };
}
