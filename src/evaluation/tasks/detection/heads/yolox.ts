import { addCentredBox, addScores, type Candidates } from '../candidates.ts';
import type { Size } from '../detections.ts';
import { invalidSetting, unexpectedDims } from '../problems.ts';
import type { YoloXSettings } from '../settings.ts';
import {
  chooseOutput,
  gridOf,
  type Head,
  type Matrix,
  readRows,
  requireFedSize,
  requireStride,
} from './head.ts';

/**
 * YOLOX as it is exported: [1, N, 5 + C], the grids of all strides one after the other. The centre is (cell + value) ·
 * stride, the size e^value · stride; objectness and class scores are shares already.
 * Source: Z. Ge et al., YOLOX: Exceeding YOLO Series in 2021.
 */
export function yoloxHead(settings: YoloXSettings, outputs: readonly string[]): Head {
  const name = chooseOutput(outputs, '/output', settings.output);
  const { strides = [8, 16, 32] } = settings;
  if (strides.length === 0) throw invalidSetting('/strides', 'the head yolox has no strides');
  strides.forEach((stride, i) => {
    requireStride(`/strides/${i}`, stride);
  });
  return {
    defaults: { scoreThreshold: 0.01, iouThreshold: 0.65, maxDetections: 100, multiLabel: false },
    decode: (tensors, fedOrUnknown, found) => {
      const fed = requireFedSize('yolox', fedOrUnknown);
      const grids = strides.map((stride) => ({ stride, ...gridOf(fed, stride) }));
      const boxes = grids.reduce((sum, { width, height }) => sum + width * height, 0);
      const expects = `[1, N, 5 + C] with N = ${boxes} cells of the strides ${strides.join(', ')} over ${fed.width} × ${fed.height} pixels`;
      const { values, rows, columns } = readRows(tensors, name, 'yolox', expects, (count) => count > 5);
      if (rows !== boxes) throw unexpectedDims('yolox', name, tensors[name]?.dims ?? [], expects);
      let start = 0;
      for (const grid of grids) {
        decodeGrid(found, { values, rows, columns }, start, grid);
        start += grid.width * grid.height * columns;
      }
      return columns - 5;
    },
  };
}

/** The cells of one stride, row by row, from element `start` on. */
function decodeGrid(
  found: Candidates,
  { values, columns }: Matrix,
  start: number,
  { stride, width, height }: Size & { readonly stride: number },
): void {
  const scores = { values, start: 0, step: 1, count: columns - 5 };
  for (let cell = 0, at = start; cell < width * height; cell += 1, at += columns) {
    const objectness = values[at + 4] as number;
    if (!(objectness >= found.threshold)) {
      if (Number.isNaN(objectness)) found.hasNaN = true;
      continue;
    }
    scores.start = at + 5;
    if (!addScores(found, scores, objectness)) continue;
    const row = Math.floor(cell / width);
    addCentredBox(
      found,
      (cell - row * width + (values[at] as number)) * stride,
      (row + (values[at + 1] as number)) * stride,
      Math.exp(values[at + 2] as number) * stride,
      Math.exp(values[at + 3] as number) * stride,
    );
  }
}
