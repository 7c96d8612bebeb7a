import { buildTrace } from '../../src/trace/build-trace.ts';
import type { Trace } from '../../src/trace/trace.ts';
import type { TracedPart, TraceInput } from '../../src/trace/trace-input.ts';
import { graphRun, modelRun, nodeEvent, type ProfileEvent } from './profile-events.ts';
import { eventsOf, lineNamed, nested, planeNamed } from './trace-events.ts';

export const HOST = { hostname: 'host', nowNs: 2_000_000_000n, wallMs: 1_700_000_000_000 };
export const THREAD = 'bench fp32, lane 1';

/** Two nodes, run twice; what lies between them is the runtime's own time. */
export function twoNodes(ts: number): readonly ProfileEvent[] {
  return [
    nodeEvent('/conv', 'Conv', [ts + 10, 30]),
    nodeEvent('/relu', 'Relu', [ts + 45, 5]),
    graphRun([ts + 5, 50]),
    modelRun([ts, 60]),
  ];
}

export const RUNS = [
  [1000, 60],
  [1100, 60],
] as const;
export const TWO_RUNS: readonly ProfileEvent[] = RUNS.flatMap(([ts]) => twoNodes(ts));

export function build(parts: readonly TracedPart[], more: Partial<TraceInput> = {}): Trace {
  return buildTrace({ parts, phases: [], host: HOST, warnings: [], ...more });
}

export function threadOf(trace: Trace, name = THREAD) {
  const plane = planeNamed(trace, '/host:CPU');
  return nested(eventsOf(plane, lineNamed(plane, name)));
}
