import { addCentredBox, addScores } from '../candidates.ts';
import type { YoloV5Settings } from '../settings.ts';
import { chooseOutput, type Head, readRows } from './head.ts';

/**
 * YOLOv5 and YOLOv7 with their decoding in the graph: [1, N, 5 + C] with cx, cy, w, h in fed pixels, objectness and
 * class scores; a class scores objectness times its own.
 */
export function yolov5Head(settings: YoloV5Settings, outputs: readonly string[]): Head {
  const name = chooseOutput(outputs, '/output', settings.output);
  return {
    defaults: { scoreThreshold: 0.001, iouThreshold: 0.6, maxDetections: 300, multiLabel: true },
    decode: (tensors, _fed, found) => {
      const expects = '[1, N, 5 + C] with centre, size, objectness and C class scores';
      const { values, rows, columns } = readRows(tensors, name, 'yolov5', expects, (count) => count > 5);
      const scores = { values, start: 0, step: 1, count: columns - 5 };
      for (let row = 0, at = 0; row < rows; row += 1, at += columns) {
        const objectness = values[at + 4] as number;
        if (!(objectness >= found.threshold)) {
          if (Number.isNaN(objectness)) found.hasNaN = true;
          continue;
        }
        scores.start = at + 5;
        if (!addScores(found, scores, objectness)) continue;
        addCentredBox(
          found,
          values[at] as number,
          values[at + 1] as number,
          values[at + 2] as number,
          values[at + 3] as number,
        );
      }
      return columns - 5;
    },
  };
}
