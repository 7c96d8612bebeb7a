import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Clock } from '../../../../../src/core/clock.ts';
import type { GpuReading } from '../../../../../src/telemetry/collectors/gpu/gpu-reading.ts';
import { NvmlBackend } from '../../../../../src/telemetry/collectors/gpu/nvml/nvml-backend.ts';
import {
  compileFakeNvml,
  type FakeNvml,
  installFakeNvml,
  NO_COMPILER,
} from '../../../../support/fake-nvml/build-fake-nvml.ts';
import { temporaryFolder } from '../../../../support/temporary-folder.ts';
import { unwrap } from '../../../../support/unwrap.ts';
import { hostWith } from '../../host-tree.ts';
import { A100, withLines } from './nvml-states.ts';

const NVIDIA_CARD = {
  'sys/bus/pci/devices/0000:41:00.0/class': '0x030200\n',
  'sys/bus/pci/devices/0000:41:00.0/vendor': '0x10de\n',
  'sys/bus/pci/devices/0000:41:00.0/device': '0x20b0\n',
};

describe.skipIf(NO_COMPILER !== undefined)(
  `NVML${NO_COMPILER === undefined ? '' : `: ${NO_COMPILER}`}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'ptq-nvml-'));
    let newDriver = '';
    let oldDriver = '';

    beforeAll(() => {
      newDriver = compileFakeNvml(folder);
      oldDriver = compileFakeNvml(folder, { isOld: true });
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it('tells everything of a GPU, in base units', () => {
      const { read } = open(newDriver, A100);
      expect(read()).toEqual({
        ok: true,
        value: {
          backend: 'nvml',
          driverVersion: '570.148.08',
          cudaVersion: '12.8',
          gpus: [
            {
              uuid: 'GPU-a1000000-0000-0000-0000-000000000001',
              index: 0,
              name: 'NVIDIA A100-SXM4-40GB',
              pciBusId: '0000:41:00.0',
              state: 'ok',
              utilizationRatio: 0.37,
              memoryActivityRatio: 0.12,
              memory: {
                totalBytes: 42949672960,
                reservedBytes: 543162368,
                usedBytes: 1073741824,
                freeBytes: 41332768768,
              },
              powerWatts: { instant: 49.68 },
              powerLimitWatts: 400,
              energyJoules: 7200.5,
              temperatureCelsius: { gpu: 33, memory: 34 },
              clockHertz: { graphics: 1410e6, sm: 1395e6, memory: 1215e6, video: 1275e6 },
              throttleReasons: ['sw_power_cap', 'sw_thermal'],
              pcie: { replays: 2 },
              eccErrors: {
                correctedVolatile: 3,
                uncorrectedVolatile: 0,
                correctedAggregate: 11,
                uncorrectedAggregate: 1,
              },
              processes: [],
            },
          ],
        },
      });
    });

    it('makes PCIe throughput of byte counters, and none of a counter that wrapped', () => {
      const { read, fake, clock } = open(newDriver, A100);
      read();
      clock.seconds += 2;
      fake.answer(withLines(A100, 'gpu0 field197 3 5000', 'gpu0 field198 3 4000'));
      expect(gpuOf(read()).pcie).toEqual({ txBytesPerSecond: 2000, replays: 2 });
      clock.seconds += 2;
      fake.answer(withLines(A100, 'gpu0 field197 3 5000', 'gpu0 field198 3 14000'));
      expect(gpuOf(read()).pcie).toEqual({ txBytesPerSecond: 0, rxBytesPerSecond: 5000, replays: 2 });
    });

    it('leaves out what a device does not support', () => {
      const bare = 'count 1\ngpu0 uuid GPU-1\ngpu0 name A\n';
      expect(gpuOf(open(newDriver, bare).read())).toEqual({
        uuid: 'GPU-1',
        index: 0,
        name: 'A',
        state: 'ok',
        processes: [],
      });
    });

    it('takes a memory temperature of 0 for a missing sensor', () =>
      expect(gpuOf(open(newDriver, withLines(A100, 'gpu0 field82 1 0')).read()).temperatureCelsius).toEqual({
        gpu: 33,
      }));

    it('asks a driver that lacks newer functions by the older ones', () => {
      const state = withLines(
        A100,
        'gpu0 energy 9000000',
        'gpu0 replays 4',
        'gpu0 process0 4242 1000 0xffffffff 0xffffffff',
      );
      const gpu = gpuOf(open(oldDriver, state).read([4242]));
      expect(gpu).toMatchObject({
        // The first version of the memory counts what the driver reserves as used.
        memory: { totalBytes: 42949672960, usedBytes: 1616904192, freeBytes: 41332768768 },
        powerWatts: { instant: 61.25 },
        energyJoules: 9000,
        temperatureCelsius: { gpu: 33 },
        throttleReasons: ['sw_power_cap', 'sw_thermal'],
        pcie: { replays: 4 },
        processes: [{ pid: 4242, usedBytes: 1000 }],
      });
      expect(gpu.memory).not.toHaveProperty('reservedBytes');
      expect(gpu).not.toHaveProperty('mig');
    });

    it.each([
      ['GA100', 7, '0x20b510de', { instant: 61.25 }],
      ['another Ampere', 7, '0x223510de', { average: 61.25 }],
      ['Turing', 6, '0x1eb810de', { instant: 61.25 }],
      ['Hopper', 9, '0x233010de', { average: 61.25 }],
    ])('knows of %s whether its power usage is an average', (_name, architecture, deviceId, watts) => {
      const state = withLines(
        A100,
        `gpu0 architecture ${architecture}`,
        `gpu0 pci ${deviceId} 00000000:41:00.0`,
      ).replace('gpu0 field186 1 49680\n', '');
      expect(gpuOf(open(newDriver, state).read()).powerWatts).toEqual(watts);
    });

    it('lists the watched processes, with the memory of all their lists and parts', () => {
      const others = Array.from(
        { length: 100 },
        (_, index) => `gpu0 process${index + 3} ${9000 + index} 1 0 0`,
      );
      const state = withLines(
        A100,
        'gpu0 process0 4242 1000 1 0',
        'gpu0 process1 4242 500 2 0',
        'gpu0 process2 17 18446744073709551615 0 0',
        ...others,
        'gpu0 graphics0 4242 18446744073709551615 1 0',
        'gpu0 graphics1 18 70 0 0',
      );
      expect(gpuOf(open(newDriver, state).read([18, 4242, 17, 19])).processes).toEqual([
        { pid: 18, usedBytes: 70 },
        { pid: 4242, usedBytes: 1500 },
        { pid: 17 },
      ]);
    });

    it('tells no processes where it may not', () => {
      const state = withLines(
        A100,
        'gpu0 code nvmlDeviceGetComputeRunningProcesses_v3 4',
        'gpu0 code nvmlDeviceGetGraphicsRunningProcesses_v3 4',
      );
      expect(gpuOf(open(newDriver, state).read([4242]))).not.toHaveProperty('processes');
    });

    it('lists the parts of a GPU that is split, and utilization again when it is whole', () => {
      const split = withLines(
        A100,
        'gpu0 migmode 1',
        'gpu0 code nvmlDeviceGetUtilizationRates 3',
        'mig0.0 uuid MIG-1',
        'mig0.0 name NVIDIA A100-SXM4-40GB MIG 3g.20gb',
        'mig0.0 gi 2',
        'mig0.0 ci 0',
        'mig0.0 memory 1000 10 90 900',
        'mig0.2 uuid MIG-2',
        'mig0.2 name NVIDIA A100-SXM4-40GB MIG 1g.5gb',
        'mig0.2 gi 9',
      );
      const { read, fake } = open(newDriver, split);
      const gpu = gpuOf(read());
      expect(gpu).not.toHaveProperty('utilizationRatio');
      expect(gpu.mig).toEqual([
        {
          uuid: 'MIG-1',
          name: 'MIG 3g.20gb',
          gpuInstanceId: 2,
          computeInstanceId: 0,
          memory: { totalBytes: 1000, reservedBytes: 10, usedBytes: 90, freeBytes: 900 },
        },
        { uuid: 'MIG-2', name: 'MIG 1g.5gb', gpuInstanceId: 9 },
      ]);
      fake.answer(A100);
      const whole = gpuOf(read());
      expect(whole.utilizationRatio).toBe(0.37);
      expect(whole).not.toHaveProperty('mig');
    });

    it.each([
      [15, 'lost'],
      [16, 'reset-required'],
    ])('shows a GPU that answers %i in mid-run as %s, and the others as before', (code, state) => {
      const two = withLines(A100, 'count 2', 'gpu1 name B', 'gpu1 uuid GPU-b', 'gpu1 limit 70000');
      const { read, fake, clock } = open(newDriver, two);
      expect(unwrap(read()).gpus.map((gpu) => gpu.state)).toEqual(['ok', 'ok']);

      fake.answer(withLines(two, `gpu0 code * ${code}`));
      const identity = {
        uuid: 'GPU-a1000000-0000-0000-0000-000000000001',
        index: 0,
        name: 'NVIDIA A100-SXM4-40GB',
        pciBusId: '0000:41:00.0',
      };
      expect(unwrap(read()).gpus).toEqual([
        { ...identity, state },
        { uuid: 'GPU-b', index: 1, name: 'B', state: 'ok', powerLimitWatts: 70, processes: [] },
      ]);
      // In a new session it cannot even be opened, and is still known.
      clock.seconds += 31;
      expect(unwrap(read()).gpus[0]).toEqual({ ...identity, state });
      // And it comes back.
      fake.answer(two);
      clock.seconds += 29;
      expect(gpuOf(read()).state).toBe(state);
      clock.seconds += 2;
      expect(gpuOf(read())).toMatchObject({ ...identity, state: 'ok', utilizationRatio: 0.37 });
    });

    it('shows a GPU that was lost before it was ever seen by its number', () =>
      expect(gpuOf(open(newDriver, withLines(A100, 'gpu0 code * 15')).read())).toEqual({
        uuid: 'gpu-0',
        index: 0,
        name: 'NVIDIA GPU',
        state: 'lost',
      }));

    it('begins a new session after the driver was unloaded in mid-run', () => {
      const { read, fake } = open(newDriver, A100);
      read();
      fake.answer(withLines(A100, 'code nvmlDeviceGetFieldValues 9', 'code nvmlInit_v2 9'));
      const unloaded = {
        ok: false,
        error: { kind: 'unreadable', hint: expect.stringContaining('modprobe') },
      };
      expect(read()).toMatchObject(unloaded);
      expect(read()).toMatchObject(unloaded);
      fake.answer(A100);
      expect(read().ok).toBe(true);
    });

    it.each([
      [4, /lets this user not in/, /access to \/dev\/nvidiactl/],
      [9, /not loaded/, /modprobe nvidia/],
      [12, /library of NVIDIA's driver is missing/, /install the driver whole/],
      [18, /of different versions/, /reboot/],
      [999, /nvmlInit_v2 of NVML failed with code 999/, /kernel log/],
    ])('explains why a session cannot begin: code %i', (code, message, hint) =>
      expect(open(newDriver, `code nvmlInit_v2 ${code}\n`).read()).toEqual({
        ok: false,
        error: {
          kind: 'unreadable',
          message: expect.stringMatching(message),
          hint: expect.stringMatching(hint),
        },
      }),
    );

    it('is merely absent where the driver is not loaded and no card is plugged in, or it finds none', () => {
      expect(open(newDriver, 'code nvmlInit_v2 9\n', {}).read()).toMatchObject({ error: { kind: 'absent' } });
      expect(open(newDriver, 'count 0\n').read()).toEqual({
        ok: false,
        error: { kind: 'absent', message: "NVIDIA's driver finds no GPU." },
      });
    });

    it('tells the energy of each GPU alone, where the board counts it', () => {
      const { readEnergyJoules } = open(newDriver, withLines(A100, 'gpu0 energy 9000000'));
      expect(unwrap(readEnergyJoules())).toEqual(
        new Map([['GPU-a1000000-0000-0000-0000-000000000001', 9000]]),
      );
      expect(unwrap(open(newDriver, A100).readEnergyJoules()).size).toBe(0);
      expect(open(newDriver, 'count 0\n').readEnergyJoules()).toMatchObject({ error: { kind: 'absent' } });
    });

    function open(compiled: string, state: string, host: Readonly<Record<string, string>> = NVIDIA_CARD) {
      const fake: FakeNvml = installFakeNvml(compiled, state);
      const clock = { seconds: 100 };
      const nowNs: Clock['nowNs'] = () => BigInt(clock.seconds * 1e9);
      const backend = new NvmlBackend({ libraries: [fake.library], clock: { nowNs, wallMs: () => 0 } });
      onTestFinished(() => backend.close());
      const roots = hostWith(host);
      return {
        fake,
        clock,
        read: (pids: readonly number[] = []) => backend.read(roots, pids),
        readEnergyJoules: () => backend.readEnergyJoules(roots),
      };
    }
  },
);

describe('without the library of NVIDIA', () => {
  it('NVML is absent', () => {
    const missing = join(temporaryFolder(), 'libnvidia-ml.so.1');
    expect(new NvmlBackend({ libraries: [missing] }).read(hostWith({}), [])).toEqual({
      ok: false,
      error: {
        kind: 'absent',
        message: `NVML is not on this host: no ${missing} can be loaded.`,
        hint: expect.stringContaining('driver'),
      },
    });
  });
});

function gpuOf(result: ReturnType<NvmlBackend['read']>): GpuReading {
  const [gpu] = unwrap(result).gpus;
  if (gpu === undefined) throw new Error('no GPU was read');
  return gpu;
}
