import type { EnergySource } from '../benchmark/energy.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import { attempt } from '../core/problem.ts';
import { ok, type Result } from '../core/result.ts';
import { type CollectProblem, type Host, SYSTEM_ROOTS } from '../telemetry/collectors/collector.ts';
import { findRaplFiles, type RaplFile, readRaplZone } from '../telemetry/collectors/rapl.ts';

/**
 * The energy of the processor packages (cores, caches, memory controller; not the memory itself) by RAPL; see `createRapl`.
 * Problems, with the reason: `absent`, as in a virtual machine, `unreadable` and `malformed`. Counted is everything that runs on
 * the host.
 */
export function openRaplEnergy(
  host: Host = SYSTEM_ROOTS,
  clock: Clock = systemClock,
): Result<EnergySource, CollectProblem> {
  const found = attempt<readonly RaplFile[], CollectProblem['kind']>(() =>
    findRaplFiles(host).filter(({ zone }) => zone.startsWith('package-')),
  );
  if (!found.ok) return found;
  const source: EnergySource = {
    name: 'rapl-package',
    read: () =>
      attempt(() => ({
        atNs: clock.nowNs(),
        counters: found.value.map((file) => {
          const { zone, joules, wrapJoules } = readRaplZone(host, file);
          return { domain: zone, joules, wrapJoules };
        }),
      })),
  };
  const first = source.read();
  return first.ok ? ok(source) : { ok: false, error: first.error as CollectProblem };
}
