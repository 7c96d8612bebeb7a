import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Logger, silentLogger } from '../../../src/core/log.ts';
import { startRunWatch } from '../../../src/jobs/run-watch.ts';
import { summarizeTimeline } from '../../../src/jobs/timeline-task.ts';
import { fakeSampler } from '../../support/fake-sampler.ts';
import { readWholeTimeline } from '../../support/read-whole-timeline.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { ns, processOf, snapshotAt } from '../telemetry/snapshots.ts';

const options = { idleIntervalMs: () => 1000, logger: silentLogger };

describe('startRunWatch', () => {
  it('keeps snapshots and phases in one file and sums them up', async () => {
    const file = join(temporaryFolder(), 'timeline.ptqt');
    const { sampler, publish } = fakeSampler();
    const watch = await startRunWatch(sampler, file, options);
    for (const seconds of [1, 1.1, 1.2]) publish(snapshotAt(seconds));
    watch.phase({ phase: 'calibrate', subject: 'int8', startNs: ns(1), endNs: ns(1.15) });
    expect(await watch.finish()).toBe(true);
    const { snapshots } = await readWholeTimeline(file);
    expect(snapshots.map(({ tickNs }) => tickNs)).toEqual([1, 1.1, 1.2].map(ns));
    expect(await summarizeTimeline({ kind: 'timeline', file })).toMatchObject({
      file,
      snapshots: 3,
      droppedSnapshots: 0,
      phases: [{ phase: 'calibrate', subject: 'int8' }],
    });
  });

  it('samples fast while it lasts, and as before afterwards', async () => {
    const { sampler, told, publish } = fakeSampler();
    const file = join(temporaryFolder(), 'timeline.ptqt');
    const watch = await startRunWatch(sampler, file, options);
    watch.addProcess(11);
    watch.addProcess(12);
    watch.removeProcess(11);
    const finished = watch.finish();
    await finished;
    publish(snapshotAt(1));
    expect(await summarizeTimeline({ kind: 'timeline', file })).toMatchObject({ snapshots: 0 });
    expect(told.filter((line) => line !== 'sample host')).toEqual([
      'interval 100',
      'watch 11',
      'watch 11,12',
      'watch 12',
      'interval 1000',
      'watch ',
    ]);
  });

  it('keeps what a worker holds of GPUs at most', async () => {
    const { sampler, publish, setState } = fakeSampler();
    const watch = await startRunWatch(sampler, join(temporaryFolder(), 'timeline.ptqt'), options);
    watch.addProcess(11);
    for (const usedBytes of [5, 9, 2]) {
      const gpu = { uuid: 'GPU-1', index: 0, name: 'A', state: 'ok' } as const;
      const gpus = { backend: 'nvml', gpus: [{ ...gpu, processes: [{ pid: 11, usedBytes }] }] } as const;
      publish(snapshotAt(usedBytes, { source: 'gpu', gpus }));
    }
    setState('down');
    expect(await watch.peakGpuMemoryBytes(11)).toBe(9);
    watch.removeProcess(11);
    expect(await watch.peakGpuMemoryBytes(11)).toBeNull();
    await watch.finish();
  });

  it('sees the last of a process: waits for a sample of it that is taken later', async () => {
    const { sampler, publish, told } = fakeSampler();
    const watch = await startRunWatch(sampler, join(temporaryFolder(), 'timeline.jsonl'), options);
    let seen = false;
    const seeing = watch.seeLast(10).then(() => {
      seen = true;
    });
    const later = { tickNs: process.hrtime.bigint() + 1_000_000n };
    publish(snapshotAt(0, { processes: [processOf(1)] }));
    publish({ ...snapshotAt(0, { processes: [processOf(1, { pid: 11 })] }), ...later });
    publish({ ...snapshotAt(0), ...later });
    await Promise.resolve();
    expect(told.at(-1)).toBe('sample host');
    expect(seen).toBe(false);
    publish({ ...snapshotAt(0, { processes: [processOf(1)] }), ...later });
    await seeing;
    await watch.finish();
  });

  it('waits for no sample of a sampler that is down', async () => {
    const { sampler, setState, told } = fakeSampler();
    const watch = await startRunWatch(sampler, join(temporaryFolder(), 'timeline.jsonl'), options);
    setState('down');
    const before = performance.now();
    await watch.seeLast(10);
    expect(performance.now() - before).toBeLessThan(100);
    expect(told).not.toContain('sample host');
    await watch.finish();
  });

  it('waits for the last sample of a process that a hanging sampler does not give for less than a second', async () => {
    const watch = await startRunWatch(
      fakeSampler().sampler,
      join(temporaryFolder(), 'timeline.jsonl'),
      options,
    );
    const before = performance.now();
    await watch.seeLast(10);
    expect(performance.now() - before).toBeLessThan(1000);
    await watch.finish();
  });

  it.each([
    [undefined, 'interval 100'],
    ['slow', 'interval 1000'],
    ['100hz', 'interval 10'],
    ['off', 'pause'],
  ] as const)('samples as the run asks: %s', async (sampling, expected) => {
    const { sampler, told } = fakeSampler();
    const file = join(temporaryFolder(), 'timeline.jsonl');
    const watch = await startRunWatch(sampler, file, { ...options, sampling });
    await watch.finish();
    expect(told.slice(0, 2)).toEqual([expected, 'interval 1000']);
  });

  it('samples a part of the run otherwise, and then as before', async () => {
    const { sampler, told, publish } = fakeSampler();
    const file = join(temporaryFolder(), 'timeline.jsonl');
    const watch = await startRunWatch(sampler, file, { ...options, sampling: '20hz' });
    const seen = await watch.sampledAs('50hz', async (between) => {
      publish(snapshotAt(1));
      return between?.(ns(1), ns(1.5));
    });
    expect(seen).toEqual({ intervalSeconds: 0.02, longestGapSeconds: 0.5 });
    await expect(watch.sampledAs('off', () => Promise.reject(new Error('died')))).rejects.toThrow('died');
    expect(told.filter((line) => line !== 'sample host')).toEqual([
      'interval 50',
      'interval 20',
      'interval 50',
      'pause',
      'interval 50',
    ]);
    await watch.finish();
  });

  it('no longer speaks for processes that end after it', async () => {
    const { sampler, told } = fakeSampler();
    const watch = await startRunWatch(sampler, join(temporaryFolder(), 'timeline.ptqt'), options);
    watch.addProcess(11);
    await watch.finish();
    const before = told.length;
    watch.removeProcess(11);
    expect(told).toHaveLength(before);
  });

  it('lets the run go on where no timeline can be written, and says so', async () => {
    const file = join(temporaryFolder(), 'timeline.ptqt');
    writeFileSync(file, 'the timeline of another run');
    const warnings: string[] = [];
    const logger: Logger = { ...silentLogger, warn: (message) => void warnings.push(message) };
    const { sampler, publish, told } = fakeSampler();
    const watch = await startRunWatch(sampler, file, { ...options, logger });
    publish(snapshotAt(1));
    watch.phase({ phase: 'load', startNs: 1n, endNs: 2n });
    expect(await watch.finish()).toBe(false);
    expect(warnings).toEqual([expect.stringContaining(file)]);
    expect(told).toContain('interval 1000');
  });
});

describe('summarizeTimeline', () => {
  it('names the file that is no timeline', async () => {
    const file = join(temporaryFolder(), 'timeline.ptqt');
    writeFileSync(file, 'words\n');
    await expect(summarizeTimeline({ kind: 'timeline', file })).rejects.toThrow(file);
  });
});
