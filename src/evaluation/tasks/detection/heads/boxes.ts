import type { NamedTensors } from '../../../../core/tensor.ts';
import { addBox, addCandidate, addCentredBox, type Candidates } from '../candidates.ts';
import { unexpectedDims } from '../problems.ts';
import type { BoxesSettings } from '../settings.ts';
import { chooseOutput, type Head, readOutput, readRows, requireFedSize } from './head.ts';

/** Where each field of a row lies: `values[start + row · step]`. */
interface Column {
  readonly values: ArrayLike<number>;
  readonly start: number;
  readonly step: number;
}

interface Rows {
  readonly count: number;
  readonly boxes: Column;
  readonly scores: Column;
  readonly labels: Column;
}

/**
 * Outputs that are final: decoded and suppressed in the graph. Nothing more is suppressed. Rows that fill up the output
 * score 0, so that the threshold drops them, or lie behind the number that `count` gives.
 */
export function boxesHead(settings: BoxesSettings, outputs: readonly string[]): Head {
  const read = readerOf(settings, outputs);
  const countName =
    settings.count === undefined ? undefined : chooseOutput(outputs, '/count', settings.count);
  const { format = 'x1y1x2y2', unit = 'pixels', firstLabel = 0 } = settings;
  return {
    defaults: { scoreThreshold: 0.001, iouThreshold: undefined, maxDetections: 300, multiLabel: true },
    decode: (tensors, fed, found) => {
      const { width, height } = unit === 'shares' ? requireFedSize('boxes', fed) : { width: 1, height: 1 };
      const { count, boxes, scores, labels } = read(tensors);
      const used = countName === undefined ? count : Math.min(count, readCount(tensors, countName));
      for (let row = 0; row < used; row += 1) {
        const score = scores.values[scores.start + row * scores.step] as number;
        const label = Math.round(labels.values[labels.start + row * labels.step] as number) - firstLabel;
        if (Number.isNaN(score + label)) found.hasNaN = true;
        if (!(score >= found.threshold && label >= 0)) continue;
        addCandidate(found, score, label);
        addRow(found, boxes, row, format, width, height);
      }
      return undefined;
    },
  };
}

function addRow(
  found: Candidates,
  { values, start, step }: Column,
  row: number,
  format: NonNullable<BoxesSettings['format']>,
  width: number,
  height: number,
): void {
  const at = start + row * step;
  const a = values[at] as number;
  const b = values[at + 1] as number;
  const c = values[at + 2] as number;
  const d = values[at + 3] as number;
  switch (format) {
    case 'x1y1x2y2':
      addBox(found, a * width, b * height, c * width, d * height);
      return;
    case 'y1x1y2x2':
      addBox(found, b * width, a * height, d * width, c * height);
      return;
    case 'xywh':
      addBox(found, a * width, b * height, (a + c) * width, (b + d) * height);
      return;
    case 'cxcywh':
      addCentredBox(found, a * width, b * height, c * width, d * height);
      return;
  }
}

function readerOf(settings: BoxesSettings, outputs: readonly string[]): (tensors: NamedTensors) => Rows {
  if (settings.output !== undefined) {
    const name = chooseOutput(outputs, '/output', settings.output);
    return (tensors) => readOneOutput(tensors, name);
  }
  const boxes = chooseOutput(outputs, '/boxes', settings.boxes, 'boxes');
  const scores = chooseOutput(outputs, '/scores', settings.scores, 'scores');
  const labels = chooseOutput(outputs, '/labels', settings.labels, 'labels');
  return (tensors) => readThreeOutputs(tensors, boxes, scores, labels);
}

function readOneOutput(tensors: NamedTensors, name: string): Rows {
  const expects =
    '[1, N, 6] with x1, y1, x2, y2, score, class or [N, 7] with batch, x1, y1, x2, y2, class, score';
  const { values, rows, columns } = readRows(
    tensors,
    name,
    'boxes',
    expects,
    (count) => count === 6 || count === 7,
  );
  const [box, score, label] = columns === 6 ? [0, 4, 5] : [1, 6, 5];
  const column = (start: number) => ({ values, start, step: columns });
  return { count: rows, boxes: column(box), scores: column(score), labels: column(label) };
}

function readThreeOutputs(
  tensors: NamedTensors,
  boxesName: string,
  scoresName: string,
  labelsName: string,
): Rows {
  const boxes = readRows(tensors, boxesName, 'boxes', '[1, N, 4]', (count) => count === 4);
  const column = (name: string) => {
    const { values, dims } = readOutput(tensors, name);
    if (values.length === boxes.rows) return { values, start: 0, step: 1 };
    throw unexpectedDims('boxes', name, dims, `[1, N] with N = ${boxes.rows} as in "${boxesName}"`);
  };
  return {
    count: boxes.rows,
    boxes: { values: boxes.values, start: 0, step: 4 },
    scores: column(scoresName),
    labels: column(labelsName),
  };
}

function readCount(tensors: NamedTensors, name: string): number {
  const { values, dims } = readOutput(tensors, name);
  if (values.length === 1) return values[0] as number;
  throw unexpectedDims('boxes', name, dims, 'one number, of the rows that count');
}
