import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  Worker,
  workerData,
} from 'node:worker_threads';
import { activityInCell, openActivity, tellActivityOfCell } from './activity.ts';
import { type CollectorTable, collectorNames } from './collectors/all.ts';
import type { SamplerStart, SamplingCommand } from './sampler-messages.ts';
import { Sampling, type SamplingDriver } from './sampling.ts';
import { writeToParent } from './write-to-parent.ts';

/*
 * To be woken by a timer of the event loop costs twice as much as to be woken from a blocking wait. So the thread that ticks has no event
 * loop to turn; the main thread sleeps unless the parent says something, and then wakes it.
 */

interface ThreadData {
  readonly start: SamplerStart;
  readonly cells: Int32Array;
  readonly commands: MessagePort;
}

/** Cells of the memory that both threads share: `CALLS` is counted up with each command, `DOING` says which collector runs. */
const CALLS = 0;
const DOING = 1;

/** Starts a thread of this process that samples a source whose collectors only read files. */
export function startSamplingThread(table: CollectorTable, start: SamplerStart): SamplingDriver {
  const cells = new Int32Array(new SharedArrayBuffer(8));
  const { port1, port2 } = new MessageChannel();
  const thread = new Worker(process.argv[1] ?? '', {
    workerData: { start, cells, commands: port2 } satisfies ThreadData,
    transferList: [port2],
  });
  // The port would keep the event loop awake for answers that never come.
  port1.unref();
  const activity = openActivity(start.source);
  // What a thread throws ends the process, whose parent says why and starts another.
  thread.on('error', (error) => {
    throw error;
  });
  return {
    obey: (command) => {
      port1.postMessage(command);
      Atomics.add(cells, CALLS, 1);
      Atomics.notify(cells, CALLS);
    },
    tellActivity: () => tellActivityOfCell(activity, cells, DOING, collectorNames(table)),
    stop: () => {
      activity.close();
      void thread.terminate();
    },
  };
}

/** The whole life of such a thread, which ends with its process. */
export function sampleAsThread(table: CollectorTable): void {
  const { start, cells, commands } = workerData as ThreadData;
  const sampling = new Sampling(table, start, {
    write: writeToParent,
    activity: activityInCell(cells, DOING, collectorNames(table)),
  });
  let heard = 0;
  for (;;) {
    const calls = Atomics.load(cells, CALLS);
    if (calls !== heard) {
      heard = calls;
      for (
        let received = receiveMessageOnPort(commands);
        received !== undefined;
        received = receiveMessageOnPort(commands)
      ) {
        sampling.obey(received.message as SamplingCommand);
      }
    }
    const delayMs = sampling.turn();
    if (delayMs > 0) Atomics.wait(cells, CALLS, calls, delayMs);
  }
}
