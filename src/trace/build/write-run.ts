import type { PartEvents } from '../trace-input.ts';
import type { LineBuilder, StatType } from './line-builder.ts';
import { MEMORY_STATS, type MemoryCourse } from './memory-course.ts';
import type { PartKinds } from './part-kinds.ts';
import { GRAPH_RUN, type PreparedPart, type PreparedRun } from './prepared-part.ts';
import type { WorkerLines } from './worker-lines.ts';

/** Stats of events on the line of a thread, by their places. */
const RUN_STATS: readonly StatType[] = [
  { name: '_r', type: 'int' },
  { name: 'step_num', type: 'int' },
  { name: 'id', type: 'int' },
  { name: 'correlation_id', type: 'int' },
  { name: 'queue wait us', type: 'double' },
];

export const THREAD_STATS: readonly StatType[] = [...RUN_STATS, ...MEMORY_STATS];
export const FIRST_MEMORY_STAT = RUN_STATS.length;

const [ROOT, STEP, ID, CORRELATION, QUEUE_WAIT] = [0, 1, 2, 3, 4];

/** Where the events of one part go. */
export interface PartWriter {
  readonly part: PreparedPart;
  readonly kinds: PartKinds;
  readonly line: LineBuilder;
  readonly memory: MemoryCourse | undefined;
  readonly workers: WorkerLines | undefined;
  /** Numbers of the kernels that an operator launched on a device, by its row. */
  readonly launches: ReadonlyMap<number, readonly number[]>;
}

/** What a run may fill, so that it overlaps none beside it. */
export interface RunBounds {
  readonly startNs: number;
  readonly endNs: number;
  /** Its number among all requests of the trace; -1 for a run that is none. */
  readonly step: number;
}

/** When the runtime says that it ran the model; undefined where it recorded nothing. */
export function modelRunOf(
  run: PreparedRun,
): { readonly startNs: number; readonly endNs: number } | undefined {
  const { events } = run.part.input;
  if (run.runRow < 0 || events === undefined) return undefined;
  const startNs = run.profileNs + (events.startsUs[run.runRow] as number) * 1000;
  return { startNs, endNs: startNs + (events.durationsUs[run.runRow] as number) * 1000 };
}

/**
 * Writes runs with their operators. Rows are in the order of their ends, an operator with bodies behind what its bodies ran, and
 * times are cut to whole microseconds, so that what ran last in a body may seem to end behind it. Rows are therefore read
 * backwards: each ends at the latest where the next one begins, and moves to the left with its whole duration, for which
 * there is always room, as the sum of durations that are cut down is never more than their sum cut down.
 */
export class RunWriter {
  // Of one run, from its last event to its first.
  #starts: number[] = [];
  #durations: number[] = [];
  #rows: number[] = [];
  // Operators with bodies, and the graph itself, that the rows under way lie in.
  readonly #openRows: number[] = [];
  readonly #openStarts: number[] = [];
  readonly #limits: number[] = [];
  readonly #ends: number[] = [];

  write(writer: PartWriter, run: PreparedRun, bounds: RunBounds): void {
    const { kinds, line } = writer;
    const { startNs, endNs, step } = bounds;
    line.push(step < 0 ? kinds.warmUp : kinds.root, startNs, endNs - startNs);
    if (step >= 0) {
      line.set(ROOT as number, 1);
      line.set(STEP as number, step);
      if (run.dueNs !== undefined) line.set(QUEUE_WAIT as number, Math.max(0, run.callNs - run.dueNs) / 1000);
    }
    const inner = modelRunOf(run) ?? bounds;
    const innerStartNs = clamp(inner.startNs, startNs, endNs);
    const innerEndNs = clamp(inner.endNs, innerStartNs, endNs);
    if (step >= 0) {
      line.push(kinds.sessionRun, innerStartNs, innerEndNs - innerStartNs);
      line.set(ID as number, step);
    }
    const { events } = run.part.input;
    if (run.runRow < 0 || events === undefined) return;
    this.#place(run, events, innerStartNs, innerEndNs);
    this.#emit(writer, events, step >= 0);
  }

