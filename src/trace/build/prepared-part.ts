import type { PartEvents, TracedPart } from '../trace-input.ts';
import { anchorRuns } from './clock-anchor.ts';

/** The runtime's own names: of one call of `run`, and of running the graph, or the body of an If, Loop or Scan, in it. */
const MODEL_RUN = 'model_run';
export const GRAPH_RUN = 'SequentialExecutor::Execute';

/** One call of a model. Times are nanoseconds since the trace began. */
export interface PreparedRun {
  readonly part: PreparedPart;
  /** When it was called and when it returned. */
  readonly callNs: number;
  readonly returnNs: number;
  /** When it was due. */
  readonly dueNs: number | undefined;
  readonly isRequest: boolean;
  /** Its number among the runs that the part has in the trace. */
  readonly place: number;
  /** Where its events lie in the part's: from the first one to that of the run itself; -1 where none were recorded. */
  readonly firstRow: number;
  readonly runRow: number;
  /** Where the profile's zero lies, by this run. */
  readonly profileNs: number;
}

/** A part with its runs found and its clock known. */
export interface PreparedPart {
  readonly input: TracedPart;
  /** Tells it from the others of the trace, for people. */
  readonly label: string;
  /** Names that tell the part's model from the others of the trace; empty where it is the only one. */
  readonly prefix: string;
  /** Events of the session that belong to no run, such as loading the model. */
  readonly sessionRows: readonly number[];
  /** Where the profile's zero lies for these. */
  readonly sessionNs: number;
  /** Rows of shaders and kernels of a device. */
  readonly deviceRows: readonly number[];
  readonly runs: readonly PreparedRun[];
  /** The thread that called the model, as the kernel numbers it; undefined without events. */
  readonly thread: number | undefined;
}

/** A part whose runs have been found in its events. Times are nanoseconds since its `baseNs`. */
export interface FoundRuns {
  readonly input: TracedPart;
  /** Where each run ends in the events; shorter than the part's runs where the runtime stopped recording. */
  readonly rows: readonly number[];
  /** Where the profile's zero lies, by each of these runs. */
  readonly profileNs: Float64Array;
}

export function findRuns(input: TracedPart): FoundRuns {
  const { part, events } = input;
  const rows = events === undefined ? [] : runRowsOf(events);
  return {
    input,
    rows,
    profileNs: events === undefined ? new Float64Array(0) : anchorRuns(part, events, rows),
  };
}

interface Span {
  readonly startNs: bigint;
  readonly endNs: bigint;
}

/** From the first to the last moment that a part has anything of in the window; undefined where it has nothing. */
export function extentOf(found: FoundRuns, window: Span | undefined): Span | undefined {
  const { part, events } = found.input;
  const baseNs = BigInt(part.baseNs);
  const inWindow = isIn(window, baseNs);
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  const include = (fromNs: number, toNs: number) => {
    low = Math.min(low, fromNs);
    high = Math.max(high, toNs);
  };
  for (const [run, startNs] of part.startsNs.entries()) {
    const endNs = part.endsNs[run] as number;
    if (inWindow(startNs, endNs)) include(Math.min(startNs, part.duesNs?.[run] ?? startNs), endNs);
  }
  if (events !== undefined) {
    for (const row of otherRowsOf(events).sessionRows) {
      const [startNs, endNs] = spanOfRow(events, row, found.profileNs[0] ?? 0);
      if (inWindow(startNs, endNs)) include(startNs, endNs);
    }
  }
  if (low > high) return undefined;
  return { startNs: baseNs + BigInt(Math.floor(low)), endNs: baseNs + BigInt(Math.ceil(high)) };
}

function isIn(window: Span | undefined, baseNs: bigint): (startNs: number, endNs: number) => boolean {
  if (window === undefined) return () => true;
  const fromNs = Number(window.startNs - baseNs);
  const toNs = Number(window.endNs - baseNs);
  return (startNs, endNs) => startNs <= toNs && endNs >= fromNs;
}

function spanOfRow(events: PartEvents, row: number, profileNs: number): readonly [number, number] {
  const startNs = profileNs + (events.startsUs[row] as number) * 1000;
  return [startNs, startNs + (events.durationsUs[row] as number) * 1000];
}

/**
 * @param startNs  where the trace begins, on the monotonic clock
 * @param window   what is outside is left out; runs that overlap it are kept
 */
export function preparePart(
  found: FoundRuns,
  {
    label,
    prefix,
    startNs,
    window,
  }: {
    readonly label: string;
    readonly prefix: string;
    readonly startNs: bigint;
    readonly window: Span | undefined;
  },
): PreparedPart {
  const { input, rows, profileNs } = found;
  const { part, events } = input;
  const baseNs = Number(BigInt(part.baseNs) - startNs);
  const inWindow = isIn(window, BigInt(part.baseNs));
  const { sessionRows, deviceRows } =
    events === undefined ? { sessionRows: [], deviceRows: [] } : otherRowsOf(events);
  const runs: PreparedRun[] = [];
  const prepared: PreparedPart = {
    input,
    label,
    prefix,
    sessionRows: sessionRows.filter(
      (row) => events !== undefined && inWindow(...spanOfRow(events, row, profileNs[0] ?? 0)),
    ),
    sessionNs: baseNs + (profileNs[0] ?? 0),
    deviceRows,
    runs,
    thread: rows[0] === undefined ? undefined : events?.threads[rows[0]],
  };
  for (const [run, callNs] of part.startsNs.entries()) {
    const returnNs = part.endsNs[run] as number;
    if (!inWindow(callNs, returnNs)) continue;
    const row = rows[run];
    const dueNs = part.duesNs?.[run];
    runs.push({
      part: prepared,
      callNs: baseNs + callNs,
      returnNs: baseNs + returnNs,
      dueNs: dueNs === undefined ? undefined : baseNs + dueNs,
      isRequest: run >= part.firstRequest,
      place: runs.length,
      firstRow: run === 0 ? 0 : (rows[run - 1] ?? -2) + 1,
      runRow: row ?? -1,
      profileNs: row === undefined ? Number.NaN : baseNs + (profileNs[run] as number),
    });
  }
  return prepared;
}

/** Runs of the profile beyond those that the part knows are left out. */
function runRowsOf({ count, kinds, kindList }: PartEvents): number[] {
  const isRun = kindList.map(({ category, name }) => category === 'session' && name === MODEL_RUN);
  const rows: number[] = [];
  for (let row = 0; row < count; row++) if (isRun[kinds[row] as number] === true) rows.push(row);
  return rows;
}

/** Rows that belong to no run of the model: those of the session itself, and those of devices. */
function otherRowsOf({
  count,
  kinds,
  kindList,
}: PartEvents): Pick<PreparedPart, 'sessionRows' | 'deviceRows'> {
  const groups = kindList.map(({ category, name }) => {
    if (category === 'session') return name === MODEL_RUN || name === GRAPH_RUN ? 0 : 1;
    return category === 'node' ? 0 : 2;
  });
  const sessionRows: number[] = [];
  const deviceRows: number[] = [];
  for (let row = 0; row < count; row++) {
    const group = groups[kinds[row] as number];
    if (group === 1) sessionRows.push(row);
    else if (group === 2) deviceRows.push(row);
  }
  return { sessionRows, deviceRows };
}
