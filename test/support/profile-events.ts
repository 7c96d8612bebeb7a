import type { TracePart } from '../../src/trace/trace-part.ts';

/** An event as ONNX Runtime writes it. */
export interface ProfileEvent {
  readonly cat: string;
  readonly ts: number;
  readonly dur: number;
  readonly name: string;
  readonly tid?: number;
  readonly args?: Readonly<Record<string, unknown>>;
}

/** Times in microseconds, as they are in a profile. */
export function nodeEvent(
  name: string,
  op: string,
  [ts, dur]: readonly [number, number],
  args: Readonly<Record<string, unknown>> = {},
): ProfileEvent {
  return {
    cat: 'Node',
    ts,
    dur,
    name: `${name}_kernel_time`,
    args: { op_name: op, provider: 'CPUExecutionProvider', ...args },
  };
}

export function sessionEvent(name: string, [ts, dur]: readonly [number, number]): ProfileEvent {
  return { cat: 'Session', ts, dur, name, args: {} };
}

/** The graph has run, or the body of an operator; then what it ran in is written. */
export const graphRun = (span: readonly [number, number]) =>
  sessionEvent('SequentialExecutor::Execute', span);
export const modelRun = (span: readonly [number, number]) => sessionEvent('model_run', span);

/** As ONNX Runtime 1.30 writes it: an event a line, names as they are. */
export function profileText(events: readonly ProfileEvent[], end = '\n]\n'): string {
  const lines = events.map(({ cat, ts, dur, name, tid = 7, args = {} }) => {
    const fields = Object.entries(args).map(([key, value]) => `"${key}" : ${JSON.stringify(value)}`);
    return (
      `{"cat" : "${cat}","pid" :7,"tid" :${tid},"dur" :${dur},"ts" :${ts},"ph" : "X",` +
      `"name" :"${name}","args" : {${fields.join(',')}}}`
    );
  });
  return `[\n${lines.join(',\n')}${end}`;
}

/** A session whose runs were called at these microseconds since `baseNs`, two before and after what a profile tells. */
export function partOf(
  runs: readonly (readonly [number, number])[],
  more: Partial<TracePart> = {},
): TracePart {
  return {
    modelId: 'net:fp32',
    phase: 'bench',
    device: 'cpu',
    pid: 7,
    thread: 'bench fp32, lane 1',
    baseNs: '1000000000',
    startsNs: runs.map(([ts]) => ts * 1000 - 2000),
    endsNs: runs.map(([ts, dur]) => (ts + dur) * 1000 + 2000),
    firstRequest: 0,
    ...more,
  };
}
