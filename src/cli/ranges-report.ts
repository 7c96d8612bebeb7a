import type { SavedRanges } from '../jobs/saved-ranges.ts';
import { renderTable } from './table.ts';

/** A file of saved ranges, as a table. */
export function renderRanges(
  file: string,
  { model, data, calibration, versions, tensors }: SavedRanges,
): string {
  const { method, ...settings } = calibration;
  const details = Object.entries(settings).map(([name, value]) => `, ${name} ${String(value)}`);
  const rows = Object.entries(tensors).map(([name, { min, max, observed }]) => [
    name,
    figure(min),
    figure(max),
    ...(observed === undefined ? ['–', '–', '–'] : [figure(observed.min), figure(observed.max)]),
    ...(observed === undefined ? [] : [keptShare({ min, max }, observed)]),
  ]);
  return [
    `${file}: ranges of ${rows.length} tensors`,
    `  model        ${model.file} (${model.sha256.slice(0, 12)}…)`,
    `  data         ${data.samples} samples of '${data.split}' in ${data.file} (${data.sha256.slice(0, 12)}…)`,
    `  calibration  ${method}${details.join('')}`,
    `  versions     ${Object.entries(versions)
      .map((entry) => entry.join(' '))
      .join(', ')}`,
    '',
    renderTable(['tensor', 'min', 'max', 'seen min', 'seen max', 'kept'], rows),
  ].join('\n');
}

interface Extremes {
  readonly min: number;
  readonly max: number;
}

function figure(value: number): string {
  return String(Number(value.toPrecision(6)));
}

/** How much of what was seen the range covers. */
function keptShare(range: Extremes, observed: Extremes): string {
  const width = observed.max - observed.min;
  const covered = Math.min(range.max, observed.max) - Math.max(range.min, observed.min);
  return width > 0 ? `${((100 * Math.max(0, covered)) / width).toFixed(1)} %` : '–';
}
