import type { ItemFacts } from '../core/item.ts';
import { createEvaluator, finishTogether, type VariantEvaluation } from '../evaluation/evaluation.ts';
import type { Task } from '../evaluation/task.ts';
import type { VerdictSettings } from '../evaluation/verdict.ts';
import type { BaselineComparison } from './evaluate-task.ts';
import type { LaneOutputs } from './evaluation-lane.ts';
import { openOutputsFile } from './outputs-reader.ts';

/** A model against the answers of the result that it is held to. */
export interface BaselineCheck {
  /** Samples come in order. */
  add(facts: ItemFacts, found: NonNullable<LaneOutputs>): Promise<void>;
  close(): Promise<void>;
  /** Undefined where what the model gives now cannot be compared, as with another number of classes. */
  readonly evaluator: () => ReturnType<typeof createEvaluator> | undefined;
}

interface BaselineOptions {
  readonly task: Task<unknown> | undefined;
  /** Numeric outputs to compare, by name. */
  readonly outputs: readonly string[];
  readonly settings: VerdictSettings;
}

/**
 * Compares with the outputs in the file. Undefined where there is no such file, or nothing but the baseline's own answers tells what is
 * right: a better model differs from them as a worse one does.
 */
export async function openBaselineCheck(
  path: string | undefined,
  { task, outputs, settings }: BaselineOptions,
): Promise<BaselineCheck | undefined> {
  if (path === undefined || task === undefined || task.againstReference) return undefined;
  const reader = await openOutputsFile(path);
  if (reader === undefined) return undefined;
  const evaluator = createEvaluator({ task, outputs, settings });
  let isComparable = true;
  let recorded = await reader.next();
  return {
    add: async (facts, found) => {
      while (recorded !== undefined && recorded.index < facts.index) recorded = await reader.next();
      if (!isComparable || recorded?.index !== facts.index) return;
      if ('problem' in found) evaluator.fail(facts.index, found.problem);
      else {
        const item = { ...facts, reference: recorded.outputs, candidate: found.tensors };
        isComparable = evaluator.add(item).ok;
      }
    },
    close: () => reader.close(),
    evaluator: () => (isComparable ? evaluator : undefined),
  };
}

/** What is to be said of models that were held to their baselines in one evaluation, in the order of the checks. */
export function concludeBaselines(
  checks: readonly (BaselineCheck | undefined)[],
): readonly (BaselineComparison | undefined)[] {
  const evaluators = checks.map((check) => check?.evaluator());
  const concluded = finishTogether(evaluators.filter((evaluator) => evaluator !== undefined));
  let next = 0;
  return evaluators.map((evaluator) => {
    if (evaluator === undefined) return undefined;
    next += 1;
    return comparisonOf(concluded[next - 1] as VariantEvaluation);
  });
}

function comparisonOf(of: VariantEvaluation): BaselineComparison | undefined {
  const { n, metric, figures = [], allowedDrop, paired, resampled, flipped, verdict, verdictReason } = of;
  const figure = figures.find(({ name }) => name === metric);
  // Without a truth only the answers that were kept are counted.
  if (figure === undefined || figure.againstReference === true) return undefined;
  return {
    n,
    metric: figure.name,
    unit: figure.unit,
    value: figure.value,
    baseline: figure.reference,
    loss: figure.loss,
    lossUpperBound: paired?.dropUpperBound ?? resampled?.upperBound ?? null,
    allowedDrop: allowedDrop ?? null,
    changed: flipped?.count ?? 0,
    verdict,
    verdictReason,
  };
}
