import { isMainThread } from 'node:worker_threads';
import { openActivity } from './activity.ts';
import type { CollectorTable } from './collectors/all.ts';
import type { SamplerStart, ToSampler } from './sampler-messages.ts';
import { Sampling, type SamplingDriver } from './sampling.ts';
import { sampleAsThread, startSamplingThread } from './sampling-thread.ts';
import { writeToParent } from './write-to-parent.ts';

/**
 * What a sampler process does from its start to its end: reads one source of the host on a timer and sends snapshots to
 * its parent, which started it with `fork` and says which source. In a thread of such a process it does that thread's part.
 */
export function runSamplerProcess(table: CollectorTable): void {
  if (!isMainThread) {
    sampleAsThread(table);
    return;
  }
  // Without a parent nobody reads the snapshots, whether it stopped in good order or was killed.
  process.on('disconnect', () => {
    driver?.stop();
    process.exit(0);
  });
  // Ctrl-C reaches the whole process group; the parent decides when sampling ends.
  process.on('SIGINT', () => {});

  let driver: SamplingDriver | undefined;
  process.on('message', (message: ToSampler) => {
    switch (message.type) {
      case 'start':
        driver?.stop();
        driver =
          message.source === 'host' ? startSamplingThread(table, message) : startOnEventLoop(table, message);
        return;
      case 'tellActivity':
        driver?.tellActivity?.();
        return;
      case 'stop':
        process.disconnect();
        return;
      default:
        driver?.obey(message);
    }
  });
}

/** For collectors that start programs or wait for answers, which need the event loop. */
function startOnEventLoop(table: CollectorTable, start: SamplerStart): SamplingDriver {
  const sampling = new Sampling(table, start, { write: writeToParent, activity: openActivity(start.source) });
  let timer = setTimeout(turn, 0);

  function turn(): void {
    // Timers count whole milliseconds and may fire a fraction of one early.
    timer = setTimeout(turn, Math.ceil(sampling.turn()));
  }

  return {
    obey: (command) => {
      sampling.obey(command);
      clearTimeout(timer);
      turn();
    },
    stop: () => {
      clearTimeout(timer);
      sampling.close();
    },
  };
}
