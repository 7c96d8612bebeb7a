import type { ItemFacts, TruthBox } from '../../../core/item.ts';
import { attempt, ProblemError, problem } from '../../../core/problem.ts';
import type { Result } from '../../../core/result.ts';
import type { NamedTensors } from '../../../core/tensor.ts';
import type { MetricInfo, Task, TaskProblem } from '../../task.ts';
import { type Candidates, clearCandidates, createCandidates } from './candidates.ts';
import { checkSelection } from './check-selection.ts';
import { type Detections, mappingFrom, toDetections } from './detections.ts';
import { createHead } from './heads/create-head.ts';
import type { Head } from './heads/head.ts';
import { measureDetections } from './measure-detections.ts';
import { areSameObjects, countAbove } from './same-objects.ts';
import type { DetectionSettings } from './settings.ts';
import { suppress } from './suppress.ts';

export interface DetectionAnswer {
  readonly found: Detections;
  /** Undefined where it is not known what there is to find; empty where there is nothing. */
  readonly truths: readonly TruthBox[] | undefined;
  /** The outputs hold a score or a box that is not a number; it was not found. */
  readonly hasNaN: boolean;
}

const COCO_METRICS: readonly MetricInfo[] = [
  ['map', 'mAP'],
  ['map_50', 'mAP at IoU 0.5'],
  ['map_75', 'mAP at IoU 0.75'],
  ['map_small', 'mAP of small objects'],
  ['map_medium', 'mAP of medium objects'],
  ['map_large', 'mAP of large objects'],
  ['recall_100', 'recall at 100 detections'],
].map(([name = '', label = '']) => ({ name, label, better: 'higher', unit: 'proportion' }));

const METRICS: readonly MetricInfo[] = [
  ...COCO_METRICS,
  {
    name: 'agreement_map_50',
    label: 'mAP at IoU 0.5 against the reference',
    better: 'higher',
    unit: 'proportion',
    againstReference: true,
  },
];

const SHOWN_OBJECTS = 3;

/**
 * Object detection: mean average precision as COCO computes it. Boxes are compared in pixels of the original picture,
 * or of the fed one where the items have no geometry.
 *
 * `agreement_map_50` takes what the reference finds above `displayThreshold` for the truth, so that it can be told
 * without labels. The others are null unless every item has a truth of the kind `boxes`.
 * @param settings with the names of the model's outputs
 */
export function createDetectionTask(
  settings: DetectionSettings & { readonly outputs: readonly string[] },
): Result<Task<DetectionAnswer>, TaskProblem> {
  return attempt(() => {
    checkSelection(settings);
    const head = createHead(settings, settings.outputs);
    const {
      scoreThreshold = head.defaults.scoreThreshold,
      displayThreshold = 0.3,
      multiLabel = head.defaults.multiLabel,
    } = settings;
    const candidates = createCandidates(scoreThreshold, multiLabel);
    return {
      name: 'detection',
      metrics: METRICS,
      againstReference: false,
      answer: (outputs, item) =>
        attempt<DetectionAnswer, TaskProblem['kind']>(() =>
          readAnswer(outputs, item, head, settings, candidates),
        ),
      same: (reference, candidate) =>
        // Two outputs that are not numbers are two failures, not an agreement.
        !reference.hasNaN &&
        !candidate.hasNaN &&
        areSameObjects(reference.found, candidate.found, displayThreshold),
      show: (answer) => showAnswer(answer, displayThreshold, settings.classes),
      measure: (answers, reference) => measureDetections(answers, reference, displayThreshold),
    };
  });
}

