import { describe, expect, it } from 'vitest';
import { LiveWork } from '../../../../src/jobs/capture/live-work.ts';
import { monitorWork } from '../../../../src/jobs/capture/monitor-work.ts';
import { fakeSampler } from '../../../support/fake-sampler.ts';
import { fakeSystem } from '../../../support/fake-system.ts';
import { unwrap } from '../../../support/unwrap.ts';
import { cpuOf, snapshotAt } from '../../telemetry/snapshots.ts';

const never = new AbortController().signal;

/** Runs of one, two and three milliseconds. */
const RUNS = Float64Array.from([1, 2, 3].flatMap((ms, run) => [run, 0, 0, 1e6, (1 + ms) * 1e6]));

function watched() {
  const live = new LiveWork();
  const { sampler, publish } = fakeSampler();
  return { live, publish, look: (durationMs = 40) => monitorWork(durationMs, { live, sampler }, never) };
}

describe('monitorWork', () => {
  it('says that nothing runs', async () =>
    expect(unwrap(await watched().look(1))).toEqual({ text: 'nothing runs' }));

  it('tells the run, its phases, how long runs of the models take, and how busy the processors are', async () => {
    const { live, publish, look } = watched();
    live.runStarted({ id: 'one', model: 'tiny' });
    live.phaseBegan({ phase: 'bench', subject: 'quick', startNs: 1n });
    const { system, send } = fakeSystem('int8');
    live.systemStarted(system);
    const seen = look();
    publish(snapshotAt(1, { cpu: cpuOf(10, 10) }));
    send({ kind: 'runs', records: RUNS });
    publish(snapshotAt(2, { cpu: cpuOf(13, 11) }));
    const { text, ...figures } = unwrap(await seen);
    expect(text.split('\n')).toEqual([
      'run one of tiny: bench quick',
      'int8: 3 runs of the model in 40.0 ms, 2.00 ms on average (1.00 ms to 3.00 ms)',
      'processors: 75 % busy',
    ]);
    expect(figures).toEqual({ deviceIdlePercent: 25, stepMs: { avg: 2, min: 1, max: 3 } });
  });

  it('sees systems that start meanwhile, and none any more when it is over', async () => {
    const { live, look } = watched();
    const seen = look();
    const { system, send } = fakeSystem('fp32');
    live.systemStarted(system);
    send({ kind: 'runs', records: RUNS });
    expect(unwrap(await seen).stepMs).toEqual({ avg: 2, min: 1, max: 3 });
    send({ kind: 'runs', records: RUNS });
  });

  it('takes GPUs for the device where they tell how busy they are', async () => {
    const { publish, look } = watched();
    const seen = look();
    const gpu = { uuid: 'a', index: 0, name: 'GPU', state: 'ok' } as const;
    const gpus = { backend: 'nvml', gpus: [{ ...gpu, utilizationRatio: 0.9 }, gpu] } as const;
    publish(snapshotAt(1, { cpu: cpuOf(10, 10), gpus }));
    publish(snapshotAt(2, { cpu: cpuOf(11, 11), gpus }));
    const { text, deviceIdlePercent } = unwrap(await seen);
    expect(deviceIdlePercent).toBeCloseTo(10);
    expect(text).toContain('GPUs: 90 % busy');
  });

  it.each([-1, 60_001, Number(2n ** 64n - 1n), Number.NaN])('refuses to look for %s ms', async (durationMs) =>
    expect(await watched().look(durationMs)).toMatchObject({ error: { kind: 'capture-out-of-range' } }),
  );

  it('ends when nobody waits for it any more', async () => {
    const { sampler } = fakeSampler();
    const leave = AbortSignal.timeout(10);
    const seen = await monitorWork(60_000, { live: new LiveWork(), sampler }, leave);
    expect(seen).toMatchObject({ error: { kind: 'cancelled' } });
  });
});
