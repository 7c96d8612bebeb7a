import { describe, expect, it } from 'vitest';
import { renderDoctor } from '../../../src/cli/doctor-report.ts';
import type { DoctorReport } from '../../../src/jobs/doctor.ts';

const REPORT: DoctorReport = {
  host: {
    cpuModel: 'a processor',
    logicalCpus: 8,
    architecture: 'x64',
    cpuFeatures: ['avx2', 'vnni'],
    memoryTotalBytes: 2 ** 34,
    kernel: 'Linux 6.1',
    nodeVersion: 'v22.1.0',
    onnxRuntimeVersion: '1.30.0',
    agentVersion: '0.1.0',
  },
  devices: [{ device: 'cpu', state: 'works', openSeconds: 0.05, firstRunSeconds: 0.0012 }],
  gpus: [],
  nvmeDrives: [],
  confinement: { files: true, network: true, programs: true, newPrivileges: true },
  findings: [],
  usable: true,
};

describe('the report of the doctor', () => {
  it('says what the host is, in a few lines where nothing is missing', () =>
    expect(renderDoctor(REPORT)).toBe(
      [
        'ptq-agent 0.1.0, Node.js v22.1.0, ONNX Runtime 1.30.0, Linux 6.1',
        '',
        'CPU      a processor, 8 CPUs, x64; for int8: avx2, vnni',
        'memory   16.0 GiB',
        'GPUs     none',
        'NVMe     none',
        'workers  kept from files of others, the network, starting programs, new privileges',
        '',
        'device  state  opened in  first run',
        'cpu     works    50.0 ms    1.20 ms',
      ].join('\n'),
    ));

  it('says what workers are kept from, if anything', () => {
    const nothing = { files: false, network: false, programs: false, newPrivileges: false };
    expect(renderDoctor({ ...REPORT, confinement: nothing })).toContain('workers  not confined');
    expect(renderDoctor({ ...REPORT, confinement: { ...nothing, network: true } })).toContain(
      'workers  kept from the network\n',
    );
    const { confinement: _, ...untried } = REPORT;
    expect(renderDoctor(untried)).toContain('workers  it could not be tried');
  });

  it('lists what is there: memory and its limit, GPUs with names, others by number, drives', () => {
    const text = renderDoctor({
      ...REPORT,
      memory: {
        totalBytes: 2 ** 34,
        availableBytes: 2 ** 33,
        freeBytes: 0,
        cachedBytes: 0,
        swapTotalBytes: 0,
        swapFreeBytes: 0,
        cgroup: { currentBytes: 0, limitBytes: 2 ** 32 },
      },
      gpuReading: {
        backend: 'nvml',
        driverVersion: '535.1',
        gpus: [
          {
            uuid: 'GPU-1',
            index: 0,
            name: 'NVIDIA T4',
            pciBusId: 'a',
            state: 'ok',
            memory: { totalBytes: 15 * 2 ** 30, usedBytes: 0, freeBytes: 15 * 2 ** 30 },
          },
          { uuid: 'GPU-2', index: 1, name: 'NVIDIA X', state: 'lost' },
        ],
      },
      gpus: [
        { address: 'a', vendor: 'NVIDIA', id: '10de:1eb8', driver: 'nvidia' },
        { address: 'b', vendor: 'AMD', id: '1002:74a1' },
      ],
      nvmeDrives: [{ name: 'nvme0', model: 'M', firmware: 'F1', transport: 'pcie', sizeBytes: 2 ** 40 }],
    });
    expect(text).toContain('memory   16.0 GiB, 8.00 GiB available, limited to 4.00 GiB by a cgroup');
    expect(text).toContain(
      [
        'GPUs     NVIDIA T4, 15.0 GiB, driver 535.1, read by nvml',
        '         NVIDIA X, driver 535.1, lost, read by nvml',
        '         AMD 1002:74a1, no driver',
        'NVMe     nvme0: M, 1.00 TiB, firmware F1, pcie',
      ].join('\n'),
    );
  });

  it('lists cards by number where nothing is read of them', () => {
    const gpus = [{ address: 'a', vendor: 'NVIDIA', id: '10de:1eb8' }];
    expect(renderDoctor({ ...REPORT, gpus })).toContain('GPUs     NVIDIA 10de:1eb8, no driver');
  });

  it('says for each device whether it works, and last what to do about what is missing', () => {
    const text = renderDoctor({
      ...REPORT,
      devices: [
        { device: 'webgpu', state: 'works', openSeconds: 1, firstRunSeconds: 2, softwareOnly: true },
        { device: 'cuda', state: 'absent', reason: 'no GPU', howToGet: 'buy one' },
        { device: 'tensorrt', state: 'fails', reason: 'it hangs' },
      ],
      findings: [
        { subject: 'cuda', what: 'no GPU', howToGet: 'buy one' },
        { subject: 'tensorrt', what: 'it hangs' },
      ],
    });
    expect(text).toMatch(/^webgpu +works, in software +1\.00 s +2\.00 s$/m);
    expect(text).toMatch(/^cuda +absent +– +–$/m);
    expect(text).toMatch(/^tensorrt +fails +– +–$/m);
    expect(text.split('\n').slice(-4)).toEqual([
      'what is missing:',
      '  cuda: no GPU',
      '    what to do: buy one',
      '  tensorrt: it hangs',
    ]);
  });
});
