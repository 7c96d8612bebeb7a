import type { KernelCall, OpProfile, ProfiledRun, ShaderDispatch } from '../runtime/op-profile.ts';
import { type NodeFacts, opWork } from '../trace/op-work.ts';
import { arithmeticOf } from '../trace/roofline/arithmetic.ts';
import type { EqualCalls } from '../trace/roofline/roofline.ts';
import { readShapes, type TypedShape } from '../trace/work/typed-shape.ts';

/** Operators that a profile lists beside the kernels of their bodies, whose time is in theirs. */
const CONTAINERS: ReadonlySet<string> = new Set(['If', 'Loop', 'Scan']);

/**
 * Adds up calls of an operator that do the same work. The time of If, Loop and Scan is what their bodies leave of it; on WebGPU
 * times are those of the shaders, as the profile's own are the host's for handing them over.
 */
export function equalCalls(
  { runs, dispatches }: OpProfile,
  factsOf: (node: string) => NodeFacts | undefined,
): readonly EqualCalls[] {
  const equal = new Map<string, EqualCalls>();
  for (const { call, calls, ns } of callsByShape(runs, shaderTimes(dispatches))) {
    const { node, op, provider } = call;
    const inputs = readShapes(call.inputShapes);
    const inputTypes = inputs.map(({ type }) => type);
    const arithmetic = arithmeticOf(op, inputTypes);
    const facts = factsOf(node);
    const outputs = readShapes(call.outputShapes);
    const { flops, bytes } = opWork({ op, inputs, outputs, ...(facts === undefined ? {} : { facts }) });
    const form = formOf(op, [...inputs, ...(facts?.weights ?? [])]);
    const work = { op, form, provider, arithmetic, flops, bytes };
    const key = JSON.stringify(work);
    const known = equal.get(key) ?? { ...work, calls: 0, seconds: 0 };
    equal.set(key, { ...known, calls: known.calls + calls, seconds: known.seconds + ns / 1e9 });
  }
  return [...equal.values()];
}

/** Convolutions of different kernels have little in common: `3×3`, `3×3 depthwise`. Empty for other operators. */
function formOf(op: string, [image, ...others]: readonly TypedShape[]): string {
  if (!op.includes('Conv')) return '';
  const rank = image?.dims.length ?? 0;
  const weight = others.find(({ dims }) => rank > 2 && dims.length === rank);
  if (weight === undefined) return '';
  const [outputs = 0, channelsOfGroup, ...kernel] = weight.dims;
  return `${kernel.join('×')}${channelsOfGroup === 1 && outputs > 1 ? ' depthwise' : ''}`;
}

interface ShapeGroup {
  readonly call: KernelCall;
  calls: number;
  ns: number;
}

/** Calls of a node on the same shapes. */
function callsByShape(
  runs: readonly ProfiledRun[],
  shaderNs: ReadonlyMap<string, number>,
): readonly ShapeGroup[] {
  const groups = new Map<string, ShapeGroup>();
  const callsOfNode = new Map<string, number>();
  for (const { calls } of runs) {
    const own = ownTimes(calls);
    for (const [index, call] of calls.entries()) {
      const key = JSON.stringify([nodeKey(call), call.provider, call.inputShapes, call.outputShapes]);
      const group = groups.get(key) ?? { call, calls: 0, ns: 0 };
      groups.set(key, group);
      group.calls += 1;
      group.ns += own[index] as number;
      callsOfNode.set(nodeKey(call), (callsOfNode.get(nodeKey(call)) ?? 0) + 1);
    }
  }
  for (const group of groups.values()) {
    const ns = shaderNs.get(nodeKey(group.call));
    // Which call a shader belongs to is not told, so that calls of a node share its time evenly.
    if (ns !== undefined) group.ns = (ns * group.calls) / (callsOfNode.get(nodeKey(group.call)) as number);
  }
  return [...groups.values()];
}

function shaderTimes(dispatches: readonly ShaderDispatch[]): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  for (const shader of dispatches) {
    times.set(nodeKey(shader), (times.get(nodeKey(shader)) ?? 0) + shader.durationNs);
  }
  return times;
}

function nodeKey({ node, op }: { readonly node: string; readonly op: string }): string {
  return JSON.stringify([node, op]);
}

/** Nanoseconds of each call, without those of the kernels in its body. */
function ownTimes(calls: readonly KernelCall[]): readonly number[] {
  const own = calls.map(({ durationNs }) => durationNs);
  const byStart = calls
    .map((call, index) => ({ call, index, endNs: call.startNs + call.durationNs }))
    .sort((a, b) => a.call.startNs - b.call.startNs || b.call.durationNs - a.call.durationNs);
  const open: typeof byStart = [];
  for (const entry of byStart) {
    while (open.length > 0 && entry.call.startNs >= (open.at(-1)?.endNs ?? 0)) open.pop();
    const container = open.at(-1);
    if (container !== undefined)
      own[container.index] = (own[container.index] as number) - entry.call.durationNs;
    if (CONTAINERS.has(entry.call.op)) open.push(entry);
  }
  // Times are cut off to microseconds, so that a body can seem to take longer than what contains it.
  return own.map((ns) => Math.max(0, ns));
}
