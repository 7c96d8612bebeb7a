import { formatRate, formatSeconds } from '../core/units.ts';
import type { TracedModel } from '../jobs/trace-task.ts';
import { percent, renderTable } from './table.ts';

const LISTED = 10;

/** For each model the operators that took most of its time. */
export function renderOperators(models: readonly TracedModel[]): string {
  return models.map(operatorsOf).join('\n\n');
}

function operatorsOf({ modelId, requests, operatorSeconds, operators }: TracedModel): string {
  if (operators.length === 0) return `${modelId}: ${requests} calls, and nothing is known of its operators`;
  const each = (seconds: number) => formatSeconds(seconds / Math.max(1, requests));
  const rows = operators
    .slice(0, LISTED)
    .map(({ op, calls, seconds, timeRatio, flopsPerSecond }) => [
      op,
      String(Math.round(calls / Math.max(1, requests))),
      each(seconds),
      percent(timeRatio),
      flopsPerSecond === null || flopsPerSecond === 0 ? '–' : formatRate(flopsPerSecond / 1e9),
    ]);
  const more = operators.length - rows.length;
  return [
    `${modelId}: ${requests} calls, ${each(operatorSeconds)} in operators each`,
    renderTable(['operator', 'times', 'time', 'share', 'GFLOP/s'], rows),
    ...(more > 0 ? [`and ${more} more`] : []),
  ].join('\n');
}
