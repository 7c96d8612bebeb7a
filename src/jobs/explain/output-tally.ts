import type { ItemFacts } from '../../core/item.ts';
import type { NamedTensors } from '../../core/tensor.ts';
import type { Task } from '../../evaluation/task.ts';
import { createOutputError } from '../../quantization/tuning/output-error.ts';
import type { OutputCost } from './explanation.ts';

/** Counts what a changed model does to the outputs, sample by sample. */
export interface OutputTally {
  add(reference: NamedTensors, changed: NamedTensors, facts: ItemFacts): void;
  cost(): OutputCost;
  /** The reference's own figure. */
  referenceFigure(): number | undefined;
  samples(): number;
}

/** @param task undefined where outputs are compared as numbers alone */
export function createOutputTally(task: Task<unknown> | undefined): OutputTally {
  const error = createOutputError();
  const answers: { readonly reference: unknown; readonly changed: unknown }[] = [];
  let samples = 0;
  const figureOf = (which: 'reference' | 'changed'): number | undefined => {
    const metric = task?.metrics[0];
    if (task === undefined || metric === undefined || answers.length === 0) return undefined;
    const references = answers.map(({ reference }) => reference);
    const figures = task.measure(
      answers.map((answer) => answer[which]),
      references,
    )();
    return figures[metric.name] ?? undefined;
  };
  return {
    add: (reference, changed, facts) => {
      samples += 1;
      error.add(reference, changed);
      if (task === undefined) return;
      const [first, second] = [task.answer(reference, facts), task.answer(changed, facts)];
      if (first.ok && second.ok) answers.push({ reference: first.value, changed: second.value });
    },
    samples: () => samples,
    referenceFigure: () => figureOf('reference'),
    cost: () => {
      const sqnrDb = error.sqnrDb();
      const figure = figureOf('changed');
      return {
        sqnrDb: Number.isFinite(sqnrDb) ? sqnrDb : null,
        ...(sqnrDb === Number.NEGATIVE_INFINITY ? { notFinite: true } : {}),
        ...(task === undefined || answers.length === 0
          ? {}
          : {
              changedAnswers: answers.filter(({ reference, changed }) => !task.same(reference, changed))
                .length,
            }),
        ...(figure === undefined ? {} : { figure }),
      };
    },
  };
}
