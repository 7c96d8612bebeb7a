import { type NodeFacts, opWork } from '../op-work.ts';
import type { PartEvents, PartKind } from '../trace-input.ts';
import { readShapes, type TypedShape } from '../work/typed-shape.ts';
import { arithmeticOf } from './arithmetic.ts';
import type { EqualCalls, WorkOfRuns } from './roofline.ts';

/** Operators that a profile lists beside the kernels of their bodies, whose time is in theirs. */
const CONTAINERS: ReadonlySet<string> = new Set(['If', 'Loop', 'Scan']);

/** The runtime's own name of one call of `run`. */
const MODEL_RUN = 'model_run';

/**
 * Adds up, out of a profile, calls of operators that do the same work. The time of If, Loop and Scan is what their bodies leave of
 * it; on WebGPU times are those of the shaders, as the operator's own are the host's for handing them over.
 * @param firstRun runs before this one warmed the session up and do not count
 */
export function workOfEvents(
  events: PartEvents,
  firstRun: number,
  factsOf: (node: string) => NodeFacts | undefined = () => undefined,
): WorkOfRuns {
  const { runs, seconds, calls, us } = tallyRuns(events, firstRun);
  const nodes = events.kindList.flatMap((kind, place) =>
    (calls[place] as number) > 0 ? [{ kind, calls: calls[place] as number, us: us[place] as number }] : [],
  );
  const shaderUs = shaderTimes(events, firstRun, runs);
  const callsOfNode = new Map<string, number>();
  for (const { kind, calls: count } of nodes) {
    callsOfNode.set(nodeKey(kind), (callsOfNode.get(nodeKey(kind)) ?? 0) + count);
  }
  const equal = new Map<string, EqualCalls>();
  for (const { kind, calls: count, us: ownUs } of nodes) {
    // Which call a shader belongs to is not told, so that calls of a node share its time evenly.
    const ofShaders = shaderUs.get(nodeKey(kind));
    const share = count / (callsOfNode.get(nodeKey(kind)) as number);
    const kindSeconds = (ofShaders === undefined ? ownUs : ofShaders * share) / 1e6;
    const work = workOfKind(kind, factsOf(kind.name));
    const key = JSON.stringify(work);
    const known = equal.get(key) ?? { ...work, calls: 0, seconds: 0 };
    equal.set(key, { ...known, calls: known.calls + count, seconds: known.seconds + kindSeconds });
  }
  return { runs, seconds, calls: [...equal.values()] };
}

/** Runs of one model in several sessions, as those of one. */
export function mergeWork(works: readonly WorkOfRuns[]): WorkOfRuns {
  return {
    runs: works.reduce((total, { runs }) => total + runs, 0),
    seconds: works.reduce((total, { seconds }) => total + seconds, 0),
    calls: works.flatMap(({ calls }) => calls),
  };
}

/** Calls of each kind in the runs that count, and their time without that of the kernels in their bodies. */
function tallyRuns(events: PartEvents, firstRun: number) {
  const { count, kinds, kindList, startsUs, durationsUs } = events;
  const calls = new Float64Array(kindList.length);
  const us = new Float64Array(kindList.length);
  let [seen, runUs] = [0, 0];
  // Rows of the operators of the run so far, in the order of their ends, without those that lie in a container.
  let outer: number[] = [];
  for (let row = 0; row < count; row++) {
    const place = kinds[row] as number;
    const { category, name, op } = kindList[place] as PartKind;
    const [startUs, durationUs] = [startsUs[row] as number, durationsUs[row] as number];
    if (category === 'session' && name === MODEL_RUN) {
      if (seen >= firstRun) runUs += durationUs;
      seen += 1;
      outer = [];
    }
    if (category !== 'node') continue;
    let ownUs = durationUs;
    if (CONTAINERS.has(op)) {
      for (let last = outer.at(-1); last !== undefined; last = outer.at(-1)) {
        if ((startsUs[last] as number) < startUs) break;
        ownUs -= durationsUs[last] as number;
        outer.pop();
      }
    }
    outer.push(row);
    if (seen < firstRun) continue;
    calls[place] = (calls[place] as number) + 1;
    // Times are cut off to microseconds, so that a body can seem to take longer than what contains it.
    us[place] = (us[place] as number) + Math.max(0, ownUs);
  }
  return { runs: Math.max(0, seen - firstRun), seconds: runUs / 1e6, calls, us };
}

/** Microseconds of the shaders of each node in the runs that count; every run has as many. */
function shaderTimes(events: PartEvents, firstRun: number, runs: number): ReadonlyMap<string, number> {
  const { count, kinds, kindList, startsUs, durationsUs } = events;
  const rows: number[] = [];
  for (let row = 0; row < count; row++) {
    if ((kindList[kinds[row] as number] as PartKind).category === 'api') rows.push(row);
  }
  rows.sort((a, b) => (startsUs[a] as number) - (startsUs[b] as number));
  const first = Math.round((rows.length * firstRun) / Math.max(1, firstRun + runs));
  const times = new Map<string, number>();
  for (const row of rows.slice(first)) {
    const key = nodeKey(launchedBy((kindList[kinds[row] as number] as PartKind).name));
    times.set(key, (times.get(key) ?? 0) + (durationsUs[row] as number));
  }
  return times;
}

/** `node&Op&Shader`, of which the node's name may be anything. Source: webgpu_context.cc. */
function launchedBy(name: string): Pick<PartKind, 'name' | 'op'> {
  const parts = name.split('&');
  parts.pop();
  const op = parts.pop() ?? '';
  return { name: parts.join('&'), op };
}

function nodeKey({ name, op }: Pick<PartKind, 'name' | 'op'>): string {
  return JSON.stringify([name, op]);
}

function workOfKind(kind: PartKind, facts: NodeFacts | undefined): Omit<EqualCalls, 'calls' | 'seconds'> {
  const { op, provider } = kind;
  const inputs = readShapes(kind.inputShapes);
  const outputs = readShapes(kind.outputShapes);
  const inputTypes = inputs.map(({ type }) => type);
  const { flops, bytes } = opWork({ op, inputs, outputs, ...(facts === undefined ? {} : { facts }) });
  const form = formOf(op, [...inputs, ...(facts?.weights ?? [])]);
  return { op, form, provider, arithmetic: arithmeticOf(op, inputTypes), flops, bytes };
}

/** Convolutions of different kernels have little in common: `3×3`, `3×3 depthwise`. Empty for other operators. */
function formOf(op: string, [image, ...others]: readonly TypedShape[]): string {
  if (!op.includes('Conv')) return '';
  const rank = image?.dims.length ?? 0;
  const weight = others.find(({ dims }) => rank > 2 && dims.length === rank);
  if (weight === undefined) return '';
  const [, channelsOfGroup, ...kernel] = weight.dims;
  // A picture of one channel has no groups.
  const isDepthwise = channelsOfGroup === 1 && image?.dims[1] !== 1;
  return `${kernel.join('×')}${isDepthwise ? ' depthwise' : ''}`;
}
