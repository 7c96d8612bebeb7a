import { describe, expect, it } from 'vitest';
import { watchGpuMemory } from '../../../src/jobs/watch-gpu-memory.ts';
import type { GpuProcess } from '../../../src/telemetry/collectors/gpu/gpu-reading.ts';
import { fakeSampler } from '../../support/fake-sampler.ts';
import { snapshotAt } from '../telemetry/snapshots.ts';

/** The processes of each GPU, as one reading lists them; undefined where a driver tells none. */
type Listed = readonly (readonly GpuProcess[] | undefined)[];

function readingOf(seconds: number, gpus: Listed) {
  return snapshotAt(seconds, {
    source: 'gpu',
    gpus: {
      backend: 'nvml',
      gpus: gpus.map((processes, index) => ({
        uuid: `GPU-${index}`,
        index,
        name: 'A',
        state: 'ok',
        ...(processes === undefined ? {} : { processes }),
      })),
    },
  });
}

/** What was kept of process 7 after these readings. */
async function peakOf(...readings: readonly Listed[]): Promise<number | null> {
  const { sampler, publish, setState } = fakeSampler();
  const watch = watchGpuMemory(sampler);
  watch.addProcess(7);
  for (const [second, gpus] of readings.entries()) publish(readingOf(second, gpus));
  // Nobody answers here when one more reading is called for.
  setState('down');
  return watch.peakBytes(7);
}

describe('the GPU memory of a process', () => {
  it('is the most of all readings, not the last', async () => {
    expect(await peakOf([[held(5)]], [[held(9)]], [[held(2)]], [[]])).toBe(9);
  });

  it('is the sum over GPUs at one moment, not of moments', async () => {
    expect(await peakOf([[held(5)], [held(4)]])).toBe(9);
    expect(await peakOf([[held(5)], []], [[], [held(4)]])).toBe(5);
    expect(await peakOf([[held(5)], undefined])).toBe(5);
  });

  it('is that of the process alone', async () => {
    expect(await peakOf([[held(5), { pid: 8, usedBytes: 100 }]])).toBe(5);
  });

  it.each<[string, readonly Listed[]]>([
    ['nothing was read', []],
    ['there is no GPU', [[]]],
    ['it was on none', [[[{ pid: 8, usedBytes: 100 }]]]],
    ['the driver tells no processes', [[undefined]]],
    ['the driver names it and not what it holds', [[[{ pid: 7 }]]]],
    ['that is not told of one of its GPUs', [[[held(5)], [{ pid: 7 }]]]],
  ])('is unknown where %s', async (_where, readings) => {
    expect(await peakOf(...readings)).toBeNull();
  });

  it('is unknown where the host has no GPU', async () => {
    const { sampler, publish, setState } = fakeSampler();
    const watch = watchGpuMemory(sampler);
    watch.addProcess(7);
    publish(snapshotAt(1, { source: 'gpu' }));
    setState('down');
    expect(await watch.peakBytes(7)).toBeNull();
  });

  it('is read once more when it is asked for, as there may have been no reading yet', async () => {
    const { sampler, publish, told } = fakeSampler();
    const watch = watchGpuMemory(sampler);
    watch.addProcess(7);
    const asked = watch.peakBytes(7);
    expect(told).toEqual(['sample gpu']);
    // What the host's source tells meanwhile is no answer.
    const later = { tickNs: process.hrtime.bigint() + 1_000_000n };
    publish({ ...snapshotAt(1), ...later });
    publish({ ...readingOf(1, [[held(3)]]), ...later });
    expect(await asked).toBe(3);
  });

  it('of a pid is not that of the process that had it before', async () => {
    const { sampler, publish, setState } = fakeSampler();
    const watch = watchGpuMemory(sampler);
    setState('down');
    publish(readingOf(1, [[held(4)]]));
    expect(await watch.peakBytes(7)).toBeNull();
    watch.addProcess(7);
    publish(readingOf(2, [[held(9)]]));
    watch.removeProcess(7);
    watch.addProcess(7);
    publish(readingOf(3, [[held(2)]]));
    expect(await watch.peakBytes(7)).toBe(2);
    watch.stop();
    publish(readingOf(4, [[held(6)]]));
    expect(await watch.peakBytes(7)).toBe(2);
  });
});

function held(usedBytes: number): GpuProcess {
  return { pid: 7, usedBytes };
}
