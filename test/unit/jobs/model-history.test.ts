import { describe, expect, it } from 'vitest';
import { modelHistory } from '../../../src/jobs/model-history.ts';
import type { Run } from '../../../src/store/runs.ts';
import { pipelineResultOf } from '../../support/pipeline-result.ts';

const run = (id: string, result: unknown, finishedMs: number): Run => ({
  id,
  kind: 'pipeline',
  model: 'tiny',
  state: 'succeeded',
  request: null,
  priority: 'normal',
  attempt: 1,
  createdMs: 0,
  finishedMs,
  result,
});

describe('modelHistory', () => {
  it('has the first measurement of every variant, the oldest run first, fp32 with the accuracy that others were held against', () => {
    const runs = [run('b', pipelineResultOf(), 2), run('a', pipelineResultOf(), 1)];
    const { points } = modelHistory({ listRuns: () => runs }, { model: 'tiny', limit: 10 });
    expect(
      points.map((point) => [point.run, point.finishedMs, point.variant, point.p50Seconds, point.accuracy]),
    ).toEqual([
      ['a', 1, 'fp32', 0.001, 0.92],
      ['a', 1, 'int8', 0.0005, 0.9],
      ['b', 2, 'fp32', 0.001, 0.92],
      ['b', 2, 'int8', 0.0005, 0.9],
    ]);
  });

  it('has no accuracy where a run evaluated nothing, and nothing of a variant that was not measured', () => {
    const { variants } = pipelineResultOf();
    const benched = pipelineResultOf({
      variants: variants.map(({ evaluation: _evaluation, ...outcome }) =>
        outcome.variant === 'fp32' ? { ...outcome, bench: [] } : outcome,
      ),
    });
    const {
      points: [point, ...others],
    } = modelHistory({ listRuns: () => [run('a', benched, 1)] }, { model: 'tiny', limit: 10 });
    expect(point).toMatchObject({ variant: 'int8', valid: true, throughput: 2000 });
    expect(point).not.toHaveProperty('accuracy');
    expect(others).toEqual([]);
  });

  it.each([null, {}, { variants: 3 }])('passes over a result that another version wrote: %j', (result) => {
    expect(modelHistory({ listRuns: () => [run('a', result, 1)] }, { model: 'tiny', limit: 10 })).toEqual({
      points: [],
    });
  });
});
