import { formatBytes, formatSeconds } from '../core/units.ts';
import type { QuantizeReport } from '../jobs/quantize-task.ts';

/** What a person wants to know after a quantization. */
export function renderQuantization(report: QuantizeReport): string {
  const { output, sizeBytes, calibration, ops, warnings, seconds, peakRssBytes } = report;
  return [
    `${output}: ${formatBytes(sizeBytes.before)} → ${formatBytes(sizeBytes.after)} (${sizeChange(sizeBytes)})`,
    `  made         ${report.recipe.format} in ${formatSeconds(seconds)}, peak memory ${formatBytes(peakRssBytes)}`,
    ...(calibration === undefined
      ? []
      : [
          `  calibration  ${calibration.method}, ${calibration.samples} samples in ${formatSeconds(calibration.seconds)}`,
        ]),
    `  nodes        ${nodesLine(report)}`,
    ...listed('not fused', ops.notFused),
    ...listed('left float', ops.float),
    `  self-check   ${selfCheckLine(report)}`,
    ...warnings.map((warning) => `  note         ${warning}`),
  ].join('\n');
}

/** Next to nothing saved by the recipe, what the preparation adds can make a small model larger. */
function sizeChange({ before, after }: QuantizeReport['sizeBytes']): string {
  return after <= before
    ? `${(before / after).toFixed(2)}x smaller`
    : `${(after / before).toFixed(2)}x larger`;
}

/** How many of the changed nodes run as the recipe means them to. */
export function nodesLine({ ops, recipe }: Pick<QuantizeReport, 'ops' | 'recipe'>): string {
  if (ops.fused === null) {
    return recipe.format === 'float16'
      ? `${ops.quantized} nodes compute in float16 where the provider can`
      : `${ops.quantized} nodes between roundings; what runs on codes is up to the target`;
  }
  const kernels = recipe.format.startsWith('weight-') ? 'from packed weights' : 'in int8';
  return `${ops.fused} of ${ops.quantized} quantized nodes run ${kernels} on this CPU`;
}

function selfCheckLine({ selfCheck: { on, samples, sqnrDb } }: QuantizeReport): string {
  if (samples === 0) return 'it loads; no input could be made up to run it on';
  const sqnr = sqnrDb === null ? 'no difference from' : `${sqnrDb.toFixed(1)} dB SQNR against`;
  const what = on === 'data' ? `${samples} calibration samples` : 'a made-up input';
  return `${sqnr} float32 on ${what}`;
}

const MAX_NAMED = 3;

/** Nodes that stay in float, one line a reason. */
function listed(title: string, nodes: QuantizeReport['ops']['float']): string[] {
  const groups = new Map<string, string[]>();
  for (const { node, op, reason } of nodes) {
    const key = `${op}: ${reason}`;
    groups.set(key, [...(groups.get(key) ?? []), node]);
  }
  return [...groups].map(([key, names]) => {
    const named = names.slice(0, MAX_NAMED).join(', ');
    const more = names.length > MAX_NAMED ? ', … (--json lists all)' : '';
    return `  ${title.padEnd(11)}  ${names.length} ${key} (${named}${more})`;
  });
}
