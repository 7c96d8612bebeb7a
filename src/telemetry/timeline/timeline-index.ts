import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { type BegunPhase, PHASES, type PhaseSpan, type PhaseUsage } from '../../core/phase.ts';
import { FileWindow } from './file-window.ts';
import {
  decodeHeader,
  decodeSignature,
  encodeSignature,
  FORMAT_VERSION,
  type FrameHeader,
  HEADER_BYTES,
  SIGNATURE_BYTES,
} from './frame.ts';
import { later } from './ticks.ts';
import { damaged, noTimeline, notRead } from './timeline-problems.ts';
import type { TimelineAbout } from './timeline-writer.ts';

/** Where a block or a digest lies. */
export interface FrameRef extends FrameHeader {
  /** Of the payload. */
  readonly offset: number;
}

/** A chain of blocks that is read from its first. */
export interface SegmentRef {
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly snapshots: number;
  readonly blocks: readonly FrameRef[];
  /** Absent of the last one while it is written, or when its writer died. */
  readonly digest?: FrameRef;
}

export interface RecordedPhase extends PhaseSpan {
  /** Its end was never told; `endNs` is that of the last snapshot. */
  readonly unfinished?: true;
}

/** What a timeline holds, without its snapshots. */
export interface TimelineIndex {
  readonly about: TimelineAbout;
  readonly segments: readonly SegmentRef[];
  /** In the order in which they ended, then those that have not. */
  readonly phases: readonly RecordedPhase[];
  readonly snapshots: number;
  /** Snapshots the writer had to leave out. */
  readonly droppedSnapshots: number;
  /** It was closed. Otherwise it is still being written, or its writer died. */
  readonly complete: boolean;
  /** The last frame was cut off, as when the writer or its host died in the middle. It is left out. */
  readonly truncated: boolean;
}

interface OpenSegment {
  startNs: bigint;
  endNs: bigint;
  snapshots: number;
  readonly blocks: FrameRef[];
  digest?: FrameRef;
}

/** Opens a timeline for reading and closes it again. Throws `ProblemError` where it cannot be opened. */
export async function withTimeline<T>(file: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  let handle: FileHandle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    throw notRead(file, error);
  }
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}

/**
 * Goes through the headers of all frames: what the file holds, and where. Reads also one that is still being written or whose writer
 * died. Throws `ProblemError`.
 */
export async function indexTimeline(file: string, handle: FileHandle): Promise<TimelineIndex> {
  const bytes = new FileWindow(file, handle);
  const gathered = new IndexBuilder(file);
  if (!(await hasSignature(file, bytes))) return gathered.finish(true);
  let offset = SIGNATURE_BYTES;
  for (;;) {
    if (offset >= (await bytes.size())) return gathered.finish(false);
    const headerBytes = await bytes.read(offset, HEADER_BYTES);
    if (headerBytes.length < HEADER_BYTES) return gathered.finish(true);
    const header = decodeHeader(headerBytes);
    if (header === undefined) {
      // A file system may have made room for what a host then had no time to write.
      if (await bytes.isZeroFrom(offset)) return gathered.finish(true);
      throw damaged(file, offset, 'a frame begins with what no writer left there', gathered.hint());
    }
    const payloadOffset = offset + HEADER_BYTES;
    const end = payloadOffset + header.payloadBytes;
    if (end > (await bytes.size())) return gathered.finish(true);
    const ref = { ...header, offset: payloadOffset };
    gathered.add(
      ref,
      header.kind === 'block' || header.kind === 'digest' ? undefined : await readPayload(file, bytes, ref),
    );
    offset = end;
  }
}

/** The payload of a frame, checked. Throws `ProblemError`. */
export async function readPayload(
  file: string,
  source: Pick<FileWindow, 'read'>,
  { offset, payloadBytes, payloadCrc }: FrameRef,
): Promise<Uint8Array> {
  const payload = await source.read(offset, payloadBytes);
  if (payload.length === payloadBytes && crc32(payload) === payloadCrc) return payload;
  throw damaged(
    file,
    offset,
    'its checksum says that it is not what was written',
    'what lies before it, and after the ten minutes it is in, can be read by time (--from, --to)',
  );
}

/** False where the file was cut off within its signature. */
async function hasSignature(file: string, bytes: FileWindow): Promise<boolean> {
  const start = await bytes.read(0, SIGNATURE_BYTES);
  const version = decodeSignature(start);
  if (version === FORMAT_VERSION) return true;
  const whole = encodeSignature();
  if (start.length > 0 && start.length < whole.length && start.every((byte, at) => byte === whole[at]))
    return false;
  if (version !== undefined) {
    throw noTimeline(
      file,
      `its version is ${version}, and ${FORMAT_VERSION} is read`,
      'use the ptq-agent that wrote it',
    );
  }
  if (start.length === 0) throw noTimeline(file, 'it is empty', 'name a file that a run has written');
  if (start[0] === 0x7b) {
    const hint = 'timelines of JSON lines, of development versions before 0.1, are no longer read';
    throw noTimeline(file, 'it begins as JSON', hint);
  }
  throw noTimeline(file, 'it does not begin as one', "name a run's id, or its runs/<id>/timeline.ptqt");
}

