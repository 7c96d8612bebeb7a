import { formatSpeedUp } from '../../benchmark/compare.ts';
import type { Model } from '../../client/client.ts';
import { formatBytes, formatSeconds } from '../../core/units.ts';
import { FP32 } from '../../jobs/pipeline.ts';
import { decimal, percent, renderTable } from '../table.ts';

const HEADER = [
  'variant',
  'size',
  'judged by',
  'figure',
  'agreement',
  'SQNR dB',
  'p50',
  'samples/s',
  'speed-up',
  'verdict',
];

/** Models one after the other, as their last full runs found them. */
export function renderModels(models: readonly Model[]): string {
  if (models.length === 0) return 'no model is registered';
  return models.map(renderModel).join('\n\n');
}

export function renderModel({ name, task, variants, recommended, run }: Model): string {
  const title = `${name}, ${task}`;
  if (run === undefined) return `${title}: no full run has succeeded yet`;
  return [
    `${title}: last full run ${run.finishedAt}, ${run.href}`,
    renderTable(HEADER, variants.map(toRow)),
    ...variants.flatMap(({ variant, accuracy }) =>
      accuracy === undefined ? [] : [`${variant}: ${accuracy.verdictReason}`],
    ),
    recommended === undefined
      ? 'recommended: none'
      : `recommended: ${recommended.variant}: ${recommended.reason}`,
  ].join('\n');
}

function toRow({ variant, sizeBytes, accuracy, bench, speedUps }: Model['variants'][number]): string[] {
  const byScenario = (scenario: string) => bench.find((speed) => speed.scenario === scenario);
  const single = byScenario('single-stream') ?? bench[0];
  const p50 = single?.p50Seconds ?? undefined;
  const [speedUp] = speedUps;
  const figure = accuracy?.figure;
  return [
    variant,
    sizeBytes === undefined ? '–' : formatBytes(sizeBytes),
    figure?.metric ?? '–',
    decimal(figure?.value, 4),
    percent(accuracy?.agreement),
    decimal(accuracy?.sqnrDb, 1),
    p50 === undefined ? '–' : formatSeconds(p50),
    decimal((byScenario('offline') ?? single)?.throughput, 0),
    speedUp === undefined ? '–' : formatSpeedUp(speedUp),
    variant === FP32 ? 'reference' : (accuracy?.verdict ?? '–'),
  ];
}
