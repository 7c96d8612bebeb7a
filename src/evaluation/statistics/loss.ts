import type { Figures, MetricInfo } from '../task.ts';

/** How much worse the candidate is than the reference: positive is a loss, whichever way the metric points. */
export function lossOf({ better }: Pick<MetricInfo, 'better'>, reference: number, candidate: number): number {
  return better === 'higher' ? reference - candidate : candidate - reference;
}

/** The loss of one metric; null where it has no value for one of the models. */
export function lossBetween(
  metric: Pick<MetricInfo, 'name' | 'better'>,
  reference: Figures,
  candidate: Figures,
): number | null {
  const before = figureOf(metric, reference);
  const after = figureOf(metric, candidate);
  return before === null || after === null ? null : lossOf(metric, before, after);
}

/** A metric's value; null where it has none, or one that is not finite. */
export function figureOf({ name }: Pick<MetricInfo, 'name'>, figures: Figures): number | null {
  const figure = figures[name] ?? null;
  return figure !== null && Number.isFinite(figure) ? figure : null;
}
