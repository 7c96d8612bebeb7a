import { describe, expect, it, vi } from 'vitest';
import type { SeenActivity } from '../../../src/telemetry/activity.ts';
import type { CollectorTable } from '../../../src/telemetry/collectors/all.ts';
import { nothing, setUpSampler } from './fake-sampler-process.ts';
import { memoryOf, snapshotAt } from './snapshots.ts';

describe('Sampler with a collector that hangs', () => {
  const two: CollectorTable = {
    memory: { source: 'slow', create: nothing },
    disks: { source: 'slow', create: nothing },
  };

  function setUpHanging(collectors = two) {
    const seen: { now: SeenActivity } = { now: { collector: 'disks', processState: 'D' } };
    const { sampler, processes, newest } = setUpSampler(undefined, collectors, () => seen.now);
    sampler.setIntervalMs(1000);
    /** Lets the newest process fall silent and die of it. */
    const hang = () => {
      vi.advanceTimersByTime(10_001);
      newest().end(null, 'SIGTERM');
    };
    const started = (index: number) => processes[index]?.sent[0];
    return { sampler, processes, newest, seen, hang, started };
  }

  it('names it', () => {
    const { sampler } = setUpHanging();
    vi.advanceTimersByTime(10_001);
    const problem = {
      kind: 'collector-hung',
      message: expect.stringMatching(/collector disks hangs: no snapshot for 10000 ms \(process state D\)/),
    };
    expect(sampler.health().sources.slow).toMatchObject({ state: 'down', problem });
    expect(sampler.latest().health).toMatchObject({
      memory: { status: 'down', problem },
      disks: { status: 'down', problem },
    });
  });

  it('says that the process hangs where that is not in a collector', () => {
    const { sampler, seen } = setUpHanging();
    seen.now = { processState: 'T' };
    vi.advanceTimersByTime(10_001);
    expect(sampler.health().sources.slow?.problem).toMatchObject({
      kind: 'sampler-silent',
      message: expect.stringContaining('(process state T)'),
    });
  });

  it('leaves it out after the third time in a row, and tries again later', () => {
    const { sampler, processes, newest, hang, started } = setUpHanging();
    for (const pauseMs of [500, 1000, 2000]) {
      hang();
      vi.advanceTimersByTime(pauseMs);
    }
    expect([1, 2, 3].map(started)).toMatchObject([{ leftOut: [] }, { leftOut: [] }, { leftOut: ['disks'] }]);
    newest().tell(
      snapshotAt(1, {
        source: 'slow',
        health: { memory: { status: 'ok', durationSeconds: 0 } },
        memory: memoryOf(7),
      }),
    );
    const reason = {
      kind: 'collector-left-out',
      message: expect.stringContaining('hung 3 times in a row'),
    };
    expect(sampler.latest()).toMatchObject({
      memory: memoryOf(7),
      health: { memory: { status: 'ok' }, disks: { status: 'down', problem: reason } },
    });
    for (let second = 0; second < 57; second += 1) {
      vi.advanceTimersByTime(1000);
      newest().tick();
    }
    expect(newest().sent.filter(({ type }) => type === 'leaveOut')).toEqual([]);
    vi.advanceTimersByTime(1100);
    expect(newest().sent.at(-1)).toEqual({ type: 'leaveOut', collectors: [] });
    expect(processes).toHaveLength(4);
  });

  it('tells the listeners of snapshots what is left out', () => {
    const { sampler, newest, hang } = setUpHanging();
    const seen: unknown[] = [];
    sampler.onSnapshot(({ health }) => seen.push(health.disks));
    for (const pauseMs of [500, 1000, 2000]) {
      hang();
      vi.advanceTimersByTime(pauseMs);
    }
    newest().tick();
    expect(seen).toMatchObject([{ status: 'down', problem: { kind: 'collector-left-out' } }]);
  });

  it('begins to count anew once it has returned', () => {
    const { newest, hang, started } = setUpHanging();
    hang();
    vi.advanceTimersByTime(500);
    hang();
    vi.advanceTimersByTime(1000);
    const good = { status: 'ok', durationSeconds: 0 } as const;
    newest().tell(snapshotAt(1, { source: 'slow', health: { disks: good } }));
    hang();
    vi.advanceTimersByTime(2000);
    expect(started(3)).toMatchObject({ leftOut: [] });
  });

  it('runs no process at all while there is nothing else to run, and waits longer each time', () => {
    const { sampler, processes, hang } = setUpHanging({ disks: { source: 'slow', create: nothing } });
    for (const pauseMs of [500, 1000, 2000]) {
      hang();
      vi.advanceTimersByTime(pauseMs);
    }
    expect(processes).toHaveLength(3);
    expect(sampler.health().sources.slow).toMatchObject({ state: 'down' });
    vi.advanceTimersByTime(57_900);
    expect(processes).toHaveLength(3);
    vi.advanceTimersByTime(200);
    expect(processes).toHaveLength(4);
    hang();
    vi.advanceTimersByTime(99_900);
    expect(processes).toHaveLength(4);
    vi.advanceTimersByTime(200);
    expect(processes).toHaveLength(5);
  });

  it('goes on without it where its process cannot even be killed, until that ends', () => {
    const { sampler, processes, newest, started } = setUpHanging();
    vi.advanceTimersByTime(10_001 + 4000);
    expect(sampler.health().sources.slow?.problem?.kind).toBe('sampler-stuck');
    vi.advanceTimersByTime(500);
    expect(started(1)).toMatchObject({ leftOut: ['disks'] });
    const reason = { kind: 'collector-left-out', message: expect.stringContaining('cannot be killed') };
    expect(sampler.latest().health.disks).toMatchObject({ status: 'down', problem: reason });
    for (let second = 0; second < 100; second += 1) {
      vi.advanceTimersByTime(1000);
      newest().tick();
    }
    processes[0]?.end(null, 'SIGKILL');
    expect(processes).toHaveLength(2);
    expect(newest().sent.at(-1)).toEqual({ type: 'leaveOut', collectors: [] });
  });

  it('does not touch the other sources', () => {
    const { sampler, processes } = setUpHanging({
      memory: { source: 'host', create: nothing },
      disks: { source: 'slow', create: nothing },
    });
    for (let second = 0; second < 11; second += 1) {
      processes[0]?.tick();
      vi.advanceTimersByTime(1000);
    }
    expect(sampler.health()).toMatchObject({
      state: 'down',
      sources: { host: { state: 'up', restarts: 0 }, slow: { state: 'down' } },
    });
    expect(sampler.latest().memory).toEqual(memoryOf(7));
  });
});
