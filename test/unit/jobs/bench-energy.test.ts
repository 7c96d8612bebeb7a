import { describe, expect, it } from 'vitest';
import { problem } from '../../../src/core/problem.ts';
import { err, ok } from '../../../src/core/result.ts';
import { openBenchEnergy } from '../../../src/jobs/bench-energy.ts';
import { type EnergyNvml, openGpuEnergy } from '../../../src/jobs/gpu-energy.ts';
import { hostWith } from '../telemetry/host-tree.ts';

const absent = () => err(problem('absent', 'nothing counts here'));
const packages = () =>
  ok({ name: 'rapl', read: () => ok({ atNs: 5n, counters: [{ domain: 'package-0', joules: 7 }] }) });

function readingOf(pidsOf: Readonly<Record<string, readonly number[] | undefined>>) {
  const gpus = Object.entries(pidsOf).map(([uuid, pids], index) => ({
    ...{ uuid, index, name: 'A', state: 'ok' as const },
    ...(pids === undefined ? {} : { processes: pids.map((pid) => ({ pid })) }),
  }));
  return ok({ backend: 'nvml' as const, gpus });
}

/** Two GPUs; `GPU-1` has memory of the process in question. */
const nvml: EnergyNvml = {
  readEnergyJoules: () =>
    ok(
      new Map([
        ['GPU-1', 10],
        ['GPU-2', 20],
      ]),
    ),
  read: (_host, [pid = 0]) => readingOf({ 'GPU-1': [pid], 'GPU-2': [] }),
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

  it('is that of no GPU where the model lies on none that NVML knows', () => {
    const elsewhere: EnergyNvml = {
      readEnergyJoules: () => ok(new Map([['GPU-1', 10]])),
      read: () => readingOf({ 'GPU-1': [] }),
    };
    const energy = openBenchEnergy('webgpu', { rapl: packages, gpus: boardsOf(elsewhere) });
    energy.keepUsed();
    expect(domainsOf(energy)).toEqual(['package-0']);
  });

  it('is that of the only GPU where the driver does not tell whose memory it is, and of none of several', () => {
    const alone: EnergyNvml = {
      readEnergyJoules: () => ok(new Map([['GPU-1', 10]])),
      read: () => readingOf({ 'GPU-1': undefined }),
    };
    const one = openBenchEnergy('cuda', { rapl: absent, gpus: boardsOf(alone) });
    one.keepUsed();
    expect(domainsOf(one)).toEqual(['GPU-1']);
    const silent: EnergyNvml = { ...nvml, read: () => readingOf({ 'GPU-1': undefined, 'GPU-2': undefined }) };
    const several = openBenchEnergy('cuda', { rapl: absent, gpus: boardsOf(silent) });
    several.keepUsed();
    expect(several.read()).toBeUndefined();
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
