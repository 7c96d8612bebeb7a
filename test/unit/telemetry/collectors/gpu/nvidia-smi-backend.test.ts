import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { GpuProblem } from '../../../../../src/telemetry/collectors/gpu/gpu-backend.ts';
import type { GpuReading, GpusReading } from '../../../../../src/telemetry/collectors/gpu/gpu-reading.ts';
import {
  NvidiaSmiBackend,
  type NvidiaSmiLimits,
} from '../../../../../src/telemetry/collectors/gpu/smi/nvidia-smi-backend.ts';
import {
  type FakeSmi,
  type FakeSmiState,
  installFakeSmi,
} from '../../../../support/fake-nvidia-smi/install-fake-smi.ts';
import { fixtureHost } from '../../host-tree.ts';

const L40S = {
  index: '0',
  count: '1',
  uuid: 'GPU-1',
  name: 'NVIDIA L40S',
  'pci.bus_id': '00000000:30:00.0',
  driver_version: '570.1',
  'utilization.gpu': '7 %',
  'utilization.memory': '[N/A]',
  'memory.total': '46068 MiB',
  'memory.reserved': '593 MiB',
  'memory.used': '1000 MiB',
  'memory.free': '44475 MiB',
  'power.draw.instant': '71.15 W',
  'enforced.power.limit': '350.00 W',
  'temperature.gpu': '42',
  'clocks.current.sm': '345 MHz',
  'clocks_event_reasons.active': '0x0000000000000044',
};
const ONE: FakeSmiState = { gpus: [L40S], offered: Object.keys(L40S) };
const TWO: FakeSmiState = {
  ...ONE,
  gpus: [
    { ...L40S, count: '2' },
    { ...L40S, count: '2', index: '1', uuid: 'GPU-2' },
  ],
};

