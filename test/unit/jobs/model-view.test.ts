import { describe, expect, it } from 'vitest';
import { modelView } from '../../../src/jobs/model-view.ts';
import type { PipelineResult } from '../../../src/jobs/pipeline.ts';
import type { Run, RunQuery } from '../../../src/store/runs.ts';
import { pipelineResultOf, quantizationOf } from '../../support/pipeline-result.ts';
import { profileOf } from '../../support/profile.ts';

const HASH = 'ab'.repeat(32);

function storeWith(result: unknown) {
  const queries: RunQuery[] = [];
  const run: Run = {
    id: '01',
    kind: 'pipeline',
    model: 'tiny',
    state: 'succeeded',
    request: null,
    priority: 'normal',
    attempt: 1,
    createdMs: 1,
    finishedMs: 9,
    result,
  };
  return {
    queries,
    listRuns: (query: RunQuery) => {
      queries.push(query);
      return [run];
    },
  };
}

function resultWith(
  change: (variants: PipelineResult['variants']) => PipelineResult['variants'],
): PipelineResult {
  const result = pipelineResultOf();
  return { ...result, variants: change(result.variants) };
}

describe('modelView', () => {
  it('has what the last full run found out of every variant', () => {
    const stored = resultWith(([fp32, int8]) => [
      fp32 as NonNullable<typeof fp32>,
      {
        ...(int8 as NonNullable<typeof int8>),
        quantization: { ...quantizationOf(), output: `/data/${HASH}.onnx`, reused: false },
      },
    ]);
    const store = storeWith(stored);
    const view = modelView(profileOf('tiny'), store);
    expect(store.queries[0]).toEqual({ model: 'tiny', kind: 'pipeline', state: 'succeeded', limit: 1 });
    expect(view).toMatchObject({
      name: 'tiny',
      run: { id: '01', finishedMs: 9 },
      recommended: { variant: 'int8', reason: expect.stringContaining('1.90 times') },
      variants: [
        { variant: 'fp32', sizeBytes: 1000, onFront: true, bench: [{ p50Seconds: 0.001, valid: true }] },
        {
          variant: 'int8',
          sizeBytes: 300,
          artifact: HASH,
          onFront: true,
          accuracy: {
            verdict: 'non_inferior',
            figure: { metric: 'top1', value: 0.9, reference: 0.92 },
            agreement: 0.96,
          },
        },
      ],
    });
  });

  it('has only names before the first full run', () => {
    const view = modelView(profileOf('tiny'), { listRuns: () => [] });
    expect(view).not.toHaveProperty('recommended');
    expect(view).not.toHaveProperty('run');
    expect(view.variants).toEqual([
      { variant: 'fp32', bench: [], speedUps: [] },
      { variant: 'int8', bench: [], speedUps: [] },
    ]);
  });

  it('leaves out variants that the profile no longer has, and takes no path for an artifact that is none', () => {
    const stored = resultWith((variants) =>
      variants.map((outcome) => ({
        ...outcome,
        variant: outcome.variant === 'int8' ? 'gone' : outcome.variant,
      })),
    );
    expect(
      modelView(profileOf('tiny'), storeWith(stored)).variants.map(({ variant, sizeBytes }) => [
        variant,
        sizeBytes,
      ]),
    ).toEqual([
      ['fp32', 1000],
      ['int8', undefined],
    ]);
    expect(modelView(profileOf('tiny'), storeWith(pipelineResultOf())).variants[1]).not.toHaveProperty(
      'artifact',
    );
  });

  it('puts a variant off the front that is beaten in everything', () => {
    const stored = resultWith(([fp32, int8]) => [
      {
        ...(fp32 as NonNullable<typeof fp32>),
        sizeBytes: 200,
        bench: (int8 as NonNullable<typeof int8>).bench,
      },
      int8 as NonNullable<typeof int8>,
    ]);
    expect(modelView(profileOf('tiny'), storeWith(stored)).variants.map(({ onFront }) => onFront)).toEqual([
      true,
      false,
    ]);
  });

  it.each([null, {}, { variants: 3 }, { variants: [null, { variant: 'int8' }] }])(
    'does not stumble over a result that another version wrote: %j',
    (result) => {
      expect(modelView(profileOf('tiny'), storeWith(result)).variants).toHaveLength(2);
    },
  );
});
