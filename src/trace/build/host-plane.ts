import type { TraceLine, TracePlane } from '../trace.ts';
import { KindTable } from './kind-table.ts';
import { LineBuilder } from './line-builder.ts';
import { MemoryCourse } from './memory-course.ts';
import type { OpNames } from './op-names.ts';
import { PartKinds } from './part-kinds.ts';
import type { PreparedPart, PreparedRun } from './prepared-part.ts';
import { type Span, spread } from './spread.ts';
import { WorkerLines } from './worker-lines.ts';
import { FIRST_MEMORY_STAT, modelRunOf, type PartWriter, RunWriter, THREAD_STATS } from './write-run.ts';

export interface NamedSpan extends Span {
  readonly name: string;
}

/** More waits at the same time than these are known by the stat of their requests alone. */
const MOST_WAIT_LINES = 8;

const MOST_PHASE_LINES = 16;

/** What happened on the processors of the host: phases, a line for each thread that called a model, its queue, its pool. */
export function hostPlane(
  parts: readonly PreparedPart[],
  phases: readonly NamedSpan[],
  names: OpNames,
  launches: ReadonlyMap<PreparedPart, ReadonlyMap<number, readonly number[]>>,
): TracePlane {
  const table = new KindTable();
  const lines: LineBuilder[] = [...phaseLines(phases, table)];
  const steps = numberSteps(parts);
  for (const ofThread of groupByThread(parts)) {
    lines.push(...threadLines(ofThread, table, names, steps, launches));
  }
  return {
    name: '/host:CPU',
    stats: {},
    kinds: table.kinds,
    lines: lines.flatMap((line, index): TraceLine[] => (line.count === 0 ? [] : [line.finish(index + 1)])),
  };
}

/** By part, the numbers of its runs as steps; -1 for those that are no requests. */
type Steps = ReadonlyMap<PreparedPart, Int32Array>;

/** In the order in which they began, over all models, so that every step of the trace has a number of its own. */
function numberSteps(parts: readonly PreparedPart[]): Steps {
  const steps = new Map(parts.map((part) => [part, new Int32Array(part.runs.length).fill(-1)]));
  const requests = parts.flatMap(({ runs }) => runs.filter(({ isRequest }) => isRequest));
  requests.sort((a, b) => a.callNs - b.callNs);
  for (const [step, { part, place }] of requests.entries()) (steps.get(part) as Int32Array)[place] = step;
  return steps;
}