/** Puts the frames of a file together. */
class IndexBuilder {
  readonly #file: string;
  #about: TimelineAbout | undefined;
  readonly #segments: OpenSegment[] = [];
  readonly #phases: PhaseSpan[] = [];
  readonly #begun: BegunPhase[] = [];
  #droppedSnapshots = 0;
  #complete = false;

  constructor(file: string) {
    this.#file = file;
  }

  add(frame: FrameRef, payload: Uint8Array | undefined): void {
    const fail = (what: string) => damaged(this.#file, frame.offset - HEADER_BYTES, what, this.hint());
    if (this.#complete) throw fail('something follows its end');
    if ((this.#about === undefined) !== (frame.kind === 'about'))
      throw fail('it does not begin by saying what it is of');
    const fields = payload === undefined || frame.kind === 'end' ? {} : parseFields(payload);
    if (fields === undefined) throw fail('a record is no JSON object');
    switch (frame.kind) {
      case 'about':
        this.#about = toAbout(fields);
        return;
      case 'block':
      case 'digest':
        if (!this.#addToSegment(frame)) throw fail('a block is of no segment');
        return;
      case 'begin': {
        const begun = toBegun(fields, frame);
        if (begun === undefined) throw fail('a phase is none that is known');
        this.#begun.push(begun);
        return;
      }
      case 'phase': {
        const begun = toBegun(fields, frame);
        if (begun === undefined) throw fail('a phase is none that is known');
        this.#endPhase({ ...begun, endNs: frame.endNs, ...toUsage(fields['usage']) });
        return;
      }
      case 'dropped':
        this.#droppedSnapshots += Number(fields['snapshots']) || 0;
        return;
      case 'end':
        this.#complete = true;
    }
  }

  /** What to do about damage that is met now. */
  hint(): string {
    const last = this.#segments.at(-1);
    if (last === undefined) return 'nothing of it can be read; is it a copy that went wrong?';
    const seconds = Number(last.endNs - (this.#segments[0] ?? last).startNs) / 1e9;
    return `the ${seconds.toFixed(1)} s before it are whole; what follows cannot be found`;
  }

  finish(truncated: boolean): TimelineIndex {
    const lastNs = this.#segments.reduce((latest, { endNs }) => later(latest, endNs), 0n);
    const unfinished = this.#begun.map((begun) => ({
      ...begun,
      endNs: later(lastNs, begun.startNs),
      unfinished: true as const,
    }));
    return {
      about: this.#about ?? {},
      segments: this.#segments,
      phases: [...this.#phases, ...unfinished],
      snapshots: this.#segments.reduce((sum, { snapshots }) => sum + snapshots, 0),
      droppedSnapshots: this.#droppedSnapshots,
      complete: this.#complete,
      truncated,
    };
  }

  #addToSegment(frame: FrameRef): boolean {
    if (frame.startsSegment) {
      this.#segments.push({ startNs: frame.startNs, endNs: frame.endNs, snapshots: 0, blocks: [] });
    }
    const segment = this.#segments.at(-1);
    if (segment === undefined || segment.digest !== undefined) return false;
    if (frame.kind === 'digest') {
      segment.digest = frame;
      return true;
    }
    segment.blocks.push(frame);
    segment.snapshots += frame.snapshots;
    if (frame.startNs < segment.startNs) segment.startNs = frame.startNs;
    if (frame.endNs > segment.endNs) segment.endNs = frame.endNs;
    return true;
  }

  #endPhase(span: PhaseSpan): void {
    const index = this.#begun.findIndex(
      ({ phase, subject, startNs }) =>
        phase === span.phase && subject === span.subject && startNs === span.startNs,
    );
    if (index >= 0) this.#begun.splice(index, 1);
    this.#phases.push(span);
  }
}

function parseFields(payload: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(payload).toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // Told by the caller.
  }
  return undefined;
}

function toAbout({ run, model }: Record<string, unknown>): TimelineAbout {
  return { ...(typeof run === 'string' ? { run } : {}), ...(typeof model === 'string' ? { model } : {}) };
}

function toBegun(fields: Record<string, unknown>, { startNs }: FrameRef): BegunPhase | undefined {
  const phase = PHASES.find((name) => name === fields['phase']);
  const subject = fields['subject'];
  if (phase === undefined) return undefined;
  return { phase, ...(typeof subject === 'string' ? { subject } : {}), startNs };
}

/** What the worker said of itself: as it is, like the readings of a snapshot. */
function toUsage(usage: unknown): { readonly usage?: PhaseUsage } {
  return typeof usage === 'object' && usage !== null ? { usage: usage as PhaseUsage } : {};
}
