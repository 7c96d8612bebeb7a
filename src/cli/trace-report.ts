import { formatRate, formatSeconds } from '../core/units.ts';
import type { TracedModel } from '../jobs/trace-task.ts';
import { percent, renderTable } from './table.ts';

const LISTED = 10;

/** For each model the operators that took most of its time. */
export function renderOperators(models: readonly TracedModel[]): string {
  return models.map(operatorsOf).join('\n\n');
}

function gigaflops(flopsPerSecond: number | null): string {
  // Of operators that move data, nothing is to be said.
  if (flopsPerSecond === null || flopsPerSecond === 0) return '–';
  const rate = flopsPerSecond / 1e9;
  return rate < 0.01 ? '<0.01' : formatRate(rate);
}

function operatorsOf(model: TracedModel): string {
  const { modelId, device, requests, operatorSeconds, deviceKernels, operators } = model;
  if (operators.length === 0) return `${modelId}: ${requests} calls, and nothing is known of its operators`;
  const each = (seconds: number) => formatSeconds(seconds / Math.max(1, requests));
  const rows = operators
    .slice(0, LISTED)
    .map(({ op, calls, seconds, timeRatio, flopsPerSecond }) => [
      op,
      String(Math.round(calls / Math.max(1, requests))),
      each(seconds),
      percent(timeRatio),
      gigaflops(flopsPerSecond),
    ]);
  const more = operators.length - rows.length;
  return [
    `${modelId}: ${requests} calls, ${each(operatorSeconds)} in operators each`,
    renderTable(['operator', 'times', 'time', 'share', 'GFLOP/s'], rows),
    ...(more > 0 ? [`and ${more} more`] : []),
    ...(device === 'cpu'
      ? []
      : [
          `times are those of handing work to ${device}; ` +
            (deviceKernels > 0
              ? 'its kernels are in the trace'
              : 'ONNX Runtime recorded none of its kernels, so how long they took is not in the trace'),
        ]),
  ].join('\n');
}