describe('an nvidia-smi that keeps running', () => {
  it('tells what it prints, in base units', async () => {
    const { reading } = open(ONE);
    expect(await reading()).toEqual({
      backend: 'nvidia-smi',
      driverVersion: '570.1',
      gpus: [
        {
          uuid: 'GPU-1',
          index: 0,
          name: 'NVIDIA L40S',
          pciBusId: '0000:30:00.0',
          state: 'ok',
          utilizationRatio: 0.07,
          memory: {
            totalBytes: 46068 * 2 ** 20,
            reservedBytes: 593 * 2 ** 20,
            usedBytes: 1000 * 2 ** 20,
            freeBytes: 44475 * 2 ** 20,
          },
          powerWatts: { instant: 71.15 },
          powerLimitWatts: 350,
          temperatureCelsius: { gpu: 42 },
          clockHertz: { sm: 345e6 },
          throttleReasons: ['sw_power_cap', 'hw_thermal'],
          processes: [],
        },
      ],
    });
  });

  it('asks an old driver for the fields that it had', async () => {
    const row = {
      index: '0',
      uuid: 'GPU-old',
      name: 'Tesla T4, of old',
      'power.draw': '9.5 W',
      'power.limit': '70 W',
      'clocks.gr': '300 MHz',
      'clocks_throttle_reasons.active': '0x0000000000000001',
    };
    const { gpu } = open({
      gpus: [row],
      offered: Object.keys(row),
      help: [
        '"index"\nA number.',
        '"uuid" or "gpu_uuid"\nAn identifier, unlike "temperature.gpu".',
        'Section about "utilization.gpu" and others',
        '"name" or "gpu_name"\nA name.',
        '"power.draw"\n"power.limit"\n"clocks.current.graphics_of_another_kind" or "clocks.gr"',
        '"clocks_throttle_reasons.active"\nA mask.',
      ].join('\n\n'),
    });
    expect(await gpu()).toEqual({
      uuid: 'GPU-old',
      index: 0,
      name: 'Tesla T4, of old',
      state: 'ok',
      powerWatts: { instant: 9.5 },
      powerLimitWatts: 70,
      clockHertz: { graphics: 300e6 },
      throttleReasons: ['idle'],
      processes: [],
    });
  });

  it('waits until it has seen every GPU', async () =>
    expect((await open(TWO).reading()).gpus.map(({ uuid }) => uuid)).toEqual(['GPU-1', 'GPU-2']));

  it('passes over noise on stderr, words about errors between the lines, and half lines', async () => {
    const { reading } = open({
      ...TWO,
      stream: {
        stderr: 'a warning\n',
        between: 'NVRM: Xid (PCI:0000:30:00): 79, pid=1, GPU has fallen off the bus.\n\n',
        halfLines: true,
      },
    });
    expect((await reading()).gpus).toMatchObject([
      { uuid: 'GPU-1', utilizationRatio: 0.07 },
      { uuid: 'GPU-2', utilizationRatio: 0.07 },
    ]);
  });

  it.each([
    '[N/A]',
    'N/A',
    '[Not Supported]',
    '[Insufficient Permissions]',
    '[Requested functionality has been deprecated]',
    '[Unknown Error]',
  ])('takes %s for a value that is not told', async (nothing) => {
    const row = Object.fromEntries(Object.keys(L40S).map((name) => [name, nothing]));
    const { gpu } = open({
      gpus: [{ ...row, index: '0', count: '1', uuid: 'GPU-1', name: 'A' }],
      offered: Object.keys(L40S),
    });
    expect(await gpu()).toEqual({ uuid: 'GPU-1', index: 0, name: 'A', state: 'ok', processes: [] });
  });

  it.each([
    [{ 'memory.total': '[GPU is lost]' }, 'lost'],
    [{ 'temperature.gpu': '[GPU requires reset]' }, 'reset-required'],
    [{ gpu_recovery_action: 'Reset' }, 'reset-required'],
    [{ gpu_recovery_action: 'None' }, 'ok'],
  ])('shows that a GPU does not work: %o', async (changes, state) => {
    const row = { ...L40S, gpu_recovery_action: 'None', ...changes };
    expect((await open({ gpus: [row], offered: Object.keys(row) }).gpu()).state).toBe(state);
  });

  it('leaves out a GPU that is no longer printed, and shows it again when it is', async () => {
    const { reading, read, smi } = open(TWO, { freshMs: 300 }, 100);
    await reading();
    const uuids = () => {
      const outcome = read();
      return outcome.ok ? outcome.value.gpus.map(({ uuid }) => uuid) : [];
    };
    smi.answer(ONE);
    await vi.waitFor(() => expect(uuids()).toEqual(['GPU-1']), WAIT);
    smi.answer(TWO);
    await vi.waitFor(() => expect(uuids()).toEqual(['GPU-1', 'GPU-2']), WAIT);
  });

  it('lists the watched processes, once it has watched for a while', async () => {
    const { read } = open(
      {
        ...ONE,
        processes: [
          { gpu_uuid: 'GPU-1', pid: '17', used_gpu_memory: '2296 MiB' },
          { gpu_uuid: 'GPU-1', pid: '18', used_gpu_memory: '[N/A]' },
          { gpu_uuid: 'GPU-1', pid: '99', used_gpu_memory: '1 MiB' },
        ],
      },
      { freshMs: 300 },
    );
    const seen: unknown[] = [];
    await vi.waitFor(() => {
      const outcome = read([17, 18, 19]);
      if (outcome.ok) seen.push(outcome.value.gpus[0]?.processes);
      expect(seen.at(-1)).toEqual([{ pid: 17, usedBytes: 2296 * 2 ** 20 }, { pid: 18 }]);
    }, WAIT);
    expect(seen[0]).toBeUndefined();
  });

  it('names the parts of a split GPU', async () => {
    const row = { ...L40S, 'mig.mode.current': 'Enabled' };
    const part = (gi: number) =>
      `<mig_device><index>0</index><gpu_instance_id>${gi}</gpu_instance_id><compute_instance_id>0</compute_instance_id></mig_device>`;
    const { gpu } = open({
      gpus: [row],
      offered: Object.keys(row),
      xml: `<nvidia_smi_log><gpu id="1"><uuid>GPU-1</uuid><mig_devices>${part(2)}${part(9)}</mig_devices></gpu></nvidia_smi_log>`,
      list: 'GPU 0: NVIDIA H100 (UUID: GPU-1)\n  MIG 3g.40gb     Device  0: (UUID: MIG-a)\n  MIG 1g.10gb     Device  1: (UUID: MIG-b)\n',
    });
    await vi.waitFor(async () => expect((await gpu()).mig).toHaveLength(2), WAIT);
    expect((await gpu()).mig).toEqual([
      { uuid: 'MIG-a', name: 'MIG 3g.40gb', gpuInstanceId: 2, computeInstanceId: 0 },
      { uuid: 'MIG-b', name: 'MIG 1g.10gb', gpuInstanceId: 9, computeInstanceId: 0 },
    ]);
  });

  it.each([
    [{ exit: 6, stdout: 'No devices were found\n' }, 'absent', /finds no GPU/],
    [
      { exit: 9, stdout: "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n" },
      'unreadable',
      /not loaded. It says: NVIDIA-SMI has failed/,
    ],
    [
      { exit: 18, stderr: 'Failed to initialize NVML: Driver/library version mismatch\n' },
      'unreadable',
      /of different versions/,
    ],
    [
      { exit: 255, stdout: 'Failed to initialize NVML: Driver/library version mismatch\n' },
      'unreadable',
      /of different versions/,
    ],
    [{ exit: 255, stdout: 'Unable to say why\n' }, 'unreadable', /status 255. It says: Unable to say why/],
    [{ exit: 127 }, 'unreadable', /status 127/],
    [{ exit: 0, stdout: 'nothing of use' }, 'malformed', /does not list the fields/],
    [{ hangs: true }, 'unreadable', /no answer within 0.5 s/],
  ])('says why it cannot begin: %o', async (fault, kind, message) => {
    const limits = 'hangs' in fault ? { helpMs: 500 } : {};
    const failure = await open({ ...ONE, fault }, limits).problem();
    expect(failure).toMatchObject({ kind, message: expect.stringMatching(message) });
  });

  it('is absent where it is not installed', async () => {
    const backend = new NvidiaSmiBackend({ command: '/nowhere/nvidia-smi' });
    expect(backend.read(fixtureHost, [])).toMatchObject({
      error: { kind: 'absent', message: /not installed/ },
    });
  });

  it('ends one that falls silent, even one that does not heed it, and begins another', async () => {
    const { reading, problem, smi, read } = open(
      { ...ONE, fault: { ignoresSigterm: true } },
      { silenceMs: 600, killAfterMs: 200, freshMs: 300 },
      50,
    );
    await reading();
    smi.answer({ ...ONE, stream: { silent: true } });
    await vi.waitFor(async () => expect((await problem()).message).toMatch(/printed nothing for \d/), WAIT);
    smi.answer(ONE);
    await vi.waitFor(() => expect(read().ok).toBe(true), WAIT);
  });

  it('tells why one ended in mid-run, and begins another', async () => {
    const { reading, problem, smi, read } = open(ONE);
    await reading();
    smi.answer({
      ...ONE,
      stream: {
        exit: 15,
        words: 'Unable to determine the device handle for GPU0000:30:00.0: GPU is lost.\n',
      },
    });
    expect(await problem()).toMatchObject({
      kind: 'unreadable',
      message: /fallen off the bus. It says: Unable/,
    });
    smi.answer(ONE);
    await vi.waitFor(() => expect(read().ok).toBe(true), WAIT);
  });

  it('prints as often as it is read', async () => {
    const { reading, read } = open({ ...ONE, gpus: [{ ...L40S, 'temperature.gpu': '{period}' }] });
    await reading();
    const startMs = performance.now();
    const seen = new Set<number | undefined>();
    await vi.waitFor(() => {
      const outcome = read();
      if (outcome.ok) seen.add(outcome.value.gpus[0]?.temperatureCelsius?.gpu);
      expect(seen.size).toBeGreaterThan(12);
    }, WAIT);
    // With the period of a second with which it begins this would take twelve.
    expect(performance.now() - startMs).toBeLessThan(8_000);
  });
});

