import type { Device } from '../core/device.ts';
import type { Problem } from '../core/problem.ts';
import { ok, type Result } from '../core/result.ts';
import type { DeviceAvailability } from '../runtime/devices.ts';
import type { GpusReading } from '../telemetry/collectors/gpu/gpu-reading.ts';
import { readSmart, type SmartRefusal } from '../telemetry/collectors/smart-reader.ts';
import { checkDevice } from './check-device.ts';
import { checkGpus } from './check-gpus.ts';
import { type ConfinementTrial, unconfinedParts } from './confinement/confinement-trial.ts';
import type { HostFacts } from './doctor-task.ts';
import type { NvmeDrive } from './nvme-drives.ts';
import { readInventory } from './read-inventory.ts';
import { runTask, type WorkerHost } from './worker-process.ts';

/** A device with what became of trying it. */
export type DeviceReport =
  | {
      readonly device: Device;
      readonly state: 'works';
      readonly openSeconds: number;
      readonly firstRunSeconds: number;
      readonly softwareOnly?: true;
    }
  | {
      readonly device: Device;
      /** `absent`: something that it needs is not there. `fails`: all is there, and it does not work. */
      readonly state: 'absent' | 'fails';
      readonly reason: string;
      readonly howToGet?: string;
    };

/** Something that the host lacks or that limits what can be done on it. */
export interface Finding {
  readonly subject: string;
  readonly what: string;
  readonly howToGet?: string;
}

/** Asks a drive for its health log. */
type AskDrive = (drive: string) => Promise<Result<unknown, SmartRefusal>>;

export interface DoctorReport extends Omit<HostFacts, 'devices'> {
  readonly devices: readonly DeviceReport[];
  /** What telemetry reads of GPUs, and by what; absent where it reads none. */
  readonly gpuReading?: GpusReading;
  /** What workers are kept from; absent where that could not be tried. */
  readonly confinement?: ConfinementTrial;
  readonly findings: readonly Finding[];
  /** Whether the commands of ptq-agent can work here, on the CPU at least. */
  readonly usable: boolean;
}

/**
 * Looks at this host and tries every device that has what it needs, each in a process of its own.
 * Problems: `cancelled`, and the death of the worker that reads the host.
 */
export async function examineHost(
  worker: WorkerHost,
  { signal, askDrive = readSmart }: { readonly signal?: AbortSignal; readonly askDrive?: AskDrive } = {},
): Promise<Result<DoctorReport, Problem>> {
  const controls = signal === undefined ? {} : { signal };
  const read = await runTask(worker, { kind: 'doctor' }, controls);
  if (!read.ok) return read;
  const found = read.value as HostFacts;
  const hardware = await readInventory(worker.entry, controls);
  const facts = { ...found, host: { ...found.host, hardware } };
  const devices: DeviceReport[] = [];
  // One after the other: on a small host they would slow each other down.
  for (const availability of facts.devices) {
    const report = await tryOne(worker, availability, controls);
    if (!report.ok) return report;
    devices.push(report.value);
  }
  const trial = await runTask(worker, { kind: 'confinement-trial' }, controls);
  if (!trial.ok && trial.error.kind === 'cancelled') return trial;
  const gpus = await checkGpus(worker, controls);
  if (!gpus.ok && gpus.error.kind === 'cancelled') return gpus;
  const report = concludeExamination(facts, devices, gpus);
  const drives = await examineDrives(facts.nvmeDrives, askDrive);
  const confinement = trial.ok ? (trial.value as ConfinementTrial) : undefined;
  return ok({
    ...report,
    ...(confinement === undefined ? {} : { confinement }),
    findings: [...report.findings, ...findingsOfConfinement(confinement), ...drives],
  });
}

/** What models could do on this host that is none of their business. */
function findingsOfConfinement(trial: ConfinementTrial | undefined): readonly Finding[] {
  return (trial === undefined ? [] : unconfinedParts(trial)).map(({ what, needs }) => ({
    subject: 'confinement',
    what: `models and users' modules are not kept from ${what}`,
    howToGet: `it takes ${needs}`,
  }));
}

const DRIVE_ADVICE: Readonly<Record<SmartRefusal['state'], string>> = {
  'not-installed': 'install nvme-cli or smartmontools; without, only the temperature of drives is watched',
  'not-permitted': 'run the daemon as root, or go without: the temperature of drives is watched all the same',
  failed: 'ask the drive by hand: `nvme smart-log` or `smartctl -a`',
};

