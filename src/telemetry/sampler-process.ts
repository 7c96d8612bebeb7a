import { systemClock } from '../core/clock.ts';
import { openActivity } from './activity.ts';
import type { CollectorName, CollectorTable } from './collectors/all.ts';
import { OpenFiles } from './collectors/open-files.ts';
import type { FromSampler, SamplerStart, ToSampler } from './sampler-messages.ts';
import { collectorsOf, nextDueNs, type Snapshot, takeSnapshot } from './snapshot.ts';
import { advance, delayMs, restUntil, startSchedule, withMissedTick } from './tick-schedule.ts';

/**
 * Snapshots are handed over together for so long: to wake the parent takes as long as to read half of the host, for both
 * sides. Who cannot wait asks for a sample, with which all that is there is handed over.
 */
const HAND_OVER_NS = 400_000_000n;

/** Where nothing is due for longer, as on a host without what a source reads, a tick now and then still shows that it lives. */
const LONGEST_REST_NS = 1_000_000_000n;

/** Snapshots waiting for a parent that does not read. Beyond this they are dropped, so memory stays bounded. */
const MAX_PENDING_SNAPSHOTS = 128;

/** More are not held back, at whatever rate. */
const MAX_HELD_SNAPSHOTS = 40;

interface Sampling {
  setIntervalMs(intervalMs: number): void;
  watchPids(pids: readonly number[]): void;
  sample(): void;
  leaveOut(collectors: readonly CollectorName[]): void;
  stop(): void;
}

/**
 * What a sampler process does from its start to its end: reads one source of the host on a timer and sends snapshots to
 * its parent, which started it with `fork` and says which source.
 */
export function runSamplerProcess(table: CollectorTable): void {
  // Without a parent nobody reads the snapshots, whether it stopped in good order or was killed.
  process.on('disconnect', () => {
    sampling?.stop();
    process.exit(0);
  });
  // Ctrl-C reaches the whole process group; the parent decides when sampling ends.
  process.on('SIGINT', () => {});

  let sampling: Sampling | undefined;
  process.on('message', (message: ToSampler) => {
    switch (message.type) {
      case 'start':
        sampling?.stop();
        sampling = startSampling(table, message);
        return;
      case 'setIntervalMs':
        sampling?.setIntervalMs(message.intervalMs);
        return;
      case 'watchPids':
        sampling?.watchPids(message.pids);
        return;
      case 'sample':
        sampling?.sample();
        return;
      case 'leaveOut':
        sampling?.leaveOut(message.collectors);
        return;
      case 'stop':
        process.disconnect();
    }
  });
}

function startSampling(table: CollectorTable, { source, roots, ...first }: SamplerStart): Sampling {
  const collectors = collectorsOf(table, source);
  const host = { ...roots, files: new OpenFiles() };
  const activity = openActivity(source);
  let { intervalMs, pids } = first;
  let leftOut = new Set(first.leftOut);
  let schedule = startSchedule(systemClock.nowNs(), intervalMs);
  let pending = 0;
  /** Taken and not handed over yet. */
  let held: Snapshot[] = [];
  let heldSinceNs = 0n;
  let isAwaited = true;
  let timer = setTimeout(tick, 0);

  function tick(): void {
    const nowNs = systemClock.nowNs();
    // Timers count whole milliseconds and may fire a fraction of one early.
    if (delayMs(schedule, nowNs) === 0) {
      schedule = advance(schedule, nowNs);
      if (pending < MAX_PENDING_SNAPSHOTS) publish();
      else schedule = withMissedTick(schedule);
      const dueNs = nextDueNs(collectors, leftOut, intervalMs);
      const latestNs = nowNs + LONGEST_REST_NS;
      schedule = restUntil(schedule, dueNs === undefined || dueNs > latestNs ? latestNs : dueNs);
    }
    timer = setTimeout(tick, delayMs(schedule, systemClock.nowNs()));
  }

  function publish(): void {
    const { user, system } = process.cpuUsage();
    const snapshot = takeSnapshot(
      { source, collectors, host, watchedPids: pids, clock: systemClock, leftOut, activity },
      {
        pid: process.pid,
        intervalMs,
        // A tick takes some 500 µs; what is below a tenth of a millisecond is noise that a timeline would have to keep.
        cpuSeconds: Math.round((user + system) / 100) / 1e4,
        missedTicks: schedule.missedTicks,
      },
    );
    pending += 1;
    if (held.length === 0) heldSinceNs = snapshot.tickNs;
    held.push(snapshot);
    const heldAtNextTickNs = snapshot.tickNs + schedule.periodNs - heldSinceNs;
    if (isAwaited || held.length >= MAX_HELD_SNAPSHOTS || heldAtNextTickNs > HAND_OVER_NS) handOver();
  }

  function handOver(): void {
    isAwaited = false;
    const snapshots = held;
    if (snapshots.length === 0) return;
    held = [];
    // A parent that has just gone is noticed by `disconnect`, so the error of this call needs no answer.
    process.send?.({ type: 'snapshots', snapshots } satisfies FromSampler, undefined, undefined, () => {
      pending -= snapshots.length;
    });
  }

  return {
    setIntervalMs: (newIntervalMs) => {
      intervalMs = newIntervalMs;
      schedule = startSchedule(systemClock.nowNs(), intervalMs, schedule.missedTicks);
      isAwaited = true;
      clearTimeout(timer);
      timer = setTimeout(tick, 0);
    },
    watchPids: (newPids) => {
      pids = newPids;
    },
    sample: () => {
      isAwaited = true;
      if (pending < MAX_PENDING_SNAPSHOTS) publish();
    },
    leaveOut: (names) => {
      leftOut = new Set(names);
    },
    stop: () => {
      clearTimeout(timer);
      for (const { name, collect } of collectors) {
        activity.enter(name);
        collect?.close?.();
      }
      activity.close();
    },
  };
}
