import { attemptAsync } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import type { Snapshot } from '../snapshot.ts';
import { MalformedBytesError } from './byte-reader.ts';
import { FileWindow } from './file-window.ts';
import { type DecodedBlock, SegmentDecoder } from './segment-decoder.ts';
import type { Leaf } from './snapshot-leaves.ts';
import {
  type FrameRef,
  indexTimeline,
  readPayload,
  type SegmentRef,
  type TimelineIndex,
  withTimeline,
} from './timeline-index.ts';
import { damaged, type TimelineReadProblem } from './timeline-problems.ts';

/** From `fromNs` to `toNs`, both included; an end that is absent is that of the timeline. */
export interface TimeRange {
  readonly fromNs?: bigint;
  readonly toNs?: bigint;
}

/** What a timeline holds, without reading its snapshots. */
export function readTimelineIndex(file: string): Promise<Result<TimelineIndex, TimelineReadProblem>> {
  return attemptAsync(() => withTimeline(file, (handle) => indexTimeline(file, handle)));
}

/**
 * Calls `onSnapshot` with the snapshots of a range, in the order in which they were written, and waits for it. Holds one block in
 * memory. Reads also a timeline that is still being written or whose writer died.
 */
export function readTimeline(
  file: string,
  range: TimeRange,
  onSnapshot: (snapshot: Snapshot, index: TimelineIndex) => void | Promise<void>,
): Promise<Result<TimelineIndex, TimelineReadProblem>> {
  return attemptAsync(() =>
    withTimeline(file, async (handle) => {
      const index = await indexTimeline(file, handle);
      for await (const snapshot of snapshotsIn(file, new FileWindow(file, handle), index, range)) {
        const waiting = onSnapshot(snapshot, index);
        if (waiting !== undefined) await waiting;
      }
      return index;
    }),
  );
}

async function* snapshotsIn(
  file: string,
  source: FileWindow,
  { segments }: TimelineIndex,
  range: TimeRange,
): AsyncGenerator<Snapshot> {
  for (const segment of segments.filter((candidate) => overlaps(candidate, range))) {
    for await (const { ref, decoder, block } of readSegment(file, source, segment, range)) {
      for (const snapshot of decode(file, ref, () => [...decoder.snapshots(block)])) {
        if (isWithin(snapshot.tickNs, range)) yield snapshot;
      }
    }
    // Nothing is read from it, but whoever reads all of a timeline wants to know that all of it is whole.
    if (segment.digest !== undefined) await readPayload(file, source, segment.digest);
  }
}

export interface ReadBlock {
  readonly ref: FrameRef;
  readonly decoder: SegmentDecoder;
  readonly block: DecodedBlock;
}

/** The blocks of a segment that overlap a range. Throws `ProblemError`. */
export async function* readSegment(
  file: string,
  source: FileWindow,
  segment: SegmentRef,
  range: TimeRange,
  isWanted?: (leaf: Leaf) => boolean,
): AsyncGenerator<ReadBlock> {
  const decoder = new SegmentDecoder(isWanted);
  for (const ref of segment.blocks) {
    // Later blocks are not needed; earlier ones say what this one goes on from.
    if (range.toNs !== undefined && ref.startNs > range.toNs) return;
    const payload = await readPayload(file, source, ref);
    const block = decode(file, ref, () => decoder.read(payload));
    if (overlaps(ref, range)) yield { ref, decoder, block };
  }
}

/** Bytes whose checksum is right and which are no block after all were written so by something else. */
export function decode<T>(file: string, { offset }: FrameRef, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MalformedBytesError)) throw error;
    throw damaged(file, offset, error.message, 'was it written by another version of ptq-agent?');
  }
}

export function overlaps(
  { startNs, endNs }: { readonly startNs: bigint; readonly endNs: bigint },
  { fromNs, toNs }: TimeRange,
): boolean {
  return (fromNs === undefined || endNs >= fromNs) && (toNs === undefined || startNs <= toNs);
}

export function isWithin(timeNs: bigint, { fromNs, toNs }: TimeRange): boolean {
  return (fromNs === undefined || timeNs >= fromNs) && (toNs === undefined || timeNs <= toNs);
}
