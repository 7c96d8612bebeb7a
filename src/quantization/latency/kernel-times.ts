/** One call of a kernel in a profiled run of a model. */
interface ProfiledCall {
  readonly node: string;
  readonly op: string;
  readonly durationNs: number;
  readonly outputBytes: number;
  /** Types and shapes of the inputs, as any text that is equal for equal work. */
  readonly inputShapes: string;
}

/** What a node of an optimized graph takes in one run of the model. */
export interface KernelTime {
  readonly node: string;
  readonly op: string;
  readonly ns: number;
  readonly outputBytes: number;
}

/**
 * Times of single nodes out of profiled runs. Of each node it takes the mean of the faster half of its runs, as other work
 * on the host only ever slows one down, and then the mean over all nodes that do equal work, so that equal blocks are
 * judged alike. A profile charges each kernel with the making of its own record; what the times are too long in sum is
 * taken off in equal parts.
 * @param runs profiled runs after the warm-up, at least one
 * @param latencyNs what a run takes without a profile
 */
export function kernelTimes(
  runs: readonly { readonly calls: readonly ProfiledCall[] }[],
  latencyNs: number,
): readonly KernelTime[] {
  const byNode = new Map<string, { readonly call: ProfiledCall; readonly ns: number[]; calls: number }>();
  runs.forEach(({ calls }, run) => {
    for (const call of calls) {
      const known = byNode.get(call.node) ?? { call, ns: [], calls: 0 };
      known.ns[run] = (known.ns[run] ?? 0) + call.durationNs;
      known.calls += 1;
      byNode.set(call.node, known);
    }
  });
  const measured = [...byNode.values()].map(({ call, ns, calls }) => ({
    call,
    ns: fasterMean(ns.filter((value) => value !== undefined)),
    callsPerRun: calls / runs.length,
  }));
  const total = measured.reduce((sum, { ns }) => sum + ns, 0);
  const calls = measured.reduce((sum, { callsPerRun }) => sum + callsPerRun, 0);
  const recordingNs = calls === 0 ? 0 : Math.max(0, (total - latencyNs) / calls);
  const alike = new Map<string, { ns: number; nodes: number }>();
  const workOf = ({ op, outputBytes, inputShapes }: ProfiledCall) => `${op} ${outputBytes} ${inputShapes}`;
  for (const { call, ns } of measured) {
    const known = alike.get(workOf(call)) ?? { ns: 0, nodes: 0 };
    alike.set(workOf(call), { ns: known.ns + ns, nodes: known.nodes + 1 });
  }
  return measured.map(({ call, callsPerRun }) => {
    const { ns, nodes: count } = alike.get(workOf(call)) as { ns: number; nodes: number };
    const { node, op, outputBytes } = call;
    return { node, op, ns: Math.max(0, ns / count - recordingNs * callsPerRun), outputBytes };
  });
}

function fasterMean(values: readonly number[]): number {
  const faster = [...values].sort((a, b) => a - b).slice(0, Math.ceil(values.length / 2));
  return faster.reduce((sum, value) => sum + value, 0) / faster.length;
}