const WAIT = { timeout: 15_000, interval: 50 };

function open(state: FakeSmiState, limits: Partial<NvidiaSmiLimits> = {}, intervalMs = 50) {
  const smi: FakeSmi = installFakeSmi(state);
  const backend = new NvidiaSmiBackend({ command: smi.command, limits });
  onTestFinished(() => backend.close());
  const read = (pids: readonly number[] = []) => backend.read(fixtureHost, pids);
  const until = <T>(found: (outcome: ReturnType<typeof read>) => T | undefined): Promise<T> =>
    vi.waitFor(
      () => {
        const value = found(read());
        if (value === undefined) throw new Error('not yet');
        return value;
      },
      { timeout: 15_000, interval: intervalMs },
    );
  const reading = (): Promise<GpusReading> => until((outcome) => (outcome.ok ? outcome.value : undefined));
  return {
    smi,
    read,
    reading,
    gpu: async (): Promise<GpuReading> => {
      const [gpu] = (await reading()).gpus;
      if (gpu === undefined) throw new Error('no GPU was read');
      return gpu;
    },
    /** The next that is not merely that it is starting. */
    problem: (): Promise<GpuProblem> =>
      until((outcome) => (outcome.ok || outcome.error.isStarting ? undefined : outcome.error)),
  };
}
