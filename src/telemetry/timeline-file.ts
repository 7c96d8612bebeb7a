import { once } from 'node:events';
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { toJson } from '../core/json.ts';
import { PHASES, type PhaseSpan, type PhaseUsage } from '../core/phase.ts';
import { attemptAsync, type Problem, ProblemError, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Snapshot } from './snapshot.ts';

/*
 * A timeline is JSON lines, each an object with a `type`: first the `timeline` line with the format's version, then
 * `snapshot`, `phase` and `dropped` lines in the order they happened. Nanoseconds are decimal strings, as JSON numbers
 * hold no 64 bits. A line counts once its newline is written.
 */
const FORMAT_VERSION = 1;

/** Text waiting for a disk that does not keep up. Beyond this, snapshots are dropped and counted. */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;

export type TimelineWriteProblem = Problem<'timeline-not-written'>;
export type TimelineReadProblem = Problem<'timeline-not-read' | 'timeline-malformed'>;

/** Creates the timeline of a run. A file that exists is never continued or overwritten: that is an error. */
export async function createTimeline(
  file: string,
  limits: { readonly maxBufferedBytes: number } = { maxBufferedBytes: MAX_BUFFERED_BYTES },
): Promise<Result<TimelineWriter, TimelineWriteProblem>> {
  const stream = createWriteStream(file, { flags: 'ax', flush: true });
  try {
    await once(stream, 'open');
  } catch (error) {
    return err(writeProblem(file, error));
  }
  return ok(new TimelineWriter(file, stream, limits.maxBufferedBytes));
}

/** An open timeline. Appending never waits for the disk; what went wrong is told by `close`. */
export class TimelineWriter {
  readonly #stream: WriteStream;
  readonly #maxBufferedBytes: number;
  #failure: TimelineWriteProblem | undefined;
  #droppedSinceLine = 0;
  #dropped = 0;

  constructor(file: string, stream: WriteStream, maxBufferedBytes: number) {
    this.#stream = stream;
    this.#maxBufferedBytes = maxBufferedBytes;
    stream.on('error', (error) => {
      this.#failure ??= writeProblem(file, error);
    });
    this.#write({ type: 'timeline', version: FORMAT_VERSION });
  }

  /** Snapshots that were not written because the disk did not keep up. */
  get droppedSnapshots(): number {
    return this.#dropped;
  }

  append(snapshot: Snapshot): void {
    if (this.#stream.writableLength > this.#maxBufferedBytes) {
      this.#dropped += 1;
      this.#droppedSinceLine += 1;
      return;
    }
    this.#writeDropped();
    this.#write({ type: 'snapshot', ...snapshot });
  }

  /** Records a phase that has ended. Phases are few and never dropped. */
  appendPhase(span: PhaseSpan): void {
    this.#write({ type: 'phase', ...span });
  }

  /** Writes what is buffered and closes the file. The error is the first that writing met. */
  async close(): Promise<Result<void, TimelineWriteProblem>> {
    if (this.#failure === undefined && this.#stream.writable) {
      this.#writeDropped();
      await new Promise<void>((resolve) => {
        this.#stream.once('close', resolve);
        this.#stream.end();
      });
    }
    return this.#failure === undefined ? ok(undefined) : err(this.#failure);
  }

  #writeDropped(): void {
    if (this.#droppedSinceLine === 0) return;
    this.#write({ type: 'dropped', snapshots: this.#droppedSinceLine });
    this.#droppedSinceLine = 0;
  }

  #write(line: object): void {
    if (this.#failure === undefined && this.#stream.writable) this.#stream.write(`${toJson(line)}\n`);
  }
}

export interface Timeline {
  readonly snapshots: readonly Snapshot[];
  readonly spans: readonly PhaseSpan[];
  /** Snapshots the writer had to leave out. */
  readonly droppedSnapshots: number;
  /** The last line was cut off, as when the writer or its host died. It is left out. */
  readonly truncated: boolean;
}

