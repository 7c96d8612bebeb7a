import { describe, expect, it } from 'vitest';
import { err, ok } from '../../../src/core/result.ts';
import { concludeExamination, type DeviceReport, examineDrives } from '../../../src/jobs/doctor.ts';
import { type HostFacts, readHost } from '../../../src/jobs/doctor-task.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const FACTS: HostFacts = {
  host: {
    cpuModel: 'a processor',
    logicalCpus: 8,
    architecture: 'x64',
    cpuFeatures: ['avx2', 'vnni'],
    memoryTotalBytes: 2 ** 34,
    kernel: 'Linux 6.1',
    nodeVersion: 'v20.19.0',
    onnxRuntimeVersion: '1.30.0',
    agentVersion: '0.1.0',
  },
  devices: [],
  gpus: [],
  nvmeDrives: [],
};
const CPU: DeviceReport = { device: 'cpu', state: 'works', openSeconds: 0.1, firstRunSeconds: 0.1 };
const NO_GPU = err({ kind: 'absent', message: 'This host has no GPU that can be read.' });
const CARD = { address: '0000:41:00.0', vendor: 'NVIDIA', id: '10de:2330' };

const hostWith = (host: Partial<HostFacts['host']>) => ({ ...FACTS, host: { ...FACTS.host, ...host } });

describe('what the doctor concludes', () => {
  it('is nothing where the CPU is good and nothing else is expected', () =>
    expect(concludeExamination(FACTS, [CPU], NO_GPU)).toEqual({
      host: FACTS.host,
      gpus: [],
      nvmeDrives: [],
      devices: [CPU],
      findings: [],
      usable: true,
    }));

  it('is that the host is of no use where the CPU does not work', () => {
    const broken = { device: 'cpu', state: 'fails', reason: 'it aborts' } as const;
    expect(concludeExamination(FACTS, [broken], NO_GPU)).toMatchObject({
      usable: false,
      findings: [{ subject: 'cpu', what: 'it aborts' }],
    });
  });

  it.each(['v18.20.0', 'v20.18.3', 'v19.9.0'])('is that Node.js %s is too old', (nodeVersion) =>
    expect(concludeExamination(hostWith({ nodeVersion }), [CPU], NO_GPU)).toMatchObject({
      usable: false,
      findings: [{ subject: 'Node.js', howToGet: 'install Node.js 20.19 or newer' }],
    }),
  );

  it.each(['v20.20.2', 'v22.0.0', 'v24.11.1'])('is nothing about Node.js %s', (nodeVersion) =>
    expect(concludeExamination(hostWith({ nodeVersion }), [CPU], NO_GPU).usable).toBe(true),
  );

  it('is that int8 may not pay on an x86 processor without its instructions', () => {
    const findingsWith = (architecture: string, cpuFeatures: readonly string[]) =>
      concludeExamination(hostWith({ architecture, cpuFeatures }), [CPU], NO_GPU).findings;
    expect(findingsWith('x64', ['avx2', 'avx512'])).toEqual([
      { subject: 'cpu', what: expect.stringContaining('seven bits') },
    ]);
    expect(findingsWith('x64', ['amxInt8'])).toEqual([]);
    expect(findingsWith('arm64', [])).toEqual([]);
  });

  it('is what devices lack, and that software is no GPU', () => {
    const devices: readonly DeviceReport[] = [
      CPU,
      { ...CPU, device: 'webgpu', softwareOnly: true },
      { device: 'cuda', state: 'absent', reason: 'no GPU', howToGet: 'buy one' },
      { device: 'tensorrt', state: 'fails', reason: 'it hangs' },
    ];
    expect(concludeExamination(FACTS, devices, NO_GPU).findings).toEqual([
      {
        subject: 'webgpu',
        what: expect.stringContaining('say nothing about a GPU'),
        howToGet: expect.any(String),
      },
      { subject: 'cuda', what: 'no GPU', howToGet: 'buy one' },
      { subject: 'tensorrt', what: 'it hangs' },
    ]);
  });

  it('is that GPUs are not read, for a card that is plugged in or a driver that is broken', () => {
    const broken = err({ kind: 'unreadable', message: 'it is of another version', hint: 'reboot' });
    expect(concludeExamination({ ...FACTS, gpus: [CARD] }, [CPU], NO_GPU).findings).toEqual([
      {
        subject: 'GPU telemetry',
        what: 'This host has no GPU that can be read. (plugged in: 10de:2330)',
        howToGet: expect.stringContaining('driver'),
      },
    ]);
    expect(concludeExamination(FACTS, [CPU], broken).findings).toEqual([
      { subject: 'GPU telemetry', what: 'it is of another version', howToGet: 'reboot' },
    ]);
  });

  it('is why GPUs are not read in the best way', () => {
    const notUsed = [{ backend: 'nvml', reason: 'koffi is missing', hint: 'install it' }] as const;
    const bySmi = ok({ backend: 'nvidia-smi', notUsed, gpus: [] } as const);
    expect(concludeExamination({ ...FACTS, gpus: [CARD] }, [CPU], bySmi)).toMatchObject({
      gpuReading: { backend: 'nvidia-smi' },
      findings: [
        {
          subject: 'GPU telemetry',
          what: 'read by nvidia-smi, not by nvml: koffi is missing',
          howToGet: 'install it',
        },
      ],
    });
    const ofAmd = ok({ backend: 'sysfs', notUsed, gpus: [] } as const);
    expect(concludeExamination(FACTS, [CPU], ofAmd).findings).toEqual([]);
    const best = ok({ backend: 'nvml', notUsed: [], gpus: [] } as const);
    expect(concludeExamination({ ...FACTS, gpus: [CARD] }, [CPU], best).findings).toEqual([]);
  });
});

it('reads a host whose kernel tells nothing', () => {
  const empty = temporaryFolder();
  const facts = readHost({ kind: 'doctor' }, { procPath: empty, sysPath: empty, cgroupPath: empty });
  expect(facts).toMatchObject({ gpus: [], nvmeDrives: [] });
  expect(facts).not.toHaveProperty('memory');
  expect(facts.devices.map(({ device }) => device)).toEqual(['cpu', 'webgpu', 'cuda', 'tensorrt']);
  expect(readHost({ kind: 'doctor' }).memory?.totalBytes).toBeGreaterThan(0);
});

describe('examineDrives', () => {
  const drive = { name: 'nvme0', model: 'a', firmware: 'b', transport: 'pcie', sizeBytes: 1 };

  it('finds nothing where there is no drive, or the first of them tells its health', async () => {
    const never = () => Promise.reject(new Error('nobody is to be asked'));
    expect(await examineDrives([], never)).toEqual([]);
    expect(await examineDrives([drive], async () => ok({}))).toEqual([]);
  });

  it.each([
    ['not-installed', /install nvme-cli/],
    ['not-permitted', /as root/],
    ['failed', /by hand/],
  ] as const)('says what to do where the health log is %s', async (state, howToGet) => {
    expect(await examineDrives([drive], async () => err({ state, reason: 'because' }))).toEqual([
      {
        subject: 'nvme0',
        what: 'its health log is not read: because',
        howToGet: expect.stringMatching(howToGet),
      },
    ]);
  });
});
