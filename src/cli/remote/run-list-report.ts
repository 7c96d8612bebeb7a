import type { RunSummary } from '../../client/client.ts';
import { formatSeconds } from '../../core/units.ts';
import { renderTable } from '../table.ts';
import { progressText } from './run-outcome.ts';

/** Runs, one a line. */
export function renderRunList(runs: readonly RunSummary[]): string {
  if (runs.length === 0) return 'there is no such run';
  return renderTable(['run', 'model', 'kind', 'state', 'ordered', 'took', ''], runs.map(toRow));
}

function toRow(run: RunSummary): string[] {
  const { id, model, kind, state, createdAt, startedAt, finishedAt } = run;
  const took =
    startedAt === undefined || finishedAt === undefined
      ? '–'
      : formatSeconds((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000);
  return [id, model, kind, state, createdAt, took, newsOf(run)];
}

/** The one thing that is most worth knowing. */
function newsOf({ queuePosition, waitingFor, progress, problem }: RunSummary): string {
  if (problem !== undefined) return problem.kind;
  if (waitingFor !== undefined) return `waits for ${waitingFor}`;
  if (progress !== undefined) return progressText(progress);
  return queuePosition === undefined ? '' : `${queuePosition} before it`;
}
