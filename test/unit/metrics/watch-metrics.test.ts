import { describe, expect, it } from 'vitest';
import { create, series } from './full-metrics.ts';

const at = (model: string, variant: string, metric: string, ratio: number) =>
  ({ model, variant, state: 'regressed', drop: { metric, ratio } }) as const;

describe('the drop of accuracy against the baseline', () => {
  it('of a variant is shown by the metric that judges it now, and leaves those of others alone', async () => {
    const metrics = create();
    for (const [model, variant] of [
      ['a', 'int8'],
      ['a', 'int4'],
      ['b', 'int8'],
    ] as const)
      metrics.showAccuracyWatch(at(model, variant, 'top1', 0.1));
    metrics.showAccuracyWatch(at('a', 'int8', 'top5', 0.2));
    expect((await series(metrics, /^ptq_accuracy_pinned_drop_ratio/)).toSorted()).toEqual([
      'ptq_accuracy_pinned_drop_ratio{model="a",variant="int4",metric="top1"} 0.1',
      'ptq_accuracy_pinned_drop_ratio{model="a",variant="int8",metric="top5"} 0.2',
      'ptq_accuracy_pinned_drop_ratio{model="b",variant="int8",metric="top1"} 0.1',
    ]);
  });
});
