import type { PartEvents, PartKind } from '../trace-input.ts';
import type { PreparedPart, PreparedRun } from './prepared-part.ts';

/** A shader or kernel that a device ran for an operator. */
export interface DeviceCall {
  readonly kernel: string;
  /** The row of the operator in the part's events. */
  readonly row: number;
  readonly node: PartKind;
  readonly stream: string;
  /** Since the trace began. */
  readonly startNs: number;
  readonly durationNs: number;
  /** Of a run that is no request. */
  readonly isWarmUp: boolean;
  /** By the names that TensorFlow's tools have for them. */
  readonly details: Readonly<Record<string, string>>;
}

/** A row of a device that was found to belong to an operator of a run. */
interface Match {
  readonly row: number;
  readonly run: PreparedRun;
  readonly nodeRow: number;
}

/**
 * Finds for each shader of WebGPU and each kernel of CUDA the operator that launched it, and when it ran on the clock of the
 * host. A shader's time is the device's, moved by ONNX Runtime about to the profile's clock or not at all; it is moved
 * further as little as possible, so that none begins before its operator does and, as far as that goes, none ends behind its
 * run. Where one shift for all runs is not enough, each run has its own. Beginnings of CUDA's kernels are not measured:
 * the runtime puts them behind the beginning of their operator.
 */
export function deviceCalls(part: PreparedPart): readonly DeviceCall[] {
  const { events } = part.input;
  if (events === undefined || part.deviceRows.length === 0) return [];
  const calls = [
    ...placeShaders(matchShaders(part, events), events).map(({ match, startNs }) =>
      toCall(match, startNs, events),
    ),
    ...matchKernels(part, events).map((match) =>
      toCall(match, match.run.profileNs + (events.startsUs[match.nodeRow] as number) * 1000, events),
    ),
  ];
  return calls.sort((a, b) => a.startNs - b.startNs);
}

function kindOf(events: PartEvents, row: number): PartKind {
  return events.kindList[events.kinds[row] as number] as PartKind;
}

/** `node&Op&Shader`, of which the node's name may be anything. Source: webgpu_context.cc. */
function shaderNames(name: string): { readonly node: string; readonly shader: string } {
  const parts = name.split('&');
  const shader = parts.pop() ?? '';
  parts.pop();
  return { node: parts.join('&'), shader };
}

/** A run's shaders begin behind its own beginning and before that of the next run, as it waits for their results. */
function matchShaders(part: PreparedPart, events: PartEvents): readonly Match[] {
  const rows = part.deviceRows.filter((row) => kindOf(events, row).category === 'api');
  rows.sort((a, b) => (events.startsUs[a] as number) - (events.startsUs[b] as number));
  const runs = part.runs.filter(({ runRow }) => runRow >= 0);
  const firstRun = runs[0];
  const firstRow = rows[0];
  if (firstRun === undefined || firstRow === undefined) return [];
  const shiftUs = roughShiftUs(events, rows, runs);
  const matches: Match[] = [];
  let place = 0;
  let nodes = nodesOf(events, firstRun);
  for (const row of rows) {
    const atUs = (events.startsUs[row] as number) + shiftUs;
    for (
      let next = runs[place + 1];
      next !== undefined && atUs >= runStartUs(events, next);
      next = runs[place + 1]
    ) {
      place++;
      nodes = nodesOf(events, next);
    }
    const run = runs[place] as PreparedRun;
    if (atUs < runStartUs(events, run)) continue;
    const nodeRow = nodes.get(shaderNames(kindOf(events, row).name).node);
    if (nodeRow !== undefined) matches.push({ row, run, nodeRow });
  }
  return matches;
}

/** Zero where the device's clock is about that of the profile; else what lets the first shader begin with the first run. */
function roughShiftUs(events: PartEvents, rows: readonly number[], runs: readonly PreparedRun[]): number {
  const first = events.startsUs[rows[0] as number] as number;
  const last = events.startsUs[rows.at(-1) as number] as number;
  const beginsUs = runStartUs(events, runs[0] as PreparedRun);
  const endRow = (runs.at(-1) as PreparedRun).runRow;
  const endsUs = (events.startsUs[endRow] as number) + (events.durationsUs[endRow] as number);
  return first >= beginsUs && last <= endsUs ? 0 : beginsUs - first;
}

function runStartUs(events: PartEvents, { runRow }: PreparedRun): number {
  return events.startsUs[runRow] as number;
}

/** The rows of a run's operators by name; of those that ran repeatedly, the first. */
function nodesOf(events: PartEvents, { firstRow, runRow }: PreparedRun): ReadonlyMap<string, number> {
  const nodes = new Map<string, number>();
  for (let row = firstRow; row < runRow; row++) {
    const { category, name } = kindOf(events, row);
    if (category === 'node' && !nodes.has(name)) nodes.set(name, row);
  }
  return nodes;
}

