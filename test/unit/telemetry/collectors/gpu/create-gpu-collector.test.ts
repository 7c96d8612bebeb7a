import { describe, expect, it, vi } from 'vitest';
import { problem } from '../../../../../src/core/problem.ts';
import { err, ok } from '../../../../../src/core/result.ts';
import { createGpuCollector } from '../../../../../src/telemetry/collectors/gpu/create-gpu-collector.ts';
import type { GpuBackend, GpuProblem } from '../../../../../src/telemetry/collectors/gpu/gpu-backend.ts';
import type { GpuBackendName } from '../../../../../src/telemetry/collectors/gpu/gpu-reading.ts';
import { hostWith } from '../../host-tree.ts';

const ABSENT: GpuProblem = problem('absent', 'it is not here', { hint: 'install it' });
const BROKEN: GpuProblem = problem('unreadable', 'it is broken', { hint: 'mend it' });
const STARTING: GpuProblem = { ...problem('unreadable', 'it starts'), isStarting: true };

describe('the collector of GPUs', () => {
  it('takes the first backend that works, and says once why not those before it', () => {
    const { collect } = collector({ nvml: ABSENT, 'nvidia-smi': BROKEN, 'node-nvidia-smi': 'works' });
    expect(collect()).toEqual(
      ok({
        backend: 'node-nvidia-smi',
        gpus: [],
        notUsed: [
          { backend: 'nvml', reason: 'it is not here', hint: 'install it' },
          { backend: 'nvidia-smi', reason: 'it is broken', hint: 'mend it' },
        ],
      }),
    );
    expect(collect()).toEqual(ok({ backend: 'node-nvidia-smi', gpus: [] }));
  });

  it('is absent where none finds a GPU, and says what is broken where one is', () => {
    expect(collector({ nvml: ABSENT, sysfs: ABSENT }).collect()).toEqual(
      err({ kind: 'absent', message: 'This host has no GPU that can be read.' }),
    );
    expect(collector({ nvml: ABSENT, 'nvidia-smi': BROKEN, sysfs: ABSENT }).collect()).toEqual(err(BROKEN));
  });

  it('waits for one that is starting, and for nothing else', () => {
    const { collect, asked } = collector({ nvml: ABSENT, 'nvidia-smi': STARTING, sysfs: 'works' });
    expect(collect()).toEqual(err(STARTING));
    expect(asked['sysfs']).toBe(0);
  });

  it('does not give up one that has just worked, and tries the others when it fails for longer', () => {
    const { collect, states, clock, asked } = collector({ nvml: 'works', sysfs: 'works' });
    collect();
    states.nvml = BROKEN;
    clock.seconds += 5;
    expect(collect()).toEqual(err(BROKEN));
    expect(asked['sysfs']).toBe(0);
    clock.seconds += 6;
    expect(collect()).toMatchObject({ value: { backend: 'sysfs', notUsed: [{ reason: 'it is broken' }] } });
  });

  it('goes back to a better one that works again, and closes the other', () => {
    const { collect, states, clock, closed } = collector({ nvml: BROKEN, 'nvidia-smi': 'works' });
    expect(collect()).toMatchObject({ value: { backend: 'nvidia-smi' } });
    // While it starts, the other goes on.
    states.nvml = STARTING;
    clock.seconds += 2;
    expect(collect()).toMatchObject({ value: { backend: 'nvidia-smi' } });
    states.nvml = 'works';
    expect(collect()).toMatchObject({ value: { backend: 'nvml', notUsed: [] } });
    expect(closed['nvidia-smi']).toBe(1);
  });

  it('asks one that fails again after a pause that doubles up to a minute, an absent one each minute', () => {
    const { collect, clock, asked } = collector({ nvml: BROKEN, sysfs: ABSENT });
    for (; clock.seconds < 300; clock.seconds += 0.5) collect();
    // After 0, 1, 3, 7, 15, 31, 63, 123, 183 and 243 seconds.
    expect(asked).toMatchObject({ nvml: 10, sysfs: 5 });
  });

  it('begins with the shortest pause again after one that failed has worked', () => {
    const { collect, states, clock, asked } = collector({ nvml: BROKEN });
    for (; clock.seconds < 10; clock.seconds += 0.5) collect();
    states.nvml = 'works';
    clock.seconds = 100;
    collect();
    states.nvml = BROKEN;
    const before = asked['nvml'] ?? 0;
    for (; clock.seconds < 104; clock.seconds += 0.5) collect();
    // After 0, 1 and 3 seconds.
    expect((asked['nvml'] ?? 0) - before).toBe(3);
  });

  it('closes all backends', () => {
    const { close, closed } = collector({ nvml: ABSENT, sysfs: 'works' });
    close();
    expect(closed).toMatchObject({ nvml: 1, sysfs: 1 });
  });

  it('uses only the backend that the environment names', () => {
    const only = collector({ nvml: 'works', 'nvidia-smi': 'works' }, { PTQ_AGENT_GPU_BACKEND: 'nvidia-smi' });
    expect(only.collect()).toMatchObject({ value: { backend: 'nvidia-smi', notUsed: [] } });
    expect(only.asked['nvml']).toBe(0);

    const none = collector({ nvml: 'works' }, { PTQ_AGENT_GPU_BACKEND: 'none' });
    expect(none.collect()).toMatchObject({ error: { kind: 'absent', message: /switched off/ } });
    none.close();

    expect(collector({ nvml: 'works' }, { PTQ_AGENT_GPU_BACKEND: 'nvlm' }).collect()).toEqual(
      err({
        kind: 'malformed',
        message: "PTQ_AGENT_GPU_BACKEND is 'nvlm', which is no way to read GPUs.",
        hint: 'set it to one of auto, nvml, nvidia-smi, node-nvidia-smi, sysfs, none',
      }),
    );
  });

  it('finds none by any real backend on a host without GPUs', () => {
    vi.stubEnv('PATH', '/nowhere');
    const collect = createGpuCollector({ env: { PTQ_AGENT_NVML: '/nowhere/libnvidia-ml.so.1' } });
    expect(collect(hostWith({}), [])).toEqual(
      err({ kind: 'absent', message: 'This host has no GPU that can be read.' }),
    );
    vi.unstubAllEnvs();
  });
});

function collector(
  states: Partial<Record<GpuBackendName, GpuProblem | 'works'>>,
  env: NodeJS.ProcessEnv = {},
) {
  const clock = { seconds: 0 };
  const asked: Record<string, number> = {};
  const closed: Record<string, number> = {};
  const backends = (Object.keys(states) as GpuBackendName[]).map((name): GpuBackend => {
    asked[name] = 0;
    closed[name] = 0;
    return {
      name,
      read: () => {
        asked[name] = (asked[name] ?? 0) + 1;
        const state = states[name];
        return state === 'works' || state === undefined ? ok({ backend: name, gpus: [] }) : err(state);
      },
      close: () => {
        closed[name] = (closed[name] ?? 0) + 1;
      },
    };
  });
  const collect = createGpuCollector({
    backends,
    env,
    clock: { nowNs: () => BigInt(clock.seconds * 1e9), wallMs: () => 0 },
  });
  return {
    states,
    clock,
    asked,
    closed,
    collect: () => collect(hostWithout(), []),
    close: () => collect.close?.(),
  };
}

function hostWithout() {
  return { procPath: '/nowhere', sysPath: '/nowhere', cgroupPath: '/nowhere' };
}
