import type { ColdStartFigure, ColdStartResult } from '../benchmark/cold-start/cold-start-result.ts';
import { formatBytes, formatSeconds } from '../core/units.ts';
import { renderTable } from './table.ts';

const HEADER = [
  'model',
  'process',
  'runtime',
  'model load',
  'first run',
  'first answer',
  '',
  'steady',
  'runs to it',
  'first answer against the first model',
];

/** How models start, as text: medians of the starts after the first, and what was particular about the first. */
export function renderColdStarts(results: readonly ColdStartResult[], isMadeUp: boolean): string {
  const rows = results.map(columnsOf);
  const notes = [
    ...results.flatMap(firstStart),
    ...results.flatMap(otherShapes),
    ...results.flatMap(unsteady),
    ...(isMadeUp ? ['inputs are made up: real ones may take another time'] : []),
  ];
  return [renderTable(HEADER, rows), '', ...notes].join('\n');
}

function columnsOf({ variant, figures, ratios }: ColdStartResult): string[] {
  if (figures === null) return [variant, ...HEADER.slice(1).map(() => '–')];
  const { firstAnswerSeconds, runsToSteady } = figures;
  const { lower, upper } = firstAnswerSeconds;
  return [
    variant,
    seconds(figures.processSeconds),
    seconds(figures.runtimeSeconds),
    seconds(figures.modelSeconds),
    seconds(figures.firstInferenceSeconds),
    seconds(firstAnswerSeconds),
    lower === null || upper === null ? '' : `[${formatSeconds(lower)}, ${formatSeconds(upper)}]`,
    seconds(figures.steadyMedianSeconds),
    String(runsToSteady.median ?? runsToSteady.first),
    ratioOf(ratios),
  ];
}

/** Of a single start where there was no other. */
function seconds({ median, first }: ColdStartFigure): string {
  return formatSeconds(median ?? first);
}

function ratioOf(ratios: ColdStartResult['ratios']): string {
  if (ratios === null) return '–';
  const found = ratios.find(({ figure }) => figure === 'firstAnswerSeconds');
  if (found === undefined || found.ratio === null || found.lower === null || found.upper === null)
    return 'too few starts to compare';
  return `${found.ratio.toFixed(2)}x as long [${found.lower.toFixed(2)}, ${found.upper.toFixed(2)}]`;
}

function firstStart({ variant, figures, repetitions }: ColdStartResult): string[] {
  const [first] = repetitions;
  if (figures === null || first === undefined) return [];
  const { diskReadBytes } = first;
  const cache =
    diskReadBytes === 0
      ? 'nothing was read from a disk: the page cache had the file, or the kernel does not tell'
      : `${formatBytes(diskReadBytes)} were read from a disk`;
  const others = repetitions.length - 1;
  const apart = others === 0 ? 'the only one' : `not among the ${others} above`;
  return [`first start of ${variant}, ${apart}: ${formatSeconds(first.firstAnswerSeconds)}; ${cache}`];
}

/** Said only where there is more than one shape; the table has the first. */
function otherShapes({ variant, firstInferences }: ColdStartResult): string[] {
  const values = firstInferences.map(({ median, first }) => median ?? first);
  if (values.length < 2) return [];
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return [
    `${variant} has ${values.length} input shapes, whose first runs take ${formatSeconds(least)} to ${formatSeconds(most)}`,
  ];
}

function unsteady({ variant, repetitions }: ColdStartResult): string[] {
  const count = repetitions.filter(({ steady }) => !steady).length;
  if (count === 0) return [];
  return [
    `${variant} did not come to a steady speed in ${count} of ${repetitions.length} starts: its last figures are of the end`,
  ];
}
