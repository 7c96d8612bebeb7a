import type { ItemFacts } from '../../core/item.ts';
import { type Problem, problem } from '../../core/problem.ts';

/** A truth that the task cannot compare with, of one item. `found` and `wanted` complete "the truth is …, but … is needed". */
export function unsuitableTruth(item: ItemFacts, found: string, wanted: string): Problem<'truth-unsuitable'> {
  return problem('truth-unsuitable', `the truth is ${found}, but ${wanted} is needed`, {
    place: { sample: item.index },
    hint: 'check the labels of the data set and their `kind`, or choose the task that they are made for',
  });
}

/** A label that names a class which the output does not have. */
export function labelOutOfRange(
  item: ItemFacts,
  label: number,
  output: string,
  classes: number,
): Problem<'label-out-of-range'> {
  return problem(
    'label-out-of-range',
    `the label is ${label}, but output '${output}' has the classes 0 to ${classes - 1}`,
    {
      place: { tensor: output, sample: item.index },
      hint: 'the labels must count classes from 0 in the order of the model',
    },
  );
}

/** Whether `label` is the position of one of `classes` classes. */
export function isClassOf(classes: number, label: number): boolean {
  return Number.isInteger(label) && label >= 0 && label < classes;
}
