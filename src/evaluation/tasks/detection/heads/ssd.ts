import type { NamedTensors } from '../../../../core/tensor.ts';
import { addBox, addCentredBox, addScores, type Candidates } from '../candidates.ts';
import type { Size } from '../detections.ts';
import { invalidSetting, unexpectedDims } from '../problems.ts';
import type { SsdSettings } from '../settings.ts';
import { chooseOutput, type Head, readRows, requireFedSize, requireSameRows, softmax } from './head.ts';

/**
 * Single-shot detectors: scores [1, N, C] and boxes [1, N, 4], corners in shares of the fed picture or, with priors,
 * offsets: centre = prior + value · variance · size of the prior, size = size of the prior · e^(value · variance).
 * Source: W. Liu et al., SSD: Single Shot MultiBox Detector (2016), section 2.2.
 */
export function ssdHead(settings: SsdSettings, outputs: readonly string[]): Head {
  const scoresName = chooseOutput(outputs, '/scores', settings.scores, 'scores');
  const boxesName = chooseOutput(outputs, '/boxes', settings.boxes, 'boxes');
  const { background = 'first', softmax: areLogits = false } = settings;
  const skipped = background === 'none' ? 0 : 1;
  requirePriors(settings);
  return {
    defaults: { scoreThreshold: 0.01, iouThreshold: 0.45, maxDetections: 100, multiLabel: true },
    decode: (tensors, fedOrUnknown, found) => {
      const fed = requireFedSize('ssd', fedOrUnknown);
      const expectsScores = skipped === 0 ? '[1, N, C]' : '[1, N, C] with a score for the background';
      const { values, rows, columns } = readRows(
        tensors,
        scoresName,
        'ssd',
        expectsScores,
        (count) => count > skipped,
      );
      const boxes = readRows(tensors, boxesName, 'ssd', '[1, N, 4]', (count) => count === 4);
      requireSameRows('ssd', [scoresName, rows], [boxesName, boxes.rows]);
      requireAsManyPriors(tensors, boxesName, settings, rows);
      const first = background === 'first' ? 1 : 0;
      const shares = new Float64Array(columns);
      const scores = { values: areLogits ? shares : values, start: first, step: 1, count: columns - skipped };
      for (let row = 0; row < rows; row += 1) {
        if (areLogits) softmax(values, row * columns, columns, shares);
        else scores.start = row * columns + first;
        if (addScores(found, scores, 1)) addRow(found, boxes.values, 4 * row, settings, fed);
      }
      return columns - skipped;
    },
  };
}

function addRow(
  found: Candidates,
  boxes: ArrayLike<number>,
  at: number,
  { priors, variances: [forCentre, forSize] = [0.1, 0.2] }: SsdSettings,
  { width, height }: Size,
): void {
  const a = boxes[at] as number;
  const b = boxes[at + 1] as number;
  const c = boxes[at + 2] as number;
  const d = boxes[at + 3] as number;
  if (priors === undefined) {
    addBox(found, a * width, b * height, c * width, d * height);
    return;
  }
  const priorWidth = priors[at + 2] as number;
  const priorHeight = priors[at + 3] as number;
  addCentredBox(
    found,
    ((priors[at] as number) + a * forCentre * priorWidth) * width,
    ((priors[at + 1] as number) + b * forCentre * priorHeight) * height,
    priorWidth * Math.exp(c * forSize) * width,
    priorHeight * Math.exp(d * forSize) * height,
  );
}

function requirePriors({ priors, variances }: SsdSettings): void {
  if (priors === undefined && variances !== undefined) {
    throw invalidSetting(
      '/priors',
      'there are variances but no priors',
      'give the priors of the model: centre x, centre y, width, height of each, in shares',
    );
  }
  if (priors !== undefined && (priors.length === 0 || priors.length % 4 !== 0)) {
    throw invalidSetting(
      '/priors',
      `${priors.length} numbers are not four for each prior`,
      'give centre x, centre y, width, height of each, in shares',
    );
  }
}

function requireAsManyPriors(
  tensors: NamedTensors,
  name: string,
  { priors }: SsdSettings,
  rows: number,
): void {
  if (priors === undefined || priors.length === 4 * rows) return;
  const expects = `[1, N, 4] with N = ${priors.length / 4}, the number of priors`;
  throw unexpectedDims(
    'ssd',
    name,
    tensors[name]?.dims ?? [],
    expects,
    'give one prior for each box of the model',
  );
}
