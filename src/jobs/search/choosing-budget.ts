import type { EvaluationBudget } from '../evaluate-task.ts';
import type { SearchRequest } from './search-request.ts';

/** Metrics that compare with float32, and so have a value without labels. */
const WITHOUT_LABELS: ReadonlySet<string> = new Set([
  'agreement',
  'sqnr_db',
  'neighbor_recall',
  'cosine',
  'agreement_map_50',
]);

/**
 * What candidates are judged by. Without labels a metric that needs them has no value, and answers kept stand in: with a budget
 * in points the same share of them, otherwise the same share of all.
 */
export function choosingBudget(
  { budget }: Pick<SearchRequest, 'budget'>,
  isLabelled: boolean,
): EvaluationBudget {
  const { metric, absolute, relative, atLeast, ...surety } = budget;
  if (atLeast !== undefined) return { ...budget, metric: 'sqnr_db' };
  if (isLabelled || metric === undefined || WITHOUT_LABELS.has(metric)) return budget;
  const isShare = absolute !== undefined && absolute < 1;
  return {
    ...surety,
    metric: 'agreement',
    ...(isShare ? { absolute } : {}),
    ...(relative === undefined ? {} : { relative }),
  };
}
