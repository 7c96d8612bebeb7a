import { attempt, ProblemError, problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { type CollectProblem, type Host, listFolder, readText } from './collector.ts';

export interface ThermalZone {
  /** `thermal_zone0`; which sensor that is can change with the next boot. */
  readonly zone: string;
  /** What it measures, such as `x86_pkg_temp`; more than one zone can have the same. */
  readonly type: string;
  readonly celsius: number;
}

export interface ThermalReading {
  readonly zones: readonly ThermalZone[];
}

const ZONE = /^thermal_zone\d+$/;

/** Firmware that does not know a temperature gives numbers that no part of a running machine can have. */
const PLAUSIBLE_CELSIUS = { min: -60, max: 200 };

/**
 * Temperatures of the kernel's thermal zones, `/sys/class/thermal/thermal_zone*` (kernel doc driver-api/thermal/sysfs-api.rst),
 * in thousandths of a degree. A reading may ask the firmware. Zones that do not answer, or not sensibly, are left out; `absent`
 * where none does.
 */
export function collectThermal(host: Host): Result<ThermalReading, CollectProblem> {
  const folder = `${host.sysPath}/class/thermal`;
  return attempt(() => {
    const zones = listFolder(folder)
      .filter((name) => ZONE.test(name))
      .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
      .flatMap((zone) => {
        // Zones of a network card that is off, for example, answer with an error.
        const read = attempt(() => readZone(host, folder, zone));
        return read.ok ? (read.value ?? []) : [];
      });
    if (zones.length > 0) return { zones };
    throw new ProblemError(problem('absent', `No thermal zone in ${folder} tells its temperature.`));
  });
}

function readZone(host: Host, folder: string, zone: string): ThermalZone | undefined {
  const text = readText(host, `${folder}/${zone}/temp`).trim();
  const celsius = /^-?\d+$/.test(text) ? Number(text) / 1000 : Number.NaN;
  if (!(celsius >= PLAUSIBLE_CELSIUS.min && celsius <= PLAUSIBLE_CELSIUS.max)) return undefined;
  return { zone, type: readText(host, `${folder}/${zone}/type`).trim(), celsius };
}
