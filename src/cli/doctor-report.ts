import { formatBytes, formatSeconds } from '../core/units.ts';
import type { DeviceReport, DoctorReport, Finding } from '../jobs/doctor.ts';
import { renderTable } from './table.ts';

/** What `ptq-agent doctor` prints: what the host is, which devices work, and what is missing. */
export function renderDoctor(report: DoctorReport): string {
  const { host, devices, nvmeDrives, findings } = report;
  return [
    `ptq-agent ${host.agentVersion}, Node.js ${host.nodeVersion}, ONNX Runtime ${host.onnxRuntimeVersion}, ${host.kernel}`,
    '',
    ...titled('CPU', [
      `${host.cpuModel}, ${coresOf(report)}, ${host.architecture}; for int8: ${host.cpuFeatures.join(', ') || 'nothing'}`,
    ]),
    ...titled('memory', [memoryOf(report)]),
    ...titled('GPUs', gpusOf(report)),
    ...titled(
      'NVMe',
      nvmeDrives.map(
        ({ name, model, sizeBytes, firmware, transport }) =>
          `${name}: ${model}, ${formatBytes(sizeBytes)}, firmware ${firmware}, ${transport}`,
      ),
    ),
    ...titled('workers', [confinementOf(report)]),
    '',
    renderTable(['device', 'state', 'opened in', 'first run'], devices.map(deviceRow)),
    ...(findings.length === 0 ? [] : ['', 'what is missing:', ...findings.flatMap(renderFinding)]),
  ].join('\n');
}

/** What models and users' modules are kept from, as a list. */
function confinementOf({ confinement }: DoctorReport): string {
  if (confinement === undefined) return 'it could not be tried what they are kept from';
  const { files, network, programs, newPrivileges } = confinement;
  const kept = [
    ...(files ? ['files of others'] : []),
    ...(network ? ['the network'] : []),
    ...(programs ? ['starting programs'] : []),
    ...(newPrivileges ? ['new privileges'] : []),
  ];
  return kept.length === 0 ? 'not confined' : `kept from ${kept.join(', ')}`;
}

function titled(title: string, values: readonly string[]): readonly string[] {
  return (values.length === 0 ? ['none'] : values).map(
    (value, index) => `${(index === 0 ? title : '').padEnd(9)}${value}`,
  );
}

function coresOf({ host }: DoctorReport): string {
  const cpus = `${host.logicalCpus} CPUs`;
  const cpu = host.hardware?.cpu;
  return cpu === undefined ? cpus : `${cpus} on ${cpu.physicalCores} cores in ${cpu.sockets} sockets`;
}

/** `8 × 32 GiB DDR5`, for each kind of module. */
function modulesOf({ host }: DoctorReport): readonly string[] {
  const kinds = (host.hardware?.memory?.modules ?? []).map(
    ({ sizeBytes, type }) => `${formatBytes(sizeBytes)} ${type}`,
  );
  return [...new Set(kinds)].map((kind) => `${kinds.filter((other) => other === kind).length} × ${kind}`);
}

function memoryOf(report: DoctorReport): string {
  const { host, memory } = report;
  const limitBytes = memory?.cgroup?.limitBytes;
  return [
    formatBytes(host.memoryTotalBytes),
    ...modulesOf(report),
    ...(memory === undefined ? [] : [`${formatBytes(memory.availableBytes)} available`]),
    ...(limitBytes === undefined ? [] : [`limited to ${formatBytes(limitBytes)} by a cgroup`]),
  ].join(', ');
}

/** What is read has names; what the PCI bus shows beside it are cards that nothing is read of. */
function gpusOf({ gpuReading, gpus }: DoctorReport): readonly string[] {
  const { backend, driverVersion, gpus: read = [] } = gpuReading ?? {};
  const named = read.map(({ name, memory, state }) =>
    [
      name,
      ...(memory === undefined ? [] : [formatBytes(memory.totalBytes)]),
      ...(driverVersion === undefined ? [] : [`driver ${driverVersion}`]),
      ...(state === 'ok' ? [] : [state === 'lost' ? 'lost' : 'reset required']),
      `read by ${backend}`,
    ].join(', '),
  );
  const addresses = new Set(read.map(({ pciBusId }) => pciBusId));
  const others = gpus.filter(({ address }) => !addresses.has(address));
  return [...named, ...others.map(({ vendor, id, driver }) => `${vendor} ${id}, ${driver ?? 'no'} driver`)];
}

function deviceRow(report: DeviceReport): readonly string[] {
  if (report.state !== 'works') return [report.device, report.state, '–', '–'];
  const { device, state, softwareOnly, openSeconds, firstRunSeconds } = report;
  return [
    device,
    softwareOnly ? `${state}, in software` : state,
    formatSeconds(openSeconds),
    formatSeconds(firstRunSeconds),
  ];
}

function renderFinding({ subject, what, howToGet }: Finding): readonly string[] {
  return [`  ${subject}: ${what}`, ...(howToGet === undefined ? [] : [`    what to do: ${howToGet}`])];
}
