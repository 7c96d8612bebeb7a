import { describe, expect, it, vi } from 'vitest';
import { startSampler } from '../../../src/telemetry/sampler.ts';
import { encodeSnapshots } from '../../../src/telemetry/sampler-messages.ts';
import { FakeProcess, nothing, setUpSampler } from './fake-sampler-process.ts';
import { memoryOf, snapshotAt } from './snapshots.ts';

const withoutMemory = snapshotAt(1, {
  health: {
    memory: { status: 'failed', durationSeconds: 0, problem: { kind: 'absent', message: 'There is none.' } },
  },
});

describe('Sampler', () => {
  it('is starting until the first snapshot, then up, and hands snapshots to its listeners', () => {
    const { sampler, newest } = setUpSampler();
    const seen: bigint[] = [];
    const unsubscribe = sampler.onSnapshot((snapshot) => seen.push(snapshot.tickNs));
    expect(sampler.health()).toEqual({
      state: 'starting',
      sources: { host: { state: 'starting', pid: 4711, restarts: 0 } },
    });
    expect(sampler.latest()).not.toHaveProperty('memory');
    newest().tick();
    unsubscribe();
    newest().tick();
    expect(seen).toHaveLength(1);
    expect(sampler.health().state).toBe('up');
    expect(sampler.latest().memory).toEqual(memoryOf(7));
  });

  it('puts together what arrives in pieces, and takes several at once', () => {
    const { sampler, newest } = setUpSampler();
    const seen: number[] = [];
    sampler.onSnapshot(({ tickNs }) => seen.push(Number(tickNs) / 1e9));
    const text = `${encodeSnapshots([snapshotAt(1), snapshotAt(2)])}${encodeSnapshots([snapshotAt(3)])}`;
    for (const piece of [text.slice(0, 10), text.slice(10, -1)]) newest().snapshots.emit('data', piece);
    expect(seen).toEqual([1, 2]);
    newest().snapshots.emit('data', '\n');
    expect(seen).toEqual([1, 2, 3]);
  });

  it('asks a process what it does when it has been silent for half of what is too long', () => {
    const { newest } = setUpSampler();
    newest().tick();
    vi.advanceTimersByTime(2499);
    expect(newest().sent).not.toContainEqual({ type: 'tellActivity' });
    newest().tick();
    vi.advanceTimersByTime(2499);
    expect(newest().sent).not.toContainEqual({ type: 'tellActivity' });
    vi.advanceTimersByTime(1);
    expect(newest().sent.at(-1)).toEqual({ type: 'tellActivity' });
  });

  it('shows no old snapshot once its process has ended, and says how that ended', () => {
    const { sampler, newest } = setUpSampler();
    newest().tick();
    newest().end(null, 'SIGSEGV');
    expect(sampler.latest()).not.toHaveProperty('memory');
    expect(sampler.health().sources.host).toMatchObject({
      state: 'down',
      problem: { kind: 'sampler-exited', message: expect.stringContaining('SIGSEGV') },
    });
  });

  it('waits twice as long before each further restart, up to the longest pause', () => {
    const { newest, processes } = setUpSampler();
    const pauses: number[] = [];
    for (let round = 0; round < 9; round += 1) {
      const before = Date.now();
      newest().end(1);
      const count = processes.length;
      while (processes.length === count) vi.advanceTimersByTime(100);
      pauses.push(Date.now() - before);
    }
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  });

  it('starts with the first pause again after a process that lived long', () => {
    const { newest, processes } = setUpSampler();
    newest().end(1);
    vi.advanceTimersByTime(500);
    for (let second = 0; second < 31; second += 1) {
      newest().tick();
      vi.advanceTimersByTime(1000);
    }
    newest().end(1);
    vi.advanceTimersByTime(500);
    expect(processes).toHaveLength(3);
  });

  it('tells a new process what the old one was told', () => {
    const { sampler, newest } = setUpSampler();
    sampler.watch([11, 12]);
    sampler.setIntervalMs(50);
    expect(newest().sent.slice(1)).toEqual([
      { type: 'watchPids', pids: [11, 12] },
      { type: 'setIntervalMs', intervalMs: 50 },
    ]);
    newest().end(1);
    vi.advanceTimersByTime(500);
    expect(newest().sent).toMatchObject([{ type: 'start', intervalMs: 50, pids: [11, 12] }]);
  });

  it('ends a process that falls silent, first gently, then by force, and takes no late snapshot of it', () => {
    const { sampler, newest } = setUpSampler();
    newest().tick();
    vi.advanceTimersByTime(4999);
    expect(sampler.health().state).toBe('up');
    vi.advanceTimersByTime(2);
    expect(sampler.health().sources.host).toMatchObject({
      state: 'down',
      problem: { kind: 'sampler-silent' },
    });
    expect(newest().signals).toEqual(['SIGTERM']);
    newest().tick();
    expect(sampler.latest()).not.toHaveProperty('memory');
    vi.advanceTimersByTime(2000);
    expect(newest().signals).toEqual(['SIGTERM', 'SIGKILL']);
  });

  it('gives a slow interval ten periods before it counts as silence', () => {
    const { sampler } = setUpSampler();
    sampler.setIntervalMs(1000);
    vi.advanceTimersByTime(9999);
    expect(sampler.health().state).toBe('starting');
    vi.advanceTimersByTime(2);
    expect(sampler.health().state).toBe('down');
  });

  it('starts no second process while one cannot be killed, and goes on when that one ends', () => {
    const { sampler, newest, processes } = setUpSampler();
    vi.advanceTimersByTime(60_000);
    expect(sampler.health().sources.host).toMatchObject({
      state: 'down',
      problem: { kind: 'sampler-stuck' },
    });
    expect(processes).toHaveLength(1);
    newest().end(null, 'SIGKILL');
    vi.advanceTimersByTime(500);
    expect(processes).toHaveLength(2);
    newest().tick();
    expect(sampler.health().sources.host).toMatchObject({
      state: 'up',
      restarts: 1,
      problem: { kind: 'sampler-stuck' },
    });
  });

  it('tries again when a process cannot be started at all', () => {
    let attempts = 0;
    const { sampler } = setUpSampler(() => {
      attempts += 1;
      if (attempts === 1) throw new Error('spawn ENOMEM');
      return new FakeProcess();
    });
    expect(sampler.health().sources.host).toMatchObject({
      state: 'down',
      problem: { kind: 'sampler-not-started', message: expect.stringContaining('ENOMEM') },
    });
    vi.advanceTimersByTime(500);
    expect(sampler.health().sources.host).toMatchObject({ pid: 4711, restarts: 1 });
  });

  it('ends a process for which this host has nothing to read, and looks again after ten minutes', () => {
    const { sampler, newest, processes } = setUpSampler();
    newest().tell(withoutMemory);
    expect(newest().sent.at(-1)).toEqual({ type: 'stop' });
    newest().end(0);
    expect(sampler.health()).toEqual({
      state: 'resting',
      sources: { host: { state: 'resting', restarts: 0 } },
    });
    expect(sampler.latest().health.memory).toMatchObject({ status: 'failed', problem: { kind: 'absent' } });
    sampler.setIntervalMs(50);
    vi.advanceTimersByTime(599_999);
    expect(processes).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(newest().sent).toMatchObject([{ type: 'start', intervalMs: 50 }]);
    expect(processes).toHaveLength(2);
    newest().tick();
    expect(sampler.health().sources.host).toEqual({ state: 'up', pid: 4711, restarts: 0 });
    expect(sampler.latest().memory).toEqual(memoryOf(7));
  });

  it('looks no more for what is not there once it is paused, until that ends', async () => {
    const { sampler, newest, processes } = setUpSampler();
    newest().tell(withoutMemory);
    newest().end(0);
    await sampler.pause();
    expect(sampler.health().state).toBe('paused');
    vi.advanceTimersByTime(1_000_000);
    expect(processes).toHaveLength(1);
    sampler.setIntervalMs(100);
    expect(processes).toHaveLength(2);
  });

  it('stops for good, within twice the kill delay even when the process hangs', async () => {
    const { sampler, newest, processes } = setUpSampler();
    newest().tick();
    const stopped = sampler.stop();
    expect(newest().sent.at(-1)).toEqual({ type: 'stop' });
    vi.advanceTimersByTime(4000);
    await stopped;
    expect(sampler.health()).toEqual({
      state: 'stopped',
      sources: { host: { state: 'stopped', restarts: 0 } },
    });
    expect(sampler.latest()).not.toHaveProperty('memory');
    newest().end(null, 'SIGKILL');
    vi.advanceTimersByTime(60_000);
    expect(processes).toHaveLength(1);
  });

  it('gives each source that has a collector a process of its own, and no other', () => {
    const { sampler, processes: started } = setUpSampler(undefined, {
      memory: { source: 'host', create: nothing },
      cpu: { source: 'host', create: nothing },
      disks: { source: 'slow', create: nothing },
    });
    sampler.setIntervalMs(20);
    expect(started.map(({ sent }) => sent)).toMatchObject([
      [{ type: 'start', source: 'host', intervalMs: 100 }, { intervalMs: 20 }],
      [{ type: 'start', source: 'slow', intervalMs: 1000 }, { intervalMs: 1000 }],
    ]);
    sampler.setIntervalMs(2000);
    expect(started.map(({ sent }) => sent.at(-1))).toMatchObject([
      { intervalMs: 2000 },
      { intervalMs: 2000 },
    ]);
  });

  it('ends its processes for a pause, which is no fault, and starts others after it', async () => {
    const { sampler, processes, newest } = setUpSampler();
    newest().tick();
    const paused = sampler.pause();
    expect(newest().sent.at(-1)).toEqual({ type: 'stop' });
    newest().end(0);
    await paused;
    expect(sampler.health()).toEqual({
      state: 'paused',
      sources: { host: { state: 'paused', restarts: 0 } },
    });
    expect(sampler.latest()).toMatchObject({ health: {} });
    expect(sampler.latest()).not.toHaveProperty('memory');
    vi.advanceTimersByTime(60_000);
    sampler.watch([5]);
    expect(processes).toHaveLength(1);
    sampler.setIntervalMs(50);
    expect(newest().sent).toMatchObject([{ type: 'start', intervalMs: 50, pids: [5] }]);
    expect(sampler.health()).toMatchObject({ state: 'starting' });
    newest().tick();
    expect(sampler.health()).toMatchObject({ state: 'up', sources: { host: { restarts: 0 } } });
  });

  it('ends a pause with a new process only when the one before is gone', async () => {
    const { sampler, processes } = setUpSampler();
    const paused = sampler.pause();
    vi.advanceTimersByTime(4000);
    await paused;
    sampler.setIntervalMs(50);
    vi.advanceTimersByTime(60_000);
    expect(processes).toHaveLength(1);
    processes[0]?.end(null, 'SIGKILL');
    vi.advanceTimersByTime(500);
    expect(processes).toHaveLength(2);
  });

  it.each([0, -1, Number.NaN, 4e6])('refuses an interval of %s ms', (intervalMs) => {
    expect(() => startSampler({ entry: new URL('file:///x.js'), intervalMs })).toThrow(RangeError);
  });
});
