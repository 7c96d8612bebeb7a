import { describe, expect, it } from 'vitest';
import type { ItemFacts, TruthBox } from '../../../../../src/core/item.ts';
import type { NamedTensors } from '../../../../../src/core/tensor.ts';
import {
  createDetectionTask,
  type DetectionAnswer,
} from '../../../../../src/evaluation/tasks/detection/detection-task.ts';
import type { DetectionSettings } from '../../../../../src/evaluation/tasks/detection/settings.ts';
import { floats } from './heads/decode-with.ts';
import { LETTERBOX } from './letterbox.ts';
import { answerOf, randomPictures } from './random-pictures.ts';

const DOG: TruthBox = {
  category: 1,
  x: 20,
  y: 10,
  width: 20,
  height: 40,
  isCrowd: false,
  area: 800,
};
const ITEM: ItemFacts = { index: 5, geometry: LETTERBOX, truth: { kind: 'boxes', boxes: [DOG] } };
const SETTINGS: DetectionSettings = { head: 'yolov5', classes: ['person', 'dog'] };

/** cx, cy, w, h in fed pixels, objectness, and the scores of two classes. */
type Row = readonly [number, number, number, number, number, number, number];
const DOG_ROW: Row = [15, 40, 10, 20, 1, 0, 0.75];
const PERSON_ROW: Row = [60, 50, 20, 20, 1, 0.5, 0];

function outputs(...rows: readonly Row[]): NamedTensors {
  return { output: floats([1, rows.length, 7], rows.flat()) };
}

function taskOf(settings: DetectionSettings = SETTINGS) {
  const task = createDetectionTask({ ...settings, outputs: ['output'] });
  if (!task.ok) throw new Error(task.error.message);
  return task.value;
}