  /** Reads a run's rows backwards and gives each its time. */
  #place(run: PreparedRun, events: PartEvents, startNs: number, endNs: number): void {
    const { kinds, startsUs, durationsUs, threads, kindList } = events;
    const { firstRow: first, runRow } = run;
    const thread = threads[runRow];
    this.#starts.length = this.#durations.length = this.#rows.length = 0;
    this.#limits[0] = endNs;
    this.#openStarts[0] = startNs;
    let depth = 0;
    for (let row = runRow - 1; row >= first; row--) {
      const kind = kindList[kinds[row] as number];
      const isGraph = kind?.category === 'session' && kind.name === GRAPH_RUN;
      // A body has run for the node that follows it; only the graph itself is shown.
      if ((isGraph ? row !== runRow - 1 : kind?.category !== 'node') || threads[row] !== thread) continue;
      const startUs = startsUs[row] as number;
      while (depth > 0 && startUs < (startsUs[this.#openRows[depth] as number] as number))
        this.#close(depth--);
      const limitNs = this.#limits[depth] as number;
      const leastNs = this.#openStarts[depth] as number;
      const durationNs = Math.min((durationsUs[row] as number) * 1000, limitNs - leastNs);
      const placedNs = clamp(run.profileNs + startUs * 1000, leastNs, limitNs - durationNs);
      this.#limits[depth] = placedNs;
      if (isGraph || (row > first && endsBody(events, row - 1))) {
        depth++;
        this.#openRows[depth] = row;
        this.#openStarts[depth] = placedNs;
        this.#limits[depth] = placedNs + durationNs;
        this.#ends[depth] = placedNs + durationNs;
      } else {
        this.#add(row, placedNs, durationNs);
      }
    }
    while (depth > 0) this.#close(depth--);
  }

  #close(depth: number): void {
    const startNs = this.#openStarts[depth] as number;
    this.#add(this.#openRows[depth] as number, startNs, (this.#ends[depth] as number) - startNs);
  }

  #add(row: number, startNs: number, durationNs: number): void {
    this.#rows.push(row);
    this.#starts.push(startNs);
    this.#durations.push(durationNs);
  }

  /** Hands out what has been placed, in the order of beginnings. */
  #emit(writer: PartWriter, events: PartEvents, isRequest: boolean): void {
    const { kinds, line, workers, launches } = writer;
    const memory = events.memory === undefined ? undefined : writer.memory;
    let depth = 0;
    for (let place = this.#rows.length - 1; place >= 0; place--) {
      const row = this.#rows[place] as number;
      const startNs = this.#starts[place] as number;
      const durationNs = this.#durations[place] as number;
      const kind = events.kinds[row] as number;
      if (events.kindList[kind]?.category === 'session') {
        line.push(kinds.span(kind), startNs, durationNs);
        continue;
      }
      if (memory !== undefined) {
        while (depth > 0 && (this.#ends[depth] as number) <= startNs) this.#noteEnd(memory, events, depth--);
        noteStart(memory, events, row, startNs);
        depth++;
        this.#openRows[depth] = row;
        this.#ends[depth] = startNs + durationNs;
      }
      line.push(isRequest ? kinds.op(kind) : kinds.warmOp(kind), startNs, durationNs);
      for (const launch of launches.get(row) ?? NONE) {
        line.push(kinds.launch, startNs, 0);
        line.set(CORRELATION as number, launch);
      }
      workers?.add(row, kind, startNs, durationNs);
    }
    if (memory !== undefined) while (depth > 0) this.#noteEnd(memory, events, depth--);
  }

  #noteEnd(memory: MemoryCourse, events: PartEvents, depth: number): void {
    const row = this.#openRows[depth] as number;
    const { inUse, peak, held } = events.memory as NonNullable<PartEvents['memory']>;
    memory.note(this.#ends[depth] as number, inUse[row] as number, peak[row] as number, held[row] as number);
  }
}

/** What was in use before an operator: others have let go of some since the last one. */
function noteStart(memory: MemoryCourse, events: PartEvents, row: number, startNs: number): void {
  const { inUse, growth, held } = events.memory as NonNullable<PartEvents['memory']>;
  memory.note(startNs, (inUse[row] as number) - (growth[row] as number), Number.NaN, held[row] as number);
}

const NONE: readonly number[] = [];

/** Whether a row is the end of a body; what it ran in is written next. */
function endsBody(events: PartEvents, row: number): boolean {
  const kind = events.kindList[events.kinds[row] as number];
  return kind?.category === 'session' && kind.name === GRAPH_RUN;
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(value, most));
}
