import type { NamedTensors } from '../../../../core/tensor.ts';
import { addBox, addLogits, addScores, type Candidates } from '../candidates.ts';
import type { Size } from '../detections.ts';
import { invalidSetting, unexpectedDims } from '../problems.ts';
import type { NanoDetSettings } from '../settings.ts';
import {
  chooseOutput,
  gridOf,
  type Head,
  readRows,
  requireFedSize,
  requireSameRows,
  requireStride,
  softmax,
} from './head.ts';

type Level = NanoDetSettings['levels'][number];

/**
 * NanoDet: for each stride class scores [1, N, C] and, for each side of the box, a distribution over its distance from
 * the cell's point, [1, N, 4 · (regMax + 1)]; the distance is the mean of the softmax, in strides.
 * Source: X. Li et al., Generalized Focal Loss (2020), section 3.2.
 */
export function nanodetHead(settings: NanoDetSettings, outputs: readonly string[]): Head {
  if (!Array.isArray(settings.levels) || settings.levels.length === 0) {
    throw invalidSetting(
      '/levels',
      'the head nanodet has no levels',
      'give the outputs for scores and boxes and the stride of each level',
    );
  }
  const levels = settings.levels.map((level: Level, i) => {
    requireStride(`/levels/${i}/stride`, level.stride);
    return {
      stride: level.stride,
      scores: chooseOutput(outputs, `/levels/${i}/scores`, level.scores, 'scores'),
      boxes: chooseOutput(outputs, `/levels/${i}/boxes`, level.boxes, 'boxes'),
    };
  });
  return {
    defaults: { scoreThreshold: 0.05, iouThreshold: 0.6, maxDetections: 100, multiLabel: true },
    decode: (tensors, fedOrUnknown, found) => {
      const fed = requireFedSize('nanodet', fedOrUnknown);
      let classCount: number | undefined;
      for (const level of levels) {
        const columns = decodeLevel(tensors, fed, found, level, settings);
        classCount ??= columns;
        if (columns === classCount) continue;
        const expects = `[1, N, C] with C = ${classCount} as in the other outputs`;
        throw unexpectedDims('nanodet', level.scores, tensors[level.scores]?.dims ?? [], expects);
      }
      return classCount;
    },
  };
}

function decodeLevel(
  tensors: NamedTensors,
  fed: Size,
  found: Candidates,
  { scores: scoresName, boxes: boxesName, stride }: Level,
  { sigmoid = false, centre = 'pixels' }: NanoDetSettings,
): number {
  const grid = gridOf(fed, stride);
  const cells = grid.width * grid.height;
  const expects = `[1, N, C] with N = ${cells} cells of stride ${stride} over ${fed.width} × ${fed.height} pixels`;
  const { values, rows, columns } = readRows(tensors, scoresName, 'nanodet', expects, (count) => count > 0);
  if (rows !== cells) throw unexpectedDims('nanodet', scoresName, tensors[scoresName]?.dims ?? [], expects);
  const sides = readRows(
    tensors,
    boxesName,
    'nanodet',
    '[1, N, 4 · (regMax + 1)]',
    (count) => count >= 8 && count % 4 === 0,
  );
  requireSameRows('nanodet', [scoresName, rows], [boxesName, sides.rows]);
  const add = sigmoid ? addLogits : addScores;
  const scores = { values, start: 0, step: 1, count: columns };
  const origin = { pixels: (stride - 1) / 2, corner: 0, middle: stride / 2 }[centre];
  const bins = sides.columns / 4;
  const shares = new Float64Array(bins);
  for (let cell = 0; cell < cells; cell += 1) {
    scores.start = cell * columns;
    if (!add(found, scores, 1)) continue;
    const row = Math.floor(cell / grid.width);
    const x = (cell - row * grid.width) * stride + origin;
    const y = row * stride + origin;
    const at = cell * sides.columns;
    addBox(
      found,
      x - stride * meanBin(sides.values, at, bins, shares),
      y - stride * meanBin(sides.values, at + bins, bins, shares),
      x + stride * meanBin(sides.values, at + 2 * bins, bins, shares),
      y + stride * meanBin(sides.values, at + 3 * bins, bins, shares),
    );
  }
  return columns;
}

function meanBin(values: ArrayLike<number>, start: number, bins: number, shares: Float64Array): number {
  softmax(values, start, bins, shares);
  let mean = 0;
  for (let bin = 1; bin < bins; bin += 1) mean += bin * (shares[bin] as number);
  return mean;
}