/** Parts that the same thread of the same process ran, one session after or beside another. */
function groupByThread(parts: readonly PreparedPart[]): readonly (readonly PreparedPart[])[] {
  const groups = new Map<string, PreparedPart[]>();
  for (const part of parts) {
    const { pid, thread } = part.input.part;
    const key = `${pid} ${part.thread ?? thread}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [part]);
    else group.push(part);
  }
  return [...groups.values()];
}

function threadLines(
  parts: readonly PreparedPart[],
  table: KindTable,
  names: OpNames,
  steps: Steps,
  launches: ReadonlyMap<PreparedPart, ReadonlyMap<number, readonly number[]>>,
): readonly LineBuilder[] {
  const name = [...new Set(parts.map(({ input }) => input.part.thread))].join(' / ');
  const line = new LineBuilder(name, THREAD_STATS, expectedEvents(parts));
  const writers = new Map<PreparedPart, PartWriter>();
  for (const part of parts) {
    const kinds = new PartKinds(part, table, names);
    const { events } = part.input;
    writers.set(part, {
      part,
      kinds,
      line,
      memory:
        events?.memory === undefined
          ? undefined
          : new MemoryCourse(part.label, table, line, FIRST_MEMORY_STAT),
      workers:
        events === undefined || events.workers.count === 0
          ? undefined
          : new WorkerLines(events.workers, kinds, part.label),
      launches: launches.get(part) ?? new Map(),
    });
  }
  writeRuns(parts, writers, steps);
  return [
    line,
    ...waitLines(parts, writers, name),
    ...[...writers.values()].flatMap(({ workers }) => workers?.lines ?? []),
  ];
}

/** A run has two events more than the runtime wrote; and memory moves with every fourth operator or so. */
function expectedEvents(parts: readonly PreparedPart[]): number {
  const events = parts.reduce((sum, { input, runs }) => {
    const { count = 0, memory } = input.events ?? {};
    return sum + 2 * runs.length + count * (memory === undefined ? 1 : 1.25);
  }, 64);
  return Math.ceil(events);
}

/** A run, or a row of a session's own. */
interface Chunk extends Span {
  readonly writer: PartWriter;
  readonly run: PreparedRun | undefined;
  readonly sessionRow: number;
  /** The part of it that may not be cut. */
  readonly innerStartNs: number;
  readonly innerEndNs: number;
}

/**
 * Writes what a thread did one after another. Calls that wait for each other in a program overlap, although one thread runs them
 * one by one: such a request begins when the run before it has ended.
 */
function writeRuns(
  parts: readonly PreparedPart[],
  writers: ReadonlyMap<PreparedPart, PartWriter>,
  steps: Steps,
): void {
  const chunks = parts.flatMap((part) => chunksOf(writers.get(part) as PartWriter));
  chunks.sort((a, b) => a.innerStartNs - b.innerStartNs);
  const runWriter = new RunWriter();
  let atNs = 0;
  for (const [index, chunk] of chunks.entries()) {
    const { writer, run, sessionRow } = chunk;
    const nextNs = chunks[index + 1]?.innerStartNs ?? Number.POSITIVE_INFINITY;
    const startNs = Math.max(chunk.startNs, atNs);
    const endNs = Math.max(startNs, Math.min(chunk.endNs, Math.max(nextNs, chunk.innerEndNs)));
    if (run === undefined) {
      const kind = writer.part.input.events?.kinds[sessionRow] as number;
      writer.line.push(writer.kinds.span(kind), startNs, endNs - startNs);
    } else {
      runWriter.write(writer, run, { startNs, endNs, step: steps.get(run.part)?.[run.place] ?? -1 });
    }
    atNs = endNs;
  }
}

/** Loading and initializing the model, and its runs. */
function chunksOf(writer: PartWriter): readonly Chunk[] {
  const { part } = writer;
  const { events } = part.input;
  const ofSession = part.sessionRows.map((sessionRow): Chunk => {
    const startNs = part.sessionNs + (events?.startsUs[sessionRow] as number) * 1000;
    const endNs = startNs + (events?.durationsUs[sessionRow] as number) * 1000;
    return { writer, run: undefined, sessionRow, startNs, endNs, innerStartNs: startNs, innerEndNs: endNs };
  });
  const ofRuns = part.runs.map((run): Chunk => {
    const { callNs: startNs, returnNs: endNs } = run;
    const inner = modelRunOf(run) ?? { startNs, endNs };
    return {
      writer,
      run,
      sessionRow: -1,
      startNs,
      endNs,
      innerStartNs: inner.startNs,
      innerEndNs: inner.endNs,
    };
  });
  return [...ofSession, ...ofRuns];
}

/** From when requests were due to when they were called; several wait at once. */
function waitLines(
  parts: readonly PreparedPart[],
  writers: ReadonlyMap<PreparedPart, PartWriter>,
  thread: string,
): readonly LineBuilder[] {
  const waits = parts.flatMap(({ runs }) =>
    runs.flatMap(({ part, isRequest, dueNs, callNs }) =>
      isRequest && dueNs !== undefined && dueNs < callNs
        ? [{ startNs: dueNs, endNs: callNs, kind: (writers.get(part) as PartWriter).kinds.wait }]
        : [],
    ),
  );
  return spread(waits, MOST_WAIT_LINES).map((row, index) => {
    const line = new LineBuilder(`queue of ${thread}${index === 0 ? '' : `, place ${index + 1}`}`);
    for (const { kind, startNs, endNs } of row) line.push(kind, startNs, endNs - startNs);
    return line;
  });
}

function phaseLines(phases: readonly NamedSpan[], table: KindTable): readonly LineBuilder[] {
  const kinds = new Map<string, number>();
  return spread(phases, MOST_PHASE_LINES).map((row, index) => {
    const line = new LineBuilder(index === 0 ? 'phases' : `phases, ${index + 1}`);
    for (const { name, startNs, endNs } of row) {
      let kind = kinds.get(name);
      if (kind === undefined) {
        kind = table.add({ name });
        kinds.set(name, kind);
      }
      line.push(kind, startNs, endNs - startNs);
    }
    return line;
  });
}