/** Reads a timeline, also one that is still being written or whose writer crashed. */
export async function readTimeline(file: string): Promise<Result<Timeline, TimelineReadProblem>> {
  return attemptAsync<Timeline, TimelineReadProblem['kind']>(async () => {
    const timeline = { snapshots: [] as Snapshot[], spans: [] as PhaseSpan[], droppedSnapshots: 0 };
    let lineNumber = 0;
    let rest = '';
    try {
      for await (const chunk of createReadStream(file, { encoding: 'utf8' })) {
        const lines = (rest + String(chunk)).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          lineNumber += 1;
          addLine(timeline, line, file, lineNumber);
        }
      }
    } catch (error) {
      if (error instanceof ProblemError) throw error;
      throw new ProblemError(
        problem('timeline-not-read', `The timeline ${file} cannot be read: ${reason(error)}`, {
          place: { file },
        }),
      );
    }
    if (lineNumber === 0 && rest === '')
      throw malformedLine(file, 1, 'expected a timeline but the file is empty');
    return { ...timeline, truncated: rest !== '' };
  });
}

function addLine(
  timeline: { snapshots: Snapshot[]; spans: PhaseSpan[]; droppedSnapshots: number },
  line: string,
  file: string,
  lineNumber: number,
): void {
  const fields = parseObject(line, file, lineNumber);
  const type = fields['type'];
  if (lineNumber === 1) {
    if (type !== 'timeline') throw malformedLine(file, 1, 'expected the first line of a timeline');
    if (fields['version'] !== FORMAT_VERSION) {
      throw malformedLine(
        file,
        1,
        `expected version ${FORMAT_VERSION} but found ${toJson(fields['version'])}`,
      );
    }
    return;
  }
  switch (type) {
    case 'snapshot':
      timeline.snapshots.push(toSnapshot(fields, file, lineNumber));
      return;
    case 'phase':
      timeline.spans.push(toSpan(fields, file, lineNumber));
      return;
    case 'dropped':
      timeline.droppedSnapshots += Number(fields['snapshots']);
      return;
    default:
      throw malformedLine(
        file,
        lineNumber,
        `expected a snapshot, phase or dropped line but found ${toJson(type)}`,
      );
  }
}

function parseObject(line: string, file: string, lineNumber: number): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (isObject(value)) return value;
  } catch {
    // Told below, together with JSON that is not an object.
  }
  throw malformedLine(file, lineNumber, 'expected a JSON object');
}

/** Checks what every snapshot has; the readings are those of this format's version. */
function toSnapshot(fields: Record<string, unknown>, file: string, lineNumber: number): Snapshot {
  const { type: _type, tickNs, ...rest } = fields;
  if (typeof rest['wallMs'] !== 'number' || !isObject(rest['health']) || !isObject(rest['sampler'])) {
    throw malformedLine(file, lineNumber, 'expected a snapshot with wallMs, health and sampler');
  }
  // Timelines of older versions know one source only.
  return { source: 'host', ...rest, tickNs: toNs(tickNs, 'tickNs', file, lineNumber) } as unknown as Snapshot;
}

function toSpan(fields: Record<string, unknown>, file: string, lineNumber: number): PhaseSpan {
  const phase = PHASES.find((name) => name === fields['phase']);
  if (phase === undefined) {
    throw malformedLine(file, lineNumber, `expected a phase but found ${toJson(fields['phase'])}`);
  }
  const subject = fields['subject'];
  return {
    phase,
    ...(typeof subject === 'string' ? { subject } : {}),
    startNs: toNs(fields['startNs'], 'startNs', file, lineNumber),
    endNs: toNs(fields['endNs'], 'endNs', file, lineNumber),
    ...(isObject(fields['usage']) ? { usage: fields['usage'] as unknown as PhaseUsage } : {}),
  };
}

function toNs(value: unknown, field: string, file: string, lineNumber: number): bigint {
  if (typeof value === 'string' && /^\d+$/.test(value)) return BigInt(value);
  throw malformedLine(file, lineNumber, `expected nanoseconds in ${field} but found ${toJson(value)}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformedLine(file: string, line: number, message: string): ProblemError<'timeline-malformed'> {
  return new ProblemError(
    problem('timeline-malformed', `${file}:${line}: ${message}`, { place: { file, line } }),
  );
}

function writeProblem(file: string, error: unknown): TimelineWriteProblem {
  return problem('timeline-not-written', `The timeline ${file} cannot be written: ${reason(error)}`, {
    place: { file },
  });
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
