import { describe, expect, it } from 'vitest';
import { problem } from '../../../src/core/problem.ts';
import { err, ok } from '../../../src/core/result.ts';
import { openBenchEnergy } from '../../../src/jobs/bench-energy.ts';
import { type EnergyNvml, openGpuEnergy } from '../../../src/jobs/gpu-energy.ts';
import { hostWith } from '../telemetry/host-tree.ts';

const absent = () => err(problem('absent', 'nothing counts here'));
const packages = () =>
  ok({ name: 'rapl', read: () => ok({ atNs: 5n, counters: [{ domain: 'package-0', joules: 7 }] }) });

/** Two GPUs; `GPU-1` has memory of the process in question. */
const nvml: EnergyNvml = {
  readEnergyJoules: () =>
    ok(
      new Map([
        ['GPU-1', 10],
        ['GPU-2', 20],
      ]),
    ),
  read: (_host, [pid = 0]) =>
    ok({
      backend: 'nvml',
      gpus: [
        { uuid: 'GPU-1', index: 0, name: 'A', state: 'ok', processes: [{ pid }] },
        { uuid: 'GPU-2', index: 1, name: 'B', state: 'ok', processes: [] },
      ],
    }),
  close: () => {},
};
const clock = { nowNs: () => 9n, wallMs: () => 0 };
const boardsOf = (library: EnergyNvml) => () => openGpuEnergy(library, hostWith({}), clock);
const domainsOf = (energy: ReturnType<typeof openBenchEnergy>) =>
  energy.read()?.counters.map(({ domain }) => domain);

describe('the energy of a benchmark', () => {
  it('is that of the processor packages on the CPU, whatever GPUs there are', () => {
    const energy = openBenchEnergy('cpu', { rapl: packages, gpus: boardsOf(nvml) });
    energy.keepUsed();
    expect(domainsOf(energy)).toEqual(['package-0']);
  });

  it('has of a GPU device the GPUs that the model came to lie on', () => {
    const energy = openBenchEnergy('cuda', { rapl: packages, gpus: boardsOf(nvml) });
    expect(domainsOf(energy)).toEqual(['package-0', 'GPU-1', 'GPU-2']);
    energy.keepUsed();
    expect(energy.read()).toEqual({
      atNs: 5n,
      counters: [
        { domain: 'package-0', joules: 7 },
        { domain: 'GPU-1', joules: 10 },
      ],
    });
  });

  it('is that of the GPUs alone in a virtual machine, which has no counters of its processor', () => {
    const energy = openBenchEnergy('cuda', { rapl: absent, gpus: boardsOf(nvml) });
    energy.keepUsed();
    expect(energy.read()).toEqual({ atNs: 9n, counters: [{ domain: 'GPU-1', joules: 10 }] });
  });

  it('keeps all GPUs where the driver does not tell whose memory it is', () => {
    const silent: EnergyNvml = {
      ...nvml,
      read: () => ok({ backend: 'nvml', gpus: [{ uuid: 'GPU-1', index: 0, name: 'A', state: 'ok' }] }),
    };
    const energy = openBenchEnergy('cuda', { rapl: absent, gpus: boardsOf(silent) });
    energy.keepUsed();
    expect(domainsOf(energy)).toEqual(['GPU-1', 'GPU-2']);
  });

  it('is unknown where nothing counts, where no board does, and where one of several fails', () => {
    expect(openBenchEnergy('cuda', { rapl: absent, gpus: absent }).read()).toBeUndefined();
    const none: EnergyNvml = { ...nvml, readEnergyJoules: () => ok(new Map()) };
    expect(openBenchEnergy('cuda', { rapl: absent, gpus: boardsOf(none) }).read()).toBeUndefined();
    let works = true;
    const failing: EnergyNvml = {
      ...nvml,
      readEnergyJoules: (host) => (works ? nvml.readEnergyJoules(host) : absent()),
    };
    const energy = openBenchEnergy('cuda', { rapl: packages, gpus: boardsOf(failing) });
    works = false;
    expect(energy.read()).toBeUndefined();
  });
});
