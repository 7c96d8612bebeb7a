import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import { DEFAULT_SAMPLING } from '../core/sampling.ts';
import type { Sampler } from '../telemetry/sampler.ts';
import { createTimeline, type TimelineWriter } from '../telemetry/timeline/timeline-writer.ts';
import { nextSample, setSampling } from './sample-host.ts';
import type { WorkerEvent } from './worker-protocol.ts';

/** Has the host watched while something is traced, for commands that keep no timeline. */
export interface TraceWatch {
  readonly addProcess: (pid: number) => void;
  readonly removeProcess: (pid: number) => void;
  /**
   * Keeps what is sampled for as long as `work` takes. Where nobody has the host sampled anyway, that begins and ends with it, so
   * that nothing else is disturbed.
   * @param isSampled somebody does already
   */
  readonly during: <T>(isSampled: boolean, work: () => Promise<T>) => Promise<T>;
  /** Keeps the phases that a worker tells of. */
  readonly onEvent: (event: WorkerEvent) => void;
  /** Ends the timeline. Its file; undefined where nothing was watched, or it could not be written. */
  readonly close: () => Promise<string | undefined>;
}

/** How long the first sample of processes that have just been started is waited for. */
const FIRST_SAMPLE_MS = 1500;

/**
 * @param samplerOf starts the sampler, or gives the one that there is; not called before something is traced
 * @param file where the timeline is kept
 */
export function createTraceWatch(
  samplerOf: () => Sampler,
  { file, clock, logger }: { readonly file: string; readonly clock: Clock; readonly logger: Logger },
): TraceWatch {
  const pids = new Set<number>();
  let sampler: Sampler | undefined;
  let writer: TimelineWriter | undefined;
  const begin = async (): Promise<Sampler> => {
    if (sampler !== undefined) return sampler;
    sampler = samplerOf();
    sampler.watch([...pids]);
    const created = await createTimeline(file);
    if (created.ok) writer = created.value;
    else logger.warn(created.error.message, { file });
    return sampler;
  };
  return {
    addProcess: (pid) => {
      pids.add(pid);
      sampler?.watch([...pids]);
    },
    removeProcess: (pid) => {
      pids.delete(pid);
      sampler?.watch([...pids]);
    },
    onEvent: (event) => {
      if (event.kind === 'phase-begin') writer?.beginPhase(event.begun);
      else if (event.kind === 'phase') writer?.appendPhase(event.span);
    },
    during: async (isSampled, work) => {
      const watching = await begin();
      const stopListening = watching.onSnapshot((snapshot) => writer?.append(snapshot));
      if (!isSampled) await resume(watching);
      try {
        return await work();
      } finally {
        await nextSample(watching, { after: clock.nowNs() });
        stopListening();
        if (!isSampled) await watching.pause();
      }
    },
    close: async () => {
      const closed = await writer?.close();
      if (closed?.ok === false) logger.warn(closed.error.message, { file });
      return closed?.ok === true ? file : undefined;
    },
  };
}

/** Ends a pause, and waits until samples come. */
async function resume(sampler: Sampler): Promise<void> {
  await setSampling(sampler, DEFAULT_SAMPLING);
  await new Promise<void>((resolve) => {
    // The sampler keeps no process alive, so it is this timer that does.
    const timer = setTimeout(finish, FIRST_SAMPLE_MS);
    const stopListening = sampler.onSnapshot(finish);
    function finish(): void {
      clearTimeout(timer);
      stopListening();
      resolve();
    }
  });
}
