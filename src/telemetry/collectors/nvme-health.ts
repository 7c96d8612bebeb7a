import { type Clock, secondsBetween, systemClock } from '../../core/clock.ts';
import { attempt, ProblemError, problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { type CollectProblem, type Host, type OpenCollector, readText } from './collector.ts';
import type { SmartLog } from './smart-log.ts';
import { type ReadSmart, readSmart, type SmartRefusal } from './smart-reader.ts';
import { linkedName, listSysfs, readSysfs } from './sysfs.ts';

export interface NvmeDriveHealth extends SmartLog {
  /** The controller, `nvme0`; its disks are `nvme0n1` and so on. */
  readonly device: string;
}

export interface NvmeHealthReading {
  readonly drives: readonly NvmeDriveHealth[];
  /** Whether the drives' own logs are in `drives`, or why not. `waiting`: the first is on its way, or a job keeps it from being asked for. */
  readonly smart: 'read' | 'waiting' | SmartRefusal['state'];
  readonly smartReason?: string;
}

/** Asking a drive for its log can hold up its other commands for milliseconds. */
const SMART_INTERVAL_SECONDS = 60;

/** A log is shown until the next is overdue. */
const FRESH_SECONDS = 90;

interface Known {
  readonly atNs: bigint;
  readonly outcome: Result<SmartLog, SmartRefusal>;
}

/**
 * Makes the collector of NVMe drives: the temperature of each by hwmon, which needs no rights (kernel doc hwmon/nvme.rst), and
 * its health log by a program, where one is installed and permitted. Such a program is run once a minute while nothing is
 * watched, so that no job is disturbed by it, and the collector never waits for it. `absent` without an NVMe drive.
 */
export function createNvmeHealth({
  read = readSmart,
  clock = systemClock,
}: {
  readonly read?: ReadSmart;
  readonly clock?: Clock;
} = {}): OpenCollector<NvmeHealthReading> {
  const known = new Map<string, Known>();
  const asked = new Map<string, bigint>();
  const running = new Set<string>();

  const ask = (device: string): void => {
    const nowNs = clock.nowNs();
    const lastNs = asked.get(device);
    if (running.has(device)) return;
    if (lastNs !== undefined && secondsBetween(lastNs, nowNs) < SMART_INTERVAL_SECONDS) return;
    asked.set(device, nowNs);
    running.add(device);
    void read(device).then((outcome) => {
      running.delete(device);
      known.set(device, { atNs: clock.nowNs(), outcome });
    });
  };

  return (host, watchedPids) =>
    attempt<NvmeHealthReading, CollectProblem['kind']>(() => {
      const devices = listControllers(host);
      if (devices.length === 0) {
        throw new ProblemError(
          problem('absent', `This host has no NVMe drive in ${host.sysPath}/class/nvme.`),
        );
      }
      if (watchedPids.length === 0) devices.forEach(ask);
      for (const device of known.keys()) if (!devices.includes(device)) known.delete(device);
      const nowNs = clock.nowNs();
      const fresh = devices.flatMap((device) => {
        const last = known.get(device);
        const isFresh = last !== undefined && secondsBetween(last.atNs, nowNs) < FRESH_SECONDS;
        return isFresh ? [{ device, outcome: last.outcome }] : [];
      });
      const drives = devices.map((device) => {
        const outcome = fresh.find((other) => other.device === device)?.outcome;
        const celsius = readTemperature(host, device);
        return {
          device,
          ...(outcome?.ok ? outcome.value : {}),
          ...(celsius === undefined ? {} : { temperatureCelsius: celsius }),
        };
      });
      return { drives, ...stateOf(fresh.map(({ outcome }) => outcome)) };
    });
}

/** Of several drives, the first that refuses says why. */
function stateOf(
  outcomes: readonly Result<SmartLog, SmartRefusal>[],
): Pick<NvmeHealthReading, 'smart' | 'smartReason'> {
  for (const outcome of outcomes) {
    if (!outcome.ok) return { smart: outcome.error.state, smartReason: outcome.error.reason };
  }
  return { smart: outcomes.length > 0 ? 'read' : 'waiting' };
}

function listControllers(host: Host): readonly string[] {
  return listSysfs(`${host.sysPath}/class/nvme`).filter((name) => /^nvme\d+$/.test(name));
}

/**
 * `temp1_input` of the hwmon device that belongs to a controller, in thousandths of a degree: the composite temperature. Reading
 * it sends the drive a command.
 */
function readTemperature(host: Host, controller: string): number | undefined {
  const folder = `${host.sysPath}/class/hwmon`;
  for (const name of listSysfs(folder)) {
    if (readSysfs(`${folder}/${name}/name`) !== 'nvme') continue;
    if (!belongsTo(`${folder}/${name}/device`, controller)) continue;
    const text = attempt(() => readText(host, `${folder}/${name}/temp1_input`).trim());
    return text.ok && /^-?\d+$/.test(text.value) ? Number(text.value) / 1000 : undefined;
  }
  return undefined;
}

/** The device of the sensor is the controller or, before Linux 5.10, the PCI function that has it. */
function belongsTo(device: string, controller: string): boolean {
  return linkedName(device) === controller || listSysfs(`${device}/nvme`).includes(controller);
}
