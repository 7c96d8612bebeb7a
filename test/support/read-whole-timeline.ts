import type { Snapshot } from '../../src/telemetry/snapshot.ts';
import { readTimeline } from '../../src/telemetry/timeline/read-timeline.ts';
import type { TimelineIndex } from '../../src/telemetry/timeline/timeline-index.ts';
import { unwrap } from './unwrap.ts';

/** All snapshots of a short timeline. */
export async function readWholeTimeline(
  file: string,
): Promise<{ readonly snapshots: readonly Snapshot[]; readonly index: TimelineIndex }> {
  const snapshots: Snapshot[] = [];
  const index = await readTimeline(file, {}, (snapshot) => void snapshots.push(snapshot));
  return { snapshots, index: unwrap(index) };
}
