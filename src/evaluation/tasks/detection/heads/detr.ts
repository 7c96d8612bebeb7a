import { addCentredBox, addLogits, addScores } from '../candidates.ts';
import type { DetrSettings } from '../settings.ts';
import { chooseOutput, type Head, readRows, requireFedSize, requireSameRows, softmax } from './head.ts';

/**
 * DETR: logits [1, Q, C + 1], the last for no object, and boxes [1, Q, 4] with cx, cy, w, h in shares of the fed
 * picture. With `sigmoid` (Deformable DETR, RT-DETR) logits [1, Q, C], and a box may be found for several classes.
 * Source: N. Carion et al., End-to-End Object Detection with Transformers (2020).
 */
export function detrHead(settings: DetrSettings, outputs: readonly string[]): Head {
  const logitsName = chooseOutput(outputs, '/logits', settings.logits, 'logits');
  const boxesName = chooseOutput(outputs, '/boxes', settings.boxes, 'pred_boxes');
  const isSoftmax = (settings.activation ?? 'softmax') === 'softmax';
  return {
    defaults: { scoreThreshold: 0, iouThreshold: undefined, maxDetections: 100, multiLabel: !isSoftmax },
    decode: (tensors, fedOrUnknown, found) => {
      const { width, height } = requireFedSize('detr', fedOrUnknown);
      const expectsLogits = isSoftmax ? '[1, Q, C + 1]' : '[1, Q, C]';
      const { values, rows, columns } = readRows(
        tensors,
        logitsName,
        'detr',
        expectsLogits,
        (count) => count > (isSoftmax ? 1 : 0),
      );
      const boxes = readRows(tensors, boxesName, 'detr', '[1, Q, 4]', (count) => count === 4);
      requireSameRows('detr', [logitsName, rows], [boxesName, boxes.rows]);
      const classCount = isSoftmax ? columns - 1 : columns;
      const shares = new Float64Array(columns);
      const scores = { values: isSoftmax ? shares : values, start: 0, step: 1, count: classCount };
      for (let row = 0; row < rows; row += 1) {
        if (isSoftmax) softmax(values, row * columns, columns, shares);
        else scores.start = row * columns;
        if (!(isSoftmax ? addScores(found, scores, 1) : addLogits(found, scores, 1))) continue;
        const at = 4 * row;
        addCentredBox(
          found,
          (boxes.values[at] as number) * width,
          (boxes.values[at + 1] as number) * height,
          (boxes.values[at + 2] as number) * width,
          (boxes.values[at + 3] as number) * height,
        );
      }
      return classCount;
    },
  };
}
