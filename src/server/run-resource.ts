import type { RunView } from '../jobs/agent.ts';

/** A run as the API shows it. */
export function runResource(run: RunView) {
  const { id, kind, model, state, request, progress, queuePosition, result, problem } = run;
  return {
    id,
    kind,
    model,
    state,
    href: runPath(id),
    request,
    createdAt: iso(run.createdMs),
    ...(run.startedMs === undefined ? {} : { startedAt: iso(run.startedMs) }),
    ...(run.finishedMs === undefined ? {} : { finishedAt: iso(run.finishedMs) }),
    ...(queuePosition === undefined ? {} : { queuePosition }),
    ...(progress === undefined ? {} : { progress }),
    ...(result === undefined ? {} : { result }),
    ...(problem === undefined ? {} : { problem }),
  };
}

/** The run without its result, which can be large, for lists. */
export function runSummary(run: RunView) {
  const { result: _result, ...summary } = runResource(run);
  return summary;
}

export function runPath(id: string): string {
  return `/bench/${id}`;
}

function iso(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
