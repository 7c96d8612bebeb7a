import type { TruthBox } from '../../../core/item.ts';
import type { Measure } from '../../task.ts';
import { type AreaFigures, averagePrecision } from './coco/average-precision.ts';
import { COCO_PARAMETERS, HALF_OVERLAP } from './coco/parameters.ts';
import type { JudgedItem } from './coco/score-list.ts';
import type { Detections } from './detections.ts';
import { boxAt, countAbove } from './same-objects.ts';

/** What an answer tells about one item. */
interface MeasuredAnswer {
  readonly found: Detections;
  readonly truths: readonly TruthBox[] | undefined;
}

const AT_HALF = COCO_PARAMETERS.iouThresholds.indexOf(0.5);
const AT_THREE_QUARTERS = COCO_PARAMETERS.iouThresholds.indexOf(0.75);

/** Figures against the truth, and against what the reference finds above `displayThreshold`. */
export function measureDetections(
  answers: readonly MeasuredAnswer[],
  reference: readonly MeasuredAnswer[],
  displayThreshold: number,
): Measure {
  const judged = withTruths(answers);
  const againstTruth = judged === undefined ? undefined : averagePrecision(judged, COCO_PARAMETERS);
  const againstReference = averagePrecision(
    answers.map(({ found }, i) => ({ found, truths: asTruths(reference[i]?.found, displayThreshold) })),
    HALF_OVERLAP,
  );
  return (weights) => {
    const [all, small, medium, large] = againstTruth?.(weights) ?? [];
    const [agreement] = againstReference(weights);
    return {
      map: meanPrecision(all),
      map_50: precisionAt(all, AT_HALF),
      map_75: precisionAt(all, AT_THREE_QUARTERS),
      map_small: meanPrecision(small),
      map_medium: meanPrecision(medium),
      map_large: meanPrecision(large),
      recall_100: all === undefined || all.classes === 0 ? null : mean(all.recall),
      agreement_map_50: precisionAt(agreement, 0),
    };
  };
}

/** Undefined unless all items have a truth: figures of some would pass for figures of all. */
function withTruths(answers: readonly MeasuredAnswer[]): readonly JudgedItem[] | undefined {
  const judged: JudgedItem[] = [];
  for (const { found, truths } of answers) {
    if (truths === undefined) return undefined;
    judged.push({ found, truths });
  }
  return judged;
}

function asTruths(found: Detections | undefined, threshold: number): readonly TruthBox[] {
  if (found === undefined) return [];
  return Array.from({ length: countAbove(found, threshold) }, (_, i) => {
    const box = boxAt(found, i);
    return {
      category: found.labels[i] as number,
      ...box,
      isCrowd: false,
      area: box.width * box.height,
    };
  });
}

function meanPrecision(figures: AreaFigures | undefined): number | null {
  return figures === undefined || figures.classes === 0 ? null : mean(figures.precision);
}

function precisionAt(figures: AreaFigures | undefined, threshold: number): number | null {
  return figures === undefined || figures.classes === 0 ? null : (figures.precision[threshold] as number);
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