function placeShaders(
  matches: readonly Match[],
  events: PartEvents,
): readonly { readonly match: Match; readonly startNs: number }[] {
  const bounds = new Map<PreparedRun, { leastUs: number; mostUs: number }>();
  for (const { row, run, nodeRow } of matches) {
    const startUs = events.startsUs[row] as number;
    const endUs = startUs + (events.durationsUs[row] as number);
    const { runRow } = run;
    const runEndUs = (events.startsUs[runRow] as number) + (events.durationsUs[runRow] as number);
    const known = bounds.get(run) ?? { leastUs: Number.NEGATIVE_INFINITY, mostUs: Number.POSITIVE_INFINITY };
    known.leastUs = Math.max(known.leastUs, (events.startsUs[nodeRow] as number) - startUs);
    known.mostUs = Math.min(known.mostUs, runEndUs - endUs);
    bounds.set(run, known);
  }
  const all = [...bounds.values()];
  const leastUs = all.reduce((most, bound) => Math.max(most, bound.leastUs), Number.NEGATIVE_INFINITY);
  const mostUs = all.reduce((least, bound) => Math.min(least, bound.mostUs), Number.POSITIVE_INFINITY);
  const shared = leastUs <= mostUs ? nearestToZero(leastUs, mostUs) : undefined;
  return matches.map((match) => {
    const own = bounds.get(match.run) as { leastUs: number; mostUs: number };
    const shiftUs = shared ?? nearestToZero(own.leastUs, Math.max(own.leastUs, own.mostUs));
    return {
      match,
      startNs: match.run.profileNs + ((events.startsUs[match.row] as number) + shiftUs) * 1000,
    };
  });
}

function nearestToZero(least: number, most: number): number {
  return Math.max(least, Math.min(0, most));
}

/** CUDA's kernels stand behind their operator. */
function matchKernels(part: PreparedPart, events: PartEvents): readonly Match[] {
  const matches: Match[] = [];
  for (const run of part.runs) {
    let nodeRow = -1;
    for (let row = run.firstRow; row < run.runRow; row++) {
      const { category } = kindOf(events, row);
      if (category === 'node') nodeRow = row;
      else if (category === 'kernel' && nodeRow >= 0) matches.push({ row, run, nodeRow });
    }
  }
  return matches;
}

function toCall({ row, nodeRow, run }: Match, startNs: number, events: PartEvents): DeviceCall {
  const kind = kindOf(events, row);
  const isShader = kind.category === 'api';
  return {
    kernel: isShader ? shaderNames(kind.name).shader : kernelName(kind.name),
    row: nodeRow,
    node: kindOf(events, nodeRow),
    stream: kind.details['stream'] ?? '0',
    startNs,
    durationNs: (events.durationsUs[row] as number) * 1000,
    isWarmUp: !run.isRequest,
    details: isShader ? shaderDetails(kind.details) : kernelDetails(kind.details),
  };
}

/** TensorFlow's tools know copies by these beginnings of their names. */
function kernelName(name: string): string {
  const copy = /^Memcpy(Host|Device)To(Host|Device)/.exec(name);
  return copy === null ? name : `Memcpy${copy[1]?.[0]}To${copy[2]?.[0]}`;
}

/** A cache key is `Program[hints]:x,y,z:…` with the size of a workgroup. Source: program_cache_key.cc. */
function shaderDetails(details: PartKind['details']): Readonly<Record<string, string>> {
  const { shapes, cache_key: key } = details as { readonly shapes?: string; readonly cache_key?: string };
  const block = /:(\d+,\d+,\d+):/.exec(key ?? '')?.[1];
  return {
    kernel_details: block === undefined ? UNKNOWN_DETAILS : `${UNKNOWN_DETAILS} block:${block}`,
    ...(shapes === undefined ? {} : { shapes: shapes.trim() }),
    ...(key === undefined ? {} : { 'cache key': key }),
  };
}

/** What is not told has to be there, or the tool lists no kernel; zero is what it shows for it. */
const UNKNOWN_DETAILS = 'regs:0 static_shared:0 dynamic_shared:0';

function kernelDetails(details: PartKind['details']): Readonly<Record<string, string>> {
  const size = (name: string) => ['x', 'y', 'z'].map((axis) => details[`${name}_${axis}`] ?? '');
  const grid = size('grid');
  const block = size('block');
  // Copies have grids of -1.
  const isKnown = [...grid, ...block].every((text) => /^\d+$/.test(text));
  return isKnown
    ? { kernel_details: `${UNKNOWN_DETAILS} grid:${grid.join(',')} block:${block.join(',')}` }
    : {};
}
