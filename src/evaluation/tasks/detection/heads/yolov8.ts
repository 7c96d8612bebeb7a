import type { NamedTensors } from '../../../../core/tensor.ts';
import { addCentredBox, addScores } from '../candidates.ts';
import { unexpectedDims } from '../problems.ts';
import type { YoloV8Settings } from '../settings.ts';
import { chooseOutput, type Head, readOutput } from './head.ts';

/** YOLOv8 and YOLO11: [1, 4 + C, N] with cx, cy, w, h in fed pixels and class scores, without an objectness. */
export function yolov8Head(settings: YoloV8Settings, outputs: readonly string[]): Head {
  const name = chooseOutput(outputs, '/output', settings.output);
  return {
    defaults: { scoreThreshold: 0.001, iouThreshold: 0.7, maxDetections: 300, multiLabel: true },
    decode: (tensors, _fed, found) => {
      const { values, boxes, fields, boxStep, fieldStep } = readFields(tensors, name, settings.transposed);
      const scores = { values, start: 0, step: fieldStep, count: fields - 4 };
      for (let box = 0, at = 0; box < boxes; box += 1, at += boxStep) {
        scores.start = at + 4 * fieldStep;
        if (!addScores(found, scores, 1)) continue;
        addCentredBox(
          found,
          values[at] as number,
          values[at + fieldStep] as number,
          values[at + 2 * fieldStep] as number,
          values[at + 3 * fieldStep] as number,
        );
      }
      return fields - 4;
    },
  };
}

function readFields(tensors: NamedTensors, name: string, transposed: boolean | undefined) {
  const expects = transposed === true ? '[1, N, 4 + C]' : '[1, 4 + C, N]';
  const { values, dims } = readOutput(tensors, name);
  const [first = 0, second = 0] = dims.slice(-2);
  if (dims.length < 2 || dims.length > 3 || (dims.length === 3 && dims[0] !== 1)) {
    throw unexpectedDims('yolov8', name, dims, expects);
  }
  if (transposed === undefined && first > second) {
    throw unexpectedDims(
      'yolov8',
      name,
      dims,
      expects,
      'set transposed to true if it is [1, N, 4 + C], or to false if there are more classes than boxes',
    );
  }
  const [boxes, fields] = transposed === true ? [first, second] : [second, first];
  if (fields < 5) throw unexpectedDims('yolov8', name, dims, expects);
  return transposed === true
    ? { values, boxes, fields, boxStep: fields, fieldStep: 1 }
    : { values, boxes, fields, boxStep: 1, fieldStep: boxes };
}
