import type { Explanation } from '../../jobs/explain/explanation.ts';
export function renderExplainPage(explanation: Explanation): string {
  return explanation.candidate;
}
