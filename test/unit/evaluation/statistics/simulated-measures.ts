import type { Measure, MetricInfo, Weights } from '../../../../src/evaluation/task.ts';

export const ACCURACY: MetricInfo = { name: 'top1', label: 'top-1', better: 'higher', unit: 'proportion' };
export const ERROR: MetricInfo = { name: 'mae', label: 'MAE', better: 'lower', unit: 'number' };

/** Weighted mean of a value for each answer, under the name of a metric; null without any weight. */
export function meanMeasure(name: string, values: ArrayLike<number>): Measure {
  return (weights?: Weights) => {
    let sum = 0;
    let count = 0;
    for (let i = 0; i < values.length; i += 1) {
      const weight = weights === undefined ? 1 : (weights[i] as number);
      sum += weight * (values[i] as number);
      count += weight;
    }
    return { [name]: count === 0 ? null : sum / count };
  };
}

/** 0 and 1 for items of which the reference alone has `b` right, the candidate alone `c`, both all others. */
export function rightAnswers(
  n: number,
  b: number,
  c: number,
): { readonly reference: readonly number[]; readonly candidate: readonly number[] } {
  const items = Array.from({ length: n }, (_, i) => i);
  return {
    reference: items.map((i) => (i >= b && i < b + c ? 0 : 1)),
    candidate: items.map((i) => (i < b ? 0 : 1)),
  };
}
