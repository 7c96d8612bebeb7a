import { formatBytes, formatSeconds } from '../core/units.ts';
import type { QuantizeReport } from '../jobs/quantize-task.ts';
import { listNodes } from './node-list.ts';

/** What a person wants to know after a quantization. */
export function renderQuantization(report: QuantizeReport): string {
  const { output, sizeBytes, calibration, ops, warnings, seconds, peakRssBytes, writtenBytes } = report;
  return [
    `${output}: ${formatBytes(sizeBytes.before)} → ${formatBytes(sizeBytes.after)} (${sizeChange(sizeBytes)})`,
    `  made         ${report.recipe.format} in ${formatSeconds(seconds)}, peak memory ${formatBytes(peakRssBytes)}${writtenBytes === undefined ? '' : `, ${formatBytes(writtenBytes)} written`}`,
    ...(calibration === undefined
      ? []
      : [
          `  calibration  ${calibration.method}, ${calibration.samples} samples ${calibration.reused ? 'earlier: the saved ranges are used again' : `in ${formatSeconds(calibration.seconds)}`}`,
        ]),
    `  nodes        ${nodesLine(report)}`,
    ...listNodes('not fused   ', ops.notFused),
    ...listNodes('left float  ', ops.float),
    ...tuningLines(report),
    ...(report.latencyGate === undefined ? [] : [`  latency      ${latencyLine(report.latencyGate)}`]),
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

/** What tuning gained, and one line for each pass. */
function tuningLines({ tuning, recipe }: QuantizeReport): readonly string[] {
  if (tuning === undefined || !('tune' in recipe)) return [];
  const { sqnrDb, passes, samples, rangesOfAll, seconds } = tuning;
  const from = formatDb(sqnrDb.before);
  return [
    `  tuning       ${recipe.tune}, ${from} → ${formatDb(sqnrDb.after)} SQNR on ${samples.judge} samples kept apart, in ${formatSeconds(seconds)}`,
    ...passes.map(({ pass, kept, sqnrDb: reached, reason }) => {
      const outcome = kept
        ? formatDb(reached)
        : reached === undefined
          ? 'nothing to do'
          : `undone, as it gave ${formatDb(reached)}`;
      return `    ${pass}: ${outcome}; ${reason}`;
    }),
    ...(rangesOfAll === undefined
      ? []
      : [`    at last: ${rangesOfAll} ranges found on all samples, which is not judged again`]),
  ];
}

function formatDb(sqnrDb: number | null | undefined): string {
  return typeof sqnrDb === 'number' && Number.isFinite(sqnrDb)
    ? `${sqnrDb.toFixed(1)} dB`
    : 'no figure in dB';
}

function selfCheckLine({ selfCheck: { on, samples, sqnrDb, alone } }: QuantizeReport): string {
  if (samples === 0) return 'it loads; no input could be made up to run it on';
  if (alone) return 'it runs on a made-up input; the original is too large to be loaded beside it';
  const sqnr = sqnrDb === null ? 'no difference from' : `${sqnrDb.toFixed(1)} dB SQNR against`;
  const what = on === 'data' ? `${samples} calibration samples` : 'a made-up input';
  return `${sqnr} float32 on ${what}`;
}

function latencyLine({
  int8Seconds,
  float32Seconds,
  speedUp,
  outcome,
}: NonNullable<QuantizeReport['latencyGate']>): string {
  const figures = `${formatSeconds(int8Seconds)} against ${formatSeconds(float32Seconds)} in float32 at one thread`;
  const [ratio, lower, upper] = [speedUp.ratio, speedUp.lower, speedUp.upper].map((of) => of.toFixed(2));
  const doubt = outcome === 'not-distinguished' ? ', within noise' : '';
  return `${figures}, ${ratio}x [${lower}, ${upper}]${doubt}`;
}
