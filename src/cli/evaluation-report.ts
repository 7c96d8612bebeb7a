import type { ComparedFigure } from '../evaluation/compared-figure.ts';
import type { Interval } from '../evaluation/proportion.ts';
import type { ModelEvaluation } from '../jobs/evaluate-task.ts';
import { leftOutSamples } from '../jobs/left-out-samples.ts';
import { decimal, percent, renderTable } from './table.ts';

/** Figures beyond these make the table wider than a terminal; `--json` has them all. */
const SHOWN_FIGURES = 3;

const SHOWN_CHANGES = 5;

/** What a person wants to know after an evaluation: the figures, why the verdicts, what changed. */
export function renderEvaluations(evaluations: readonly ModelEvaluation[]): string {
  const [first] = evaluations;
  const shown = (first?.figures ?? []).filter(({ reference }) => reference !== null).slice(0, SHOWN_FIGURES);
  const rows = evaluations.map((evaluation) => [
    evaluation.model,
    String(evaluation.n),
    ...shown.map(({ name }) => figureText(evaluation.figures?.find((figure) => figure.name === name))),
    percent(evaluation.agreement),
    evaluation.identical ? 'identical' : decimal(evaluation.sqnrDb, 2),
    decimal(evaluation.cosine, 6),
    evaluation.verdict,
  ]);
  const header = [
    'model',
    'n',
    ...shown.map(({ label }) => label),
    'agreement',
    'SQNR dB',
    'cosine',
    'verdict',
  ];
  return [
    ...referenceLines(first, shown),
    renderTable(header, rows),
    '',
    ...evaluations.flatMap((evaluation) => [
      `${evaluation.variant}: ${evaluation.verdictReason}`,
      ...changeLines(evaluation),
      ...driftLines(evaluation),
    ]),
    ...skippedLines(first),
    ...unusedLines(first),
  ].join('\n');
}

function referenceLines(
  evaluation: ModelEvaluation | undefined,
  shown: readonly ComparedFigure[],
): readonly string[] {
  if (evaluation === undefined || shown.length === 0) return [];
  const figures = shown.map(
    (figure) =>
      `${figure.label} ${valueText(figure, figure.reference)}${intervalText(figure, figure.referenceInterval)}`,
  );
  const source = evaluation.referenceReused ? ', outputs of an earlier evaluation' : '';
  return [`float32: ${figures.join(', ')} on ${evaluation.n} samples${source}`, ''];
}

function figureText(figure: ComparedFigure | undefined): string {
  return figure === undefined ? '–' : valueText(figure, figure.value);
}

function valueText({ unit }: ComparedFigure, value: number | null): string {
  if (value === null) return '–';
  return unit === 'proportion' ? percent(value) : String(Number(value.toPrecision(4)));
}

function intervalText(figure: ComparedFigure, interval: Interval | null): string {
  if (interval === null) return '';
  const { lower, upper, confidence } = interval;
  const ends = [lower, upper].map((end) => valueText(figure, end)).join(' to ');
  return ` (${Math.round(confidence * 100)} %: ${ends})`;
}

function changeLines({ changes = [], flipped }: ModelEvaluation): readonly string[] {
  if (flipped === undefined || flipped.count === 0) return [];
  const lines = changes
    .slice(0, SHOWN_CHANGES)
    .map(({ index, id, reference, candidate, referenceRight, candidateRight }) => {
      const mark = (right: boolean | undefined) =>
        right === undefined ? '' : right ? ' (right)' : ' (wrong)';
      return `  ${id ?? `sample ${index}`}: ${reference}${mark(referenceRight)} → ${candidate}${mark(candidateRight)}`;
    });
  const more = flipped.count - lines.length;
  return [...lines, ...(more > 0 ? [`  and ${more} more changed answers (--changed writes them all)`] : [])];
}

function driftLines({ variant, drift, goldenRecorded }: ModelEvaluation): readonly string[] {
  if (drift === undefined) return recordedLines(variant, goldenRecorded);
  const { recordedWallMs, onnxRuntimeVersion } = drift.recorded;
  const day = `${new Date(recordedWallMs).toISOString().slice(0, 10)} (ONNX Runtime ${onnxRuntimeVersion})`;
  switch (drift.drift) {
    case 'none':
      return [`${variant}: gives the same outputs on ${drift.n} samples as on ${day}`];
    case 'numeric':
      return [
        `${variant}: outputs differ by up to ${drift.maxAbsError.toPrecision(3)} since ${day}, answers do not`,
      ];
    case 'answers':
      return [
        `${variant}: ${drift.changed.count} of ${drift.n} answers changed since ${day}, though the model did not`,
      ];
  }
}

function recordedLines(variant: string, isRecorded: boolean | undefined): readonly string[] {
  if (isRecorded === undefined) return [];
  return isRecorded
    ? [`${variant}: its outputs are recorded; later evaluations tell when they change`]
    : [`${variant}: its outputs are not recorded, as they are too large or a sample failed`];
}

function unusedLines(evaluation: ModelEvaluation | undefined): readonly string[] {
  const { count, names } = evaluation?.unused ?? { count: 0, names: [] };
  if (count === 0) return [];
  const more = count > names.length ? ` and ${count - names.length} more` : '';
  return ['', `not used of the data: ${names.join(', ')}${more}`];
}

function skippedLines(evaluation: ModelEvaluation | undefined): readonly string[] {
  const skipped = evaluation?.skipped;
  if (skipped === undefined || skipped.count === 0) return [];
  return ['', `${leftOutSamples(skipped.count)}:`, ...skipped.problems.map((line) => `  ${line}`)];
}
