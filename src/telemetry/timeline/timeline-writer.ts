import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { toJson } from '../../core/json.ts';
import type { BegunPhase, PhaseSpan } from '../../core/phase.ts';
import { type Problem, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Snapshot } from '../snapshot.ts';
import { encodeFrame, encodeSignature, type FrameKind } from './frame.ts';
import { DIGEST_INTERVAL_NS } from './segment-digest.ts';
import { SegmentEncoder } from './segment-encoder.ts';
import { later } from './ticks.ts';

/** Bytes waiting for a disk that does not keep up. Beyond this, snapshots are dropped and counted. */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;

/** What a writer that is killed loses at most. Twice as long would make the file 6 % smaller. */
const BLOCK_NS = 5_000_000_000n;
const BLOCK_SNAPSHOTS = 1_000;
/** What must be read to get at one snapshot. Names and digests are told once in it. */
const SEGMENT_NS = 600_000_000_000n;

export type TimelineWriteProblem = Problem<'timeline-not-written'>;

/** What a timeline is of. */
export interface TimelineAbout {
  readonly run?: string;
  /** The name of the profile. */
  readonly model?: string;
}

export interface TimelineLimits {
  readonly maxBufferedBytes: number;
}

/** Creates the timeline of a run. A file that exists is never continued or overwritten: that is an error. */
export async function createTimeline(
  file: string,
  about: TimelineAbout = {},
  limits: TimelineLimits = { maxBufferedBytes: MAX_BUFFERED_BYTES },
): Promise<Result<TimelineWriter, TimelineWriteProblem>> {
  const stream = createWriteStream(file, { flags: 'ax', flush: true });
  try {
    await once(stream, 'open');
  } catch (error) {
    return err(writeProblem(file, error));
  }
  return ok(new TimelineWriter(file, stream, about, limits));
}

/** An open timeline. Appending never waits for the disk; what went wrong is told by `close`. */
export class TimelineWriter {
  readonly #stream: WriteStream;
  readonly #maxBufferedBytes: number;
  #failure: TimelineWriteProblem | undefined;
  #segment: SegmentEncoder | undefined;
  #segmentStartNs = 0n;
  #segmentEndNs = 0n;
  #hasBlock = false;
  #blockStartNs = 0n;
  #blockEndNs = 0n;
  #droppedSinceFrame = 0;
  #dropped = 0;

  constructor(file: string, stream: WriteStream, about: TimelineAbout, { maxBufferedBytes }: TimelineLimits) {
    this.#stream = stream;
    this.#maxBufferedBytes = maxBufferedBytes;
    stream.on('error', (error) => {
      this.#failure ??= writeProblem(file, error);
    });
    this.#writeBytes(encodeSignature());
    this.#writeJson('about', about);
  }

  /** Snapshots that were not written because the disk did not keep up. */
  get droppedSnapshots(): number {
    return this.#dropped;
  }

  append(snapshot: Snapshot): void {
    if (this.#stream.writableLength > this.#maxBufferedBytes) {
      this.#dropped += 1;
      this.#droppedSinceFrame += 1;
      return;
    }
    this.#writeDropped();
    const { tickNs } = snapshot;
    const isSegmentOver = this.#segment !== undefined && tickNs - this.#segmentStartNs >= SEGMENT_NS;
    const isBlockFull =
      tickNs - this.#blockStartNs >= BLOCK_NS || (this.#segment?.pending ?? 0) >= BLOCK_SNAPSHOTS;
    if (isSegmentOver || isBlockFull) this.#writeBlock();
    if (isSegmentOver) this.#endSegment();
    if (this.#segment === undefined) {
      this.#segment = new SegmentEncoder();
      this.#segmentStartNs = tickNs;
      this.#segmentEndNs = tickNs;
      this.#hasBlock = false;
    }
    if (this.#segment.pending === 0) {
      this.#blockStartNs = tickNs;
      this.#blockEndNs = tickNs;
    }
    // Sources tick on their own, so a snapshot can be a little older than the one before.
    if (tickNs < this.#blockStartNs) this.#blockStartNs = tickNs;
    if (tickNs > this.#blockEndNs) this.#blockEndNs = tickNs;
    this.#segment.add(snapshot);
  }

  /** Records that a phase began. One that then never ends lasted until its run did, as when its worker died. */
  beginPhase({ phase, subject, startNs }: BegunPhase): void {
    this.#writeJson('begin', { phase, subject, startNs }, startNs, startNs);
  }

  /** Records a phase that has ended. Phases are few and never dropped. */
  appendPhase(span: PhaseSpan): void {
    this.#writeJson('phase', span, span.startNs, span.endNs);
  }

  /** Writes what is buffered and closes the file. The error is the first that writing met. */
  async close(): Promise<Result<void, TimelineWriteProblem>> {
    if (this.#failure === undefined && this.#stream.writable) {
      this.#writeBlock();
      this.#endSegment();
      this.#writeDropped();
      this.#writeFrame('end', new Uint8Array());
      await new Promise<void>((resolve) => {
        this.#stream.once('close', resolve);
        this.#stream.end();
      });
    }
    return this.#failure === undefined ? ok(undefined) : err(this.#failure);
  }

  #writeBlock(): void {
    const segment = this.#segment;
    if (segment === undefined || segment.pending === 0) return;
    const [startNs, endNs, snapshots] = [this.#blockStartNs, this.#blockEndNs, segment.pending];
    const interval = Number(later(startNs - this.#segmentStartNs, 0n) / DIGEST_INTERVAL_NS);
    this.#writeBytes(
      encodeFrame('block', segment.takeBlock(interval), {
        startsSegment: !this.#hasBlock,
        snapshots,
        startNs,
        endNs,
      }),
    );
    this.#hasBlock = true;
    if (startNs < this.#segmentStartNs) this.#segmentStartNs = startNs;
    if (endNs > this.#segmentEndNs) this.#segmentEndNs = endNs;
  }

  #endSegment(): void {
    if (this.#segment === undefined) return;
    this.#writeFrame('digest', this.#segment.digest(), this.#segmentStartNs, this.#segmentEndNs);
    this.#segment = undefined;
  }

  #writeDropped(): void {
    if (this.#droppedSinceFrame === 0) return;
    this.#writeJson('dropped', { snapshots: this.#droppedSinceFrame });
    this.#droppedSinceFrame = 0;
  }

  #writeJson(kind: FrameKind, value: object, startNs = 0n, endNs = 0n): void {
    this.#writeFrame(kind, Buffer.from(toJson(value), 'utf8'), startNs, endNs);
  }

  #writeFrame(kind: FrameKind, payload: Uint8Array, startNs = 0n, endNs = 0n): void {
    this.#writeBytes(encodeFrame(kind, payload, { startNs, endNs }));
  }

  #writeBytes(bytes: Uint8Array): void {
    if (this.#failure === undefined && this.#stream.writable) this.#stream.write(bytes);
  }
}

function writeProblem(file: string, error: unknown): TimelineWriteProblem {
  const reason = error instanceof Error ? error.message : String(error);
  return problem('timeline-not-written', `The timeline ${file} cannot be written: ${reason}`, {
    place: { file },
  });
}
