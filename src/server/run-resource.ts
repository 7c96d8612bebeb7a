import { type Problem, problem } from '../core/problem.ts';
import type { RunEta } from '../jobs/run-eta.ts';
import type { RunView } from '../jobs/run-view.ts';

/** A run as the API shows it. */
export function runResource(run: RunView, eta: RunEta | undefined = undefined) {
  const { id, kind, model, state, request, priority, attempt, earlierProblem } = run;
  const { progress, waitingFor, queuePosition, cancelling, result, problem } = run;
  return {
    id,
    kind,
    model,
    state,
    href: runPath(id),
    request,
    priority,
    attempt,
    ...(earlierProblem === undefined ? {} : { earlierProblem }),
    createdAt: iso(run.createdMs),
    ...(run.startedMs === undefined ? {} : { startedAt: iso(run.startedMs) }),
    ...(run.finishedMs === undefined ? {} : { finishedAt: iso(run.finishedMs) }),
    ...(run.deadlineMs === undefined ? {} : { deadlineAt: iso(run.deadlineMs) }),
    ...(run.notBeforeMs === undefined ? {} : { notBeforeAt: iso(run.notBeforeMs) }),
    ...(queuePosition === undefined ? {} : { queuePosition }),
    ...eta,
    ...(cancelling === undefined ? {} : { cancelling }),
    ...(progress === undefined ? {} : { progress }),
    ...(waitingFor === undefined ? {} : { waitingFor }),
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

export function unknownRun(id: string): Problem {
  return problem('unknown-run', `there is no run '${id}'`, { hint: 'GET /bench lists the runs' });
}

/** What is asked for is what only runs that succeeded have. */
export function withoutResult({ id, state, problem: reason }: RunView): Problem {
  const why = reason === undefined ? '' : `: ${reason.message}`;
  return problem('unknown-run', `the run '${id}' has no result, because it is ${state}${why}`, {
    hint: 'GET /bench?state=succeeded lists those that have one',
  });
}
