import { systemClock } from '../core/clock.ts';
import { openActivity } from './activity.ts';
import type { CollectorName, CollectorTable } from './collectors/all.ts';
import { OpenFiles } from './collectors/open-files.ts';
import type { FromSampler, SamplerStart, ToSampler } from './sampler-messages.ts';
import { collectorsOf, takeSnapshot } from './snapshot.ts';
import { advance, delayMs, startSchedule, withMissedTick } from './tick-schedule.ts';

/** Snapshots waiting for a parent that does not read. Beyond this they are dropped, so memory stays bounded. */
const MAX_PENDING_SNAPSHOTS = 64;

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
  let timer = setTimeout(tick, 0);

  function tick(): void {
    const nowNs = systemClock.nowNs();
    // Timers count whole milliseconds and may fire a fraction of one early.
    if (delayMs(schedule, nowNs) === 0) {
      schedule = advance(schedule, nowNs);
      if (pending < MAX_PENDING_SNAPSHOTS) publish();
      else schedule = withMissedTick(schedule);
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
        cpuSeconds: (user + system) / 1e6,
        missedTicks: schedule.missedTicks,
      },
    );
    pending += 1;
    // A parent that has just gone is noticed by `disconnect`, so the error of this call needs no answer.
    process.send?.({ type: 'snapshot', snapshot } satisfies FromSampler, undefined, undefined, () => {
      pending -= 1;
    });
  }

  return {
    setIntervalMs: (newIntervalMs) => {
      intervalMs = newIntervalMs;
      schedule = startSchedule(systemClock.nowNs(), intervalMs, schedule.missedTicks);
      clearTimeout(timer);
      timer = setTimeout(tick, 0);
    },
    watchPids: (newPids) => {
      pids = newPids;
    },
    sample: () => {
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
