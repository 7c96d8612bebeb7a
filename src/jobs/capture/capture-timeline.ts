import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { DEFAULT_SAMPLING } from '../../core/sampling.ts';
import type { Sampler } from '../../telemetry/sampler.ts';
import { createTimeline } from '../../telemetry/timeline/timeline-writer.ts';
import { nextSample, setSampling } from '../sample-host.ts';
import type { LiveWork } from './live-work.ts';

/** What the host did while something is captured, in a file of its own beside that of the run, which goes on. */
export interface CaptureTimeline {
  readonly file: string;
  /** Ends it, and says what is missing in it. */
  close(): Promise<readonly string[]>;
}

/**
 * Follows snapshots and phases. A run decides how often the host is sampled; where there is none, it is as often as during one.
 */
export async function startCaptureTimeline(
  folder: string,
  {
    sampler,
    live,
    clock,
    idleIntervalMs,
  }: {
    readonly sampler: Sampler;
    readonly live: LiveWork;
    readonly clock: Clock;
    readonly idleIntervalMs: () => number;
  },
): Promise<CaptureTimeline> {
  const file = join(folder, 'timeline.ptqt');
  const created = await createTimeline(file);
  const writer = created.ok ? created.value : undefined;
  let snapshots = 0;
  for (const begun of live.phases) writer?.beginPhase(begun);
  const stops = [
    sampler.onSnapshot((snapshot) => {
      snapshots += 1;
      writer?.append(snapshot);
    }),
    live.listen({ phaseEnded: (span) => writer?.appendPhase(span) }),
  ];
  const isOurs = live.run === undefined;
  if (isOurs) await setSampling(sampler, DEFAULT_SAMPLING);
  return {
    file,
    close: async () => {
      await nextSample(sampler, { after: clock.nowNs() });
      for (const stop of stops) stop();
      // A run that began meanwhile has set what it wants.
      if (isOurs && live.run === undefined) sampler.setIntervalMs(idleIntervalMs());
      for (const begun of live.phases) writer?.appendPhase({ ...begun, endNs: clock.nowNs() });
      const closed = await writer?.close();
      if (closed?.ok !== true) return ['Readings of the host are missing: the disk did not take them'];
      return snapshots > 0 ? [] : ['Readings of the host are missing: it was not sampled meanwhile'];
    },
  };
}
