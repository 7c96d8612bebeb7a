import { describe, expect, it } from 'vitest';
import {
  createLatencyHistogram,
  histogramToPlain,
  recordLatency,
} from '../../../src/benchmark/statistics/latency-histogram.ts';
import { benchResultOf, pipelineResultOf } from '../../support/pipeline-result.ts';
import { ask, ID, serve } from '../../support/server.ts';

const OTHER = `${ID.slice(0, -1)}N`;
const run = {
  kind: 'bench',
  model: 'tiny',
  request: null,
  priority: 'normal',
  attempt: 1,
  createdMs: 0,
} as const;

function serveFigures() {
  const histogram = createLatencyHistogram();
  for (const latencyNs of [1000, 1000, 5_000_000]) recordLatency(histogram, latencyNs);
  const bench = [benchResultOf('fp32', { latencyHistogram: histogramToPlain(histogram) })];
  const result = pipelineResultOf({ variants: [{ variant: 'fp32', sizeBytes: 1, bench, speedUps: [] }] });
  return serve({
    getRun: (id) => {
      if (id === ID) return { ...run, id, state: 'succeeded', result };
      return id === OTHER ? { ...run, id, state: 'running' } : undefined;
    },
  }).app;
}

describe('GET /bench/{id}/samples', () => {
  it('tells how often each latency was measured, one object a line', async () => {
    const answer = await ask(serveFigures(), `/bench/${ID}/samples`);
    expect(answer.headers['content-type']).toBe('application/jsonl; charset=utf-8');
    const rows = answer.body
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, number>);
    const of = { suite: 'profile', measurement: 'single-stream', scenario: 'single-stream', variant: 'fp32' };
    expect(rows).toEqual([
      { ...of, fromSeconds: 1e-6, toSeconds: 1e-6, count: 2 },
      { ...of, fromSeconds: expect.any(Number), toSeconds: expect.any(Number), count: 1 },
    ]);
    const { fromSeconds = 0, toSeconds = 0 } = rows[1] ?? {};
    expect(fromSeconds).toBeLessThanOrEqual(0.005);
    expect(toSeconds).toBeGreaterThanOrEqual(0.005);
    expect(toSeconds - fromSeconds).toBeLessThan(0.005 / 1000);
  });

  it('is CSV where that is asked for', async () => {
    const answer = await ask(serveFigures(), `/bench/${ID}/samples?format=csv`);
    expect(answer.headers['content-type']).toBe('text/csv; charset=utf-8');
    expect(answer.body.split('\r\n').slice(0, 2)).toEqual([
      'suite,measurement,scenario,variant,fromSeconds,toSeconds,count',
      'profile,single-stream,single-stream,fp32,0.000001,0.000001,2',
    ]);
  });

  it.each([
    [`/bench/${OTHER}/samples`, 409, 'run-not-ended'],
    ['/bench/nothing/samples', 404, 'unknown-run'],
    [`/bench/${ID}/samples?format=xml`, 400, 'invalid-request'],
  ])('answers %s with %i', async (url, status, kind) => {
    const answer = await ask(serveFigures(), url);
    expect([answer.statusCode, answer.json().type]).toEqual([status, `/problems/${kind}`]);
  });
});

describe('GET /bench/compare', () => {
  it.each([
    ['no base', `head=${ID}`, 400, '/base'],
    ['an id of another form', `base=${ID}&head=x`, 400, '/head'],
    ['a base that is not there', `base=${ID.slice(0, -1)}P&head=${ID}`, 404, '/base'],
    ['a head that goes on', `base=${ID}&head=${OTHER}`, 409, '/head'],
    ['a variant that was not measured', `base=${ID}&head=${ID}&headVariant=int2`, 422, '/headVariant'],
  ])('points at %s', async (_what, query, status, pointer) => {
    const answer = await ask(serveFigures(), `/bench/compare?${query}`);
    expect([answer.statusCode, answer.json().errors]).toEqual([
      status,
      [expect.objectContaining({ pointer })],
    ]);
  });

  it('has nothing to compare in a run of one variant', async () => {
    const answer = await ask(serveFigures(), `/bench/compare?base=${ID}&head=${ID}`);
    expect([answer.statusCode, answer.json().type]).toEqual([422, '/problems/nothing-to-compare']);
  });

  it('tells ratios with their intervals', async () => {
    const result = pipelineResultOf();
    const { app } = serve({ getRun: (id) => ({ ...run, id, state: 'succeeded', result }) });
    const answer = await ask(app, `/bench/compare?base=${ID}&head=${OTHER}`);
    expect(answer.json()).toMatchObject({
      base: ID,
      head: OTHER,
      verdict: 'invalid',
      comparisons: [{ baseVariant: 'fp32' }, { baseVariant: 'int8', speedUp: { outcome: 'too-few-rounds' } }],
    });
  });
});
