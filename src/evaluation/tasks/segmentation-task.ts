import type { ItemFacts } from '../../core/item.ts';
import { ok, type Result } from '../../core/result.ts';
import type { Measure, MetricInfo, Task, TaskProblem } from '../task.ts';
import { additiveMeasure } from './additive-measure.ts';
import { type ClassMask, countPixels, encodeMask, maskAgreement, NO_CLASS } from './class-mask.ts';
import { countAgainstTruth, type PixelCounts } from './pixel-counts.ts';
import { readPixels } from './predicted-pixels.ts';
import { answerFromOutput, type OutputChoice, type OutputValues } from './read-output.ts';
import { settingProblem } from './setting-problem.ts';

export interface SegmentationSettings extends OutputChoice {
  /** The class of pixels that are neither right nor wrong in a truth; 255 where it is absent. */
  readonly ignore?: number;
  /** Share of the pixels that must be equal for two masks to count as the same; 0.99 where it is absent. */
  readonly minAgreement?: number;
  /** Where the axis of the classes is; `nchw` where it is absent. */
  readonly layout?: 'nchw' | 'nhwc';
  /** For an output of one channel that scores a foreground: from here on a pixel is of class 1, below of class 0. */
  readonly threshold?: number;
}

/** What a model says about one picture. */
export interface SegmentationAnswer {
  /** In the size of the output. */
  readonly mask: ClassMask;
  /** Where the truth is known. */
  readonly counts?: PixelCounts;
}

const DEFAULT_IGNORE = 255;
const DEFAULT_MIN_AGREEMENT = 0.99;

const METRICS: readonly MetricInfo[] = [
  { name: 'miou', label: 'mIoU', better: 'higher', unit: 'proportion' },
  { name: 'pixel_accuracy', label: 'pixel accuracy', better: 'higher', unit: 'proportion' },
];

/**
 * A class for each pixel, from an output of scores [1, classes, height, width] (`nhwc`: [1, height, width, classes]), the
 * largest of which decides; or of class numbers [1, height, width] or [1, 1, height, width], which are scores of a
 * foreground if there is a `threshold`. Truths are of the kind `tensor`, [height, width] of class numbers; the figures are null unless every item has one.
 *
 * The prediction is brought to the size of the truth by taking the pixel of the output that lies below the centre of the
 * truth's. If the truth has the size of the original picture and it is known how the picture was fed, then that is
 * followed back, and what was cut off is not counted; otherwise both are taken to show the same.
 *
 * `miou`: the pixels of all items are counted together; intersection / (truth + predicted − intersection) for each class,
 * averaged over the classes that occur in a truth or a prediction, as scikit-learn's `jaccard_score` with `macro`.
 * `pixel_accuracy`: the share of the pixels that have the class of the truth. A pixel with a NaN among its scores is wrong.
 */
export function createSegmentationTask(settings: SegmentationSettings): Task<SegmentationAnswer> {
  const { ignore = DEFAULT_IGNORE, minAgreement = DEFAULT_MIN_AGREEMENT } = settings;
  const invalid = settingProblem([
    { name: 'ignore', value: ignore, must: 'a whole number', holds: Number.isInteger(ignore) },
    {
      name: 'minAgreement',
      value: minAgreement,
      must: 'from 0 to 1',
      holds: minAgreement >= 0 && minAgreement <= 1,
    },
  ]);
  const readAnswer = (output: OutputValues, item: ItemFacts): Result<SegmentationAnswer, TaskProblem> => {
    const predicted = readPixels(output, settings, item);
    if (!predicted.ok) return predicted;
    const { pixels, width, height } = predicted.value;
    const mask = encodeMask(pixels, width, height);
    if (item.truth === undefined) return ok({ mask });
    const counts = countAgainstTruth(predicted.value, item, ignore);
    return counts.ok ? ok({ mask, counts: counts.value }) : counts;
  };
  return {
    name: 'segmentation',
    metrics: METRICS,
    againstReference: false,
    answer: answerFromOutput(settings, readAnswer, invalid),
    same: (reference, candidate) => maskAgreement(reference.mask, candidate.mask) >= minAgreement,
    show: ({ mask }) =>
      countPixels(mask)
        .slice(0, MAX_SHOWN)
        .map(([label, count]) => {
          const name = label === NO_CLASS ? 'NaN' : `class ${label}`;
          return `${name} ${((100 * count) / (mask.width * mask.height)).toFixed(1)} %`;
        })
        .join(', '),
    measure: measureSegmentation,
  };
}

const MAX_SHOWN = 3;

function measureSegmentation(answers: readonly SegmentationAnswer[]): Measure {
  const isLabelled = answers.every(({ counts }) => counts !== undefined);
  const occurring = new Set(answers.flatMap(({ counts }) => [...(counts?.classes ?? [])]));
  const positions = new Map([...occurring].map((label, position) => [label, position]));
  const predictedFrom = positions.size;
  const intersectionFrom = 2 * positions.size;
  return additiveMeasure(
    { items: answers.length, sums: 3 * positions.size },
    (item, add) => {
      const counts = answers[item]?.counts;
      counts?.classes.forEach((label, i) => {
        const position = positions.get(label) as number;
        add(position, counts.truth[i] as number);
        add(predictedFrom + position, counts.predicted[i] as number);
        add(intersectionFrom + position, counts.intersection[i] as number);
      });
    },
    (sums) => {
      let pixels = 0;
      let right = 0;
      let overlaps = 0;
      let classes = 0;
      for (let position = 0; position < positions.size; position += 1) {
        const truth = sums[position] as number;
        const intersection = sums[intersectionFrom + position] as number;
        const union = truth + (sums[predictedFrom + position] as number) - intersection;
        if (union === 0) continue;
        pixels += truth;
        right += intersection;
        overlaps += intersection / union;
        classes += 1;
      }
      if (!isLabelled || pixels === 0) return { miou: null, pixel_accuracy: null };
      return { miou: overlaps / classes, pixel_accuracy: right / pixels };
    },
  );
}