/** Whether the wear of NVMe drives can be watched. One drive speaks for all: what keeps it from telling keeps the others too. */
export async function examineDrives(
  drives: readonly NvmeDrive[],
  askDrive: AskDrive,
): Promise<readonly Finding[]> {
  const [drive] = drives;
  if (drive === undefined) return [];
  const answer = await askDrive(drive.name);
  if (answer.ok) return [];
  const { state, reason } = answer.error;
  return [
    { subject: drive.name, what: `its health log is not read: ${reason}`, howToGet: DRIVE_ADVICE[state] },
  ];
}

async function tryOne(
  worker: WorkerHost,
  { device, available, reason = '', howToGet, softwareOnly }: DeviceAvailability,
  controls: { readonly signal?: AbortSignal },
): Promise<Result<DeviceReport, Problem>> {
  const advice = howToGet === undefined ? {} : { howToGet };
  if (!available) return ok({ device, state: 'absent', reason, ...advice });
  const trial = await checkDevice(worker, device, controls);
  if (trial.ok) {
    return ok({ ...trial.value, state: 'works', ...(softwareOnly === undefined ? {} : { softwareOnly }) });
  }
  const { kind, message, hint } = trial.error;
  if (kind === 'cancelled') return trial;
  return ok({ device, state: 'fails', reason: message, ...(hint === undefined ? {} : { howToGet: hint }) });
}

/** What follows from what was seen. */
export function concludeExamination(
  { devices: _untried, ...facts }: HostFacts,
  devices: readonly DeviceReport[],
  gpuReading: Result<GpusReading, Problem>,
): DoctorReport {
  const { host, gpus } = facts;
  const findings: Finding[] = [];
  const nodeIsSupported = isSupportedNode(host.nodeVersion);
  if (!nodeIsSupported) {
    findings.push({
      subject: 'Node.js',
      what: `${host.nodeVersion} is older than 20.19`,
      howToGet: 'install Node.js 20.19 or newer',
    });
  }
  const fastInt8 = host.cpuFeatures.some((feature) => feature === 'vnni' || feature === 'amxInt8');
  if (host.architecture === 'x64' && !fastInt8) {
    findings.push({
      subject: 'cpu',
      what: 'it has neither VNNI nor AMX: weights get seven bits in int8, and int8 may not be faster than float32',
    });
  }
  for (const report of devices) {
    if (report.state !== 'works') {
      const { device, reason, howToGet } = report;
      findings.push({ subject: device, what: reason, ...(howToGet === undefined ? {} : { howToGet }) });
    } else if (report.softwareOnly) {
      findings.push({
        subject: report.device,
        what: 'it works on the processor (software Vulkan): results are right, times say nothing about a GPU',
        howToGet: "install a GPU and its Vulkan driver, and give a container the GPU's devices",
      });
    }
  }
  findings.push(...findingsOfGpus(gpus, gpuReading));
  return {
    ...facts,
    devices,
    ...(gpuReading.ok ? { gpuReading: gpuReading.value } : {}),
    findings,
    usable: nodeIsSupported && devices.some(({ device, state }) => device === 'cpu' && state === 'works'),
  };
}

/** That GPUs are not read though they are there, and why the best way to read them is not the one in use. */
function findingsOfGpus(gpus: HostFacts['gpus'], reading: Result<GpusReading, Problem>): readonly Finding[] {
  const cards = gpus.filter(({ vendor }) => vendor === 'NVIDIA').map(({ id }) => id);
  const seen = cards.length === 0 ? '' : ` (plugged in: ${cards.join(', ')})`;
  if (!reading.ok) {
    const { kind, message, hint = "install or update the driver of the host's GPUs" } = reading.error;
    if (kind === 'absent' && cards.length === 0) return [];
    return [{ subject: 'GPU telemetry', what: `${message}${seen}`, howToGet: hint }];
  }
  const { backend, notUsed = [] } = reading.value;
  // Where only cards of others are read, that NVIDIA's ways are absent is as it should be.
  if (backend === 'sysfs' && cards.length === 0) return [];
  return notUsed.map(({ backend: better, reason, hint }) => ({
    subject: 'GPU telemetry',
    what: `read by ${backend}, not by ${better}: ${reason}`,
    ...(hint === undefined ? {} : { howToGet: hint }),
  }));
}

/** As `engines` of package.json has it. */
function isSupportedNode(version: string): boolean {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  return major > 20 || (major === 20 && minor >= 19);
}