function answer(
  tensors: NamedTensors,
  item: ItemFacts = ITEM,
  settings: DetectionSettings = SETTINGS,
): DetectionAnswer {
  const result = taskOf(settings).answer(tensors, item);
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

describe('an answer', () => {
  it('holds what was found in pixels of the original picture, best first, and the truth', () => {
    const { found, truths, hasNaN } = answer(outputs(PERSON_ROW, DOG_ROW));
    expect([...found.boxes]).toEqual([20, 10, 20, 40, 100, 30, 40, 40]);
    expect([...found.scores]).toEqual([0.75, 0.5]);
    expect([...found.labels]).toEqual([1, 0]);
    expect({ truths, hasNaN }).toEqual({ truths: [DOG], hasNaN: false });
  });

  it('suppresses what overlaps, as the settings say', () => {
    const near: Row = [16, 40, 10, 20, 1, 0, 0.5];
    const labels = (settings: Partial<DetectionSettings>) => [
      ...answer(outputs(DOG_ROW, near, PERSON_ROW), ITEM, { ...SETTINGS, ...settings } as DetectionSettings)
        .found.labels,
    ];
    expect(labels({})).toEqual([1, 0]);
    expect(labels({ iouThreshold: 0.9 })).toEqual([1, 1, 0]);
    expect(labels({ maxDetections: 1 })).toEqual([1]);
    expect(labels({ scoreThreshold: 0.6 })).toEqual([1]);
  });

  it('lets boxes of several classes stand, or suppress each other, or have one class', () => {
    const both: Row = [15, 40, 10, 20, 1, 0.5, 0.75];
    const labels = (settings: Partial<DetectionSettings>) => [
      ...answer(outputs(both), ITEM, { ...SETTINGS, ...settings } as DetectionSettings).found.labels,
    ];
    expect(labels({})).toEqual([1, 0]);
    expect(labels({ classAgnostic: true })).toEqual([1]);
    expect(labels({ multiLabel: false })).toEqual([1]);
  });

  it('keeps nothing of the picture before', () => {
    const task = taskOf();
    task.answer(outputs(DOG_ROW, [Number.NaN, 0, 1, 1, 1, 1, 1]), ITEM);
    const second = task.answer(outputs(PERSON_ROW), ITEM);
    expect(second).toMatchObject({ ok: true, value: { hasNaN: false, found: { labels: Int32Array.of(0) } } });
  });

  it('is in fed pixels without a geometry, clipped to the size that the settings give', () => {
    const wide: Row = [15, 40, 40, 20, 1, 0, 1];
    expect([...answer(outputs(wide), { index: 0 }).found.boxes]).toEqual([-5, 30, 40, 20]);
    const settings = { ...SETTINGS, input: { width: 30, height: 45 } };
    expect([...answer(outputs(wide), { index: 0 }, settings).found.boxes]).toEqual([0, 30, 30, 15]);
  });

  it('turns classes of the model into categories of the truth, and leaves some out', () => {
    const settings = { head: 'yolov5', categories: [-1, 17] } as const;
    const { found } = answer(outputs(PERSON_ROW, DOG_ROW), ITEM, settings);
    expect([...found.labels]).toEqual([17]);
    expect([...found.scores]).toEqual([0.75]);
    expect([...found.boxes]).toEqual([20, 10, 20, 40]);
  });

  it('suppresses by category, and not by class', () => {
    const other: Row = [15, 40, 10, 20, 1, 0.5, 0];
    expect([
      ...answer(outputs(DOG_ROW, other), ITEM, { head: 'yolov5', categories: [1, 1] }).found.labels,
    ]).toEqual([1]);
  });

  it('is no problem where outputs hold NaN: it is wrong', () => {
    const broken = answer(outputs([Number.NaN, 0, 1, 1, 1, 1, 1], DOG_ROW));
    expect([...broken.found.labels]).toEqual([1]);
    expect(broken.hasNaN).toBe(true);
  });
});

describe('a problem', () => {
  const problemOf = (tensors: NamedTensors, item: ItemFacts, settings: DetectionSettings = SETTINGS) => {
    const result = taskOf(settings).answer(tensors, item);
    if (result.ok) throw new Error('nothing is wrong');
    return result.error;
  };

  it('is a truth that is no boxes', () => {
    expect(problemOf(outputs(DOG_ROW), { ...ITEM, truth: { kind: 'class', index: 1 } })).toMatchObject({
      kind: 'truth-unsuitable',
      message: 'the truth is of the kind class, and detection takes boxes',
      place: { sample: 5 },
    });
  });

  it('is a category that the model does not know', () => {
    const truthOf = (category: number) =>
      ({ ...ITEM, truth: { kind: 'boxes', boxes: [DOG, { ...DOG, category }] } }) as const;
    expect(problemOf(outputs(DOG_ROW), truthOf(2))).toMatchObject({
      kind: 'label-out-of-range',
      message: 'a box has the category 2, and the model knows 2 classes',
      place: { sample: 5 },
    });
    expect(problemOf(outputs(DOG_ROW), truthOf(-1)).kind).toBe('label-out-of-range');
    expect(answer(outputs(DOG_ROW), truthOf(2), { head: 'yolov5', categories: [1, 2] }).truths).toHaveLength(
      2,
    );
  });

  it('is a number of names that is not that of the classes', () => {
    expect(problemOf(outputs(DOG_ROW), ITEM, { head: 'yolov5', classes: ['dog'] })).toMatchObject({
      kind: 'task-settings-invalid',
      message: 'there are 1 names of classes, and the outputs have 2 classes',
      place: { field: '/classes' },
    });
  });

  it('is a class without a category', () => {
    expect(problemOf(outputs(DOG_ROW), ITEM, { head: 'yolov5', categories: [0] })).toMatchObject({
      kind: 'task-settings-invalid',
      message: 'the model finds class 1, which has no category',
      place: { field: '/categories' },
    });
  });

  it('is an output that the head cannot read or that is missing', () => {
    expect(problemOf({ output: floats([1, 1, 3], [1, 2, 3]) }, ITEM)).toMatchObject({
      kind: 'output-shape-unexpected',
      place: { tensor: 'output' },
    });
    expect(problemOf({}, ITEM)).toMatchObject({ kind: 'output-missing', place: { tensor: 'output' } });
  });

  it.each([
    [{ head: 'yolov99' }, '/head'],
    [{ scoreThreshold: 1.5 }, '/scoreThreshold'],
    [{ iouThreshold: -0.1 }, '/iouThreshold'],
    [{ displayThreshold: Number.NaN }, '/displayThreshold'],
    [{ maxDetections: 0 }, '/maxDetections'],
    [{ maxDetections: 1.5 }, '/maxDetections'],
    [{ categories: [0, -2] }, '/categories/1'],
    [{ input: { width: 0, height: 5 } }, '/input'],
  ])('are the settings %j', (wrong, field) => {
    const settings = { ...SETTINGS, ...wrong, outputs: ['output'] } as DetectionSettings & {
      outputs: string[];
    };
    expect(createDetectionTask(settings)).toMatchObject({
      ok: false,
      error: { kind: 'task-settings-invalid', place: { field }, hint: expect.any(String) },
    });
  });

  it('names the heads that there are', () => {
    const result = createDetectionTask({ ...SETTINGS, head: 'yolo' as 'yolov5', outputs: ['output'] });
    expect(result).toMatchObject({
      ok: false,
      error: {
        message: 'there is no head "yolo"',
        hint: 'use one of yolov3, yolov5, yolov8, yolox, ssd, nanodet, detr, boxes',
      },
    });
  });
});

describe('same', () => {
  it('is told by what a user is shown', () => {
    const { same } = taskOf();
    const faint: Row = [80, 50, 5, 5, 1, 0.25, 0];
    expect(same(answer(outputs(DOG_ROW)), answer(outputs(DOG_ROW, faint)))).toBe(true);
    expect(same(answer(outputs(DOG_ROW)), answer(outputs(DOG_ROW, PERSON_ROW)))).toBe(false);
    const strict = taskOf({ ...SETTINGS, displayThreshold: 0.6 });
    expect(strict.same(answer(outputs(DOG_ROW)), answer(outputs(DOG_ROW, PERSON_ROW)))).toBe(true);
  });

  it('is never said of outputs that are not numbers', () => {
    const { same } = taskOf();
    const nothing = answer(outputs([1, 1, 1, 1, 0, 0, 0]));
    const broken = answer(outputs([1, 1, 1, 1, Number.NaN, 0, 0]));
    expect(same(nothing, nothing)).toBe(true);
    expect(same(nothing, broken)).toBe(false);
    expect(same(broken, nothing)).toBe(false);
    expect(same(broken, broken)).toBe(false);
  });
});

describe('show', () => {
  it('names the best objects that a user is shown', () => {
    const { show } = taskOf();
    expect(show(answer(outputs(PERSON_ROW, DOG_ROW)))).toBe('2 objects: dog 0.75, person 0.50');
    expect(show(answer(outputs(DOG_ROW)))).toBe('1 object: dog 0.75');
    const far = (cx: number): Row => [cx, 60, 2, 2, 1, 0.4, 0];
    expect(show(answer(outputs(DOG_ROW, far(60), far(70), far(80))))).toBe(
      '4 objects: dog 0.75, person 0.40, person 0.40, …',
    );
  });

  it('says so when there is nothing, and when outputs are not numbers', () => {
    expect(taskOf().show(answer(outputs([1, 1, 1, 1, 0, 0, 0])))).toBe('no objects');
    expect(taskOf().show(answer(outputs([1, 1, 1, 1, Number.NaN, 0, 0])))).toBe(
      'no objects (not a number in the outputs)',
    );
  });

  it('gives the number of a class that has no name', () => {
    const settings = { head: 'yolov5' } as const;
    expect(taskOf(settings).show(answer(outputs(DOG_ROW), ITEM, settings))).toBe('1 object: class 1 0.75');
  });
});

describe('measure', () => {
  const task = taskOf();
  const unlabelled: ItemFacts = { index: 0, geometry: LETTERBOX };

  it('gives every metric a figure, in the order of the metrics', () => {
    const answers = [answer(outputs(PERSON_ROW, DOG_ROW))];
    const figures = task.measure(answers, answers)();
    expect(Object.keys(figures)).toEqual(task.metrics.map(({ name }) => name));
    expect(figures['map']).toBeCloseTo(1, 12);
    expect(figures['recall_100']).toBe(1);
    expect(figures).toMatchObject({ map_medium: null, map_large: null });
    expect(task.metrics[0]?.name).toBe('map');
    expect(task.againstReference).toBe(false);
  });

  it('without a truth tells only the agreement', () => {
    const reference = [answer(outputs(DOG_ROW, PERSON_ROW), unlabelled)];
    const candidate = [answer(outputs(DOG_ROW), unlabelled)];
    const { agreement_map_50: agreement, ...rest } = task.measure(candidate, reference)();
    // One of the two classes is not found any more.
    expect(agreement).toBeCloseTo(0.5, 12);
    expect(Object.values(rest).every((value) => value === null)).toBe(true);
  });

  it('tells nothing by the truth when one item has none', () => {
    const labelled = answer(outputs(DOG_ROW));
    const answers = [labelled, answer(outputs(DOG_ROW), unlabelled)];
    expect(task.measure(answers, answers)()['map']).toBeNull();
    const empty = answer(outputs(DOG_ROW), { ...unlabelled, truth: { kind: 'boxes', boxes: [] } });
    expect(task.measure([labelled, empty], [labelled, empty])()['map']).toBeGreaterThan(0);
  });

  it('asks only for what a user is shown of the reference', () => {
    const faint: Row = [80, 50, 5, 5, 1, 0.25, 0];
    const reference = [answer(outputs(DOG_ROW, faint), unlabelled)];
    const candidate = [answer(outputs(DOG_ROW), unlabelled)];
    expect(task.measure(candidate, reference)()['agreement_map_50']).toBeCloseTo(1, 12);
  });

  it('tells no agreement when the reference shows nothing', () => {
    const nothing = [answer(outputs([1, 1, 1, 1, 0, 0, 0]), unlabelled)];
    const something = [answer(outputs(DOG_ROW), unlabelled)];
    expect(task.measure(something, nothing)()['agreement_map_50']).toBeNull();
    expect(task.measure(nothing, something)()['agreement_map_50']).toBe(0);
  });

  it('agrees with itself', () => {
    const pictures = randomPictures(3, {
      pictures: 30,
      classes: 3,
      levels: 4096,
      mostTruths: 5,
      mostFound: 20,
      mostCount: 1,
    });
    const answers = pictures.map(answerOf);
    expect(task.measure(answers, answers)()['agreement_map_50']).toBeCloseTo(1, 9);
  });

  it('of no answers gives no figures', () => {
    expect(Object.values(task.measure([], [])()).every((value) => value === null)).toBe(true);
  });
});
