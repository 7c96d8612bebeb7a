import { addCentredBox, addLogits, type Candidates, type ScoreRow, sigmoid } from '../candidates.ts';
import { invalidSetting, unexpectedDims } from '../problems.ts';
import type { YoloV3Settings } from '../settings.ts';
import { chooseOutput, type Head, readOutput, requireStride } from './head.ts';

/**
 * Raw grids of YOLOv3: [1, A · (5 + C), H, W] a stride, all of them logits. The centre is (cell + sigmoid) · stride,
 * the size anchor · e^value, and a class scores sigmoid(objectness) · sigmoid(class). Source: J. Redmon and A.
 * Farhadi, YOLOv3: An Incremental Improvement (2018), section 2.1.
 */
export function yolov3Head(settings: YoloV3Settings, outputs: readonly string[]): Head {
  requireLevels(settings);
  const levels = settings.levels.map((level, i) => ({
    ...level,
    output: chooseOutput(outputs, `/levels/${i}/output`, level.output),
  }));
  return {
    defaults: { scoreThreshold: 0.001, iouThreshold: 0.45, maxDetections: 100, multiLabel: true },
    decode: (tensors, _fed, found) => {
      let classCount: number | undefined;
      for (const { output, stride, anchors } of levels) {
        const { values, dims } = readOutput(tensors, output);
        const [batch, channels = 0, height = 0, width = 0] = dims;
        const fields = channels / anchors.length;
        const isGrid = dims.length === 4 && batch === 1 && Number.isInteger(fields) && fields > 5;
        classCount ??= fields - 5;
        if (!isGrid || fields - 5 !== classCount) {
          const classes = isGrid ? `C = ${classCount} as in the other outputs` : 'C the number of classes';
          const expects = `[1, A · (5 + C), H, W] with A = ${anchors.length} anchors and ${classes}`;
          throw unexpectedDims('yolov3', output, dims, expects);
        }
        const cells = height * width;
        anchors.forEach((anchor, i) => {
          const start = i * fields * cells;
          const scores = { values, start, step: cells, count: fields - 5 };
          decodeAnchor(found, scores, start, anchor, stride, width);
        });
      }
      return classCount;
    },
  };
}

/** The cells of one anchor, whose fields lie `scores.step` cells apart from `start` on. */
function decodeAnchor(
  found: Candidates,
  scores: ScoreRow,
  start: number,
  [anchorWidth, anchorHeight]: readonly [number, number],
  stride: number,
  gridWidth: number,
): void {
  const { values, step: cells } = scores;
  for (let cell = 0; cell < cells; cell += 1) {
    const at = start + cell;
    const objectness = sigmoid(values[at + 4 * cells] as number);
    if (!(objectness >= found.threshold)) {
      if (Number.isNaN(objectness)) found.hasNaN = true;
      continue;
    }
    scores.start = at + 5 * cells;
    if (!addLogits(found, scores, objectness)) continue;
    const row = Math.floor(cell / gridWidth);
    addCentredBox(
      found,
      (cell - row * gridWidth + sigmoid(values[at] as number)) * stride,
      (row + sigmoid(values[at + cells] as number)) * stride,
      anchorWidth * Math.exp(values[at + 2 * cells] as number),
      anchorHeight * Math.exp(values[at + 3 * cells] as number),
    );
  }
}

function requireLevels({ levels }: YoloV3Settings): void {
  if (!Array.isArray(levels) || levels.length === 0) {
    throw invalidSetting(
      '/levels',
      'the head yolov3 has no levels',
      'give the output, stride and anchors of each level',
    );
  }
  levels.forEach(({ output, stride, anchors }: YoloV3Settings['levels'][number], i) => {
    requireStride(`/levels/${i}/stride`, stride);
    const isAnchor = (pair: readonly number[]) => pair.length === 2 && pair.every((size) => size > 0);
    if (Array.isArray(anchors) && anchors.length > 0 && anchors.every(isAnchor)) return;
    throw invalidSetting(
      `/levels/${i}/anchors`,
      `the output "${output}" has no anchors that the head yolov3 can use`,
      'give the width and height in fed pixels of each anchor, as in the training configuration',
    );
  });
}