function readAnswer(
  outputs: NamedTensors,
  item: ItemFacts,
  head: Head,
  settings: DetectionSettings,
  candidates: Candidates,
): DetectionAnswer {
  const { geometry } = item;
  const fed =
    geometry === undefined ? settings.input : { width: geometry.fedWidth, height: geometry.fedHeight };
  clearCandidates(candidates);
  const classCount = head.decode(outputs, fed, candidates);
  if (settings.categories !== undefined) toCategories(candidates, settings.categories);
  else requireNames(settings.classes, classCount);
  const kept = suppress(candidates, {
    iouThreshold: settings.iouThreshold ?? head.defaults.iouThreshold,
    classAgnostic: settings.classAgnostic ?? false,
    maxDetections: settings.maxDetections ?? head.defaults.maxDetections,
  });
  return {
    found: toDetections(candidates, kept, mappingFrom(geometry, fed)),
    truths: readTruths(item, settings, classCount),
    hasNaN: candidates.hasNaN,
  };
}

/** Turns the model's classes into categories of the truth, and drops those that have none. */
function toCategories(found: Candidates, categories: readonly number[]): void {
  let count = 0;
  for (let i = 0; i < found.count; i += 1) {
    const label = found.labels[i] as number;
    const category = categories[label];
    if (category === undefined) {
      throw new ProblemError<TaskProblem['kind']>(
        problem('task-settings-invalid', `the model finds class ${label}, which has no category`, {
          place: { field: '/categories' },
          hint: `there are ${categories.length} categories; give one for each class of the model, -1 for those to leave out`,
        }),
      );
    }
    if (category === -1) continue;
    found.scores[count] = found.scores[i] as number;
    found.boxOf[count] = found.boxOf[i] as number;
    found.labels[count] = category;
    count += 1;
  }
  found.count = count;
}

function requireNames(classes: readonly string[] | undefined, classCount: number | undefined): void {
  if (classes === undefined || classCount === undefined || classes.length === classCount) return;
  throw new ProblemError<TaskProblem['kind']>(
    problem(
      'task-settings-invalid',
      `there are ${classes.length} names of classes, and the outputs have ${classCount} classes`,
      {
        place: { field: '/classes' },
        hint: 'name each class of the model in its order, without the background; if they are right, choose another head',
      },
    ),
  );
}

function readTruths(
  { truth, index }: ItemFacts,
  { categories, classes }: DetectionSettings,
  classCount: number | undefined,
): readonly TruthBox[] | undefined {
  if (truth === undefined) return undefined;
  if (truth.kind !== 'boxes') {
    throw new ProblemError<TaskProblem['kind']>(
      problem('truth-unsuitable', `the truth is of the kind ${truth.kind}, and detection takes boxes`, {
        place: { sample: index },
        hint: 'label the items with boxes, or choose another task',
      }),
    );
  }
  const known = categories === undefined ? (classCount ?? classes?.length) : undefined;
  const beyond = truth.boxes.find(
    ({ category }) => category < 0 || (known !== undefined && category >= known),
  );
  if (beyond !== undefined) {
    throw new ProblemError<TaskProblem['kind']>(
      problem(
        'label-out-of-range',
        `a box has the category ${beyond.category}, and the model knows ${known ?? 'none below 0'} classes`,
        {
          place: { sample: index },
          hint: 'number the categories as the model does, from 0, or map its classes with the setting categories',
        },
      ),
    );
  }
  return truth.boxes;
}

function showAnswer(
  { found, hasNaN }: DetectionAnswer,
  displayThreshold: number,
  classes: readonly string[] | undefined,
): string {
  const count = countAbove(found, displayThreshold);
  const note = hasNaN ? ' (not a number in the outputs)' : '';
  if (count === 0) return `no objects${note}`;
  const named = Array.from({ length: Math.min(count, SHOWN_OBJECTS) }, (_, i) => {
    const label = found.labels[i] as number;
    return `${classes?.[label] ?? `class ${label}`} ${(found.scores[i] as number).toFixed(2)}`;
  });
  const more = count > SHOWN_OBJECTS ? ', …' : '';
  return `${count} ${count === 1 ? 'object' : 'objects'}: ${named.join(', ')}${more}${note}`;
}
