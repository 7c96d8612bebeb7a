import { describe, expect, it } from 'vitest';
import { ok } from '../../../src/core/result.ts';
import type { ModelView } from '../../../src/jobs/model-view.ts';
import type { WatchView } from '../../../src/jobs/watching/watch-view.ts';
import { ask, serve, TOKEN } from '../../support/server.ts';

const model: ModelView = { name: 'tiny', task: 'classification', variants: [] };
const KEY = {
  kind: 'latency',
  model: 'tiny',
  variant: 'int8',
  suite: 'profile',
  measurement: 'offline',
  device: 'cpu',
  host: 'a processor (2 CPUs)',
} as const;

const VIEW: WatchView = {
  series: [
    {
      ...KEY,
      ...{ state: 'regressed', sinceMs: 1000, updatedMs: 2000 },
      latency: {
        baselineRuns: 12,
        expectedSeconds: 0.005,
        limitSeconds: 0.00525,
        lastSeconds: 0.006,
        changeRatio: 1.2,
        acknowledgedSeconds: null,
      },
    },
    {
      ...KEY,
      kind: 'accuracy',
      ...{ suite: '', measurement: '', device: '' },
      ...{ state: 'steady', sinceMs: 0, updatedMs: 0 },
      accuracy: { baselineRun: 'R1', baseline: 0.9, last: 0.9, lossToBaseline: 0, lossToFp32: null },
    },
  ],
  events: [
    {
      ...{ atMs: 1000, kind: 'state', fromState: 'suspected', toState: 'regressed', run: 'R9', of: KEY },
      reason: 'the median is 6.000 ms',
      causes: [{ kind: 'runtime', words: 'ONNX Runtime: 1 before, 2 now' }],
    },
  ],
};

function served() {
  const asked: unknown[] = [];
  const note = (order: unknown) => {
    asked.push(order);
    return ok(VIEW);
  };
  const watch = { view: () => VIEW, acknowledge: note, rebaseline: note };
  return { ...serve({ listModels: () => [model], watch }), asked };
}

const post = (url: string, payload: object, token: string | undefined = TOKEN) => ({
  method: 'POST' as const,
  url,
  payload,
  headers: token === '' ? {} : { authorization: `Bearer ${token}` },
});

describe('what is watched of a model', () => {
  it('is shown with its states and their history', async () => {
    const shown = (await ask(served().app, '/models/tiny/watch')).json();
    expect(shown.series[0]).toMatchObject({
      variant: 'int8',
      state: 'regressed',
      since: '1970-01-01T00:00:01.000Z',
      latency: { changeRatio: 1.2 },
    });
    expect(shown.events[0]).toMatchObject({
      at: '1970-01-01T00:00:01.000Z',
      from: 'suspected',
      to: 'regressed',
      of: { variant: 'int8', measurement: 'offline' },
      causes: [{ kind: 'runtime' }],
    });
  });

  it('is acknowledged and pinned as somebody says, with a reason', async () => {
    const { app, asked } = served();
    const said = { variant: 'int8', reason: 'the new kernel is slower, and we know' };
    expect((await ask(app, post('/models/tiny/acknowledge', said))).statusCode).toBe(200);
    const from = '01M83MHX4BNBFSWHZ8PWNPP7QM';
    expect((await ask(app, post('/models/tiny/baseline', { reason: 'new model', from }))).statusCode).toBe(
      200,
    );
    expect(asked).toEqual([
      { model: 'tiny', ...said },
      { model: 'tiny', reason: 'new model', from },
    ]);
  });

  it.each([
    ['/models/tiny/acknowledge', {}],
    ['/models/tiny/acknowledge', { reason: '' }],
    ['/models/tiny/acknowledge', { reason: 'x', kind: 'speed' }],
    ['/models/tiny/acknowledge', { reason: 'x', varaint: 'int8' }],
    ['/models/tiny/baseline', { reason: 'x', from: 'last' }],
    ['/models/tiny/baseline', { reason: 'x'.repeat(501) }],
  ])('takes no order that it does not understand: %s %j', async (url, body) => {
    const { app, asked } = served();
    expect((await ask(app, post(url, body))).statusCode).toBe(400);
    expect(asked).toEqual([]);
  });

  it('is changed by nobody without a credential', async () => {
    const { app, asked } = served();
    for (const path of ['acknowledge', 'baseline'])
      expect((await app.inject(post(`/models/tiny/${path}`, { reason: 'x' }, ''))).statusCode).toBe(401);
    expect(asked).toEqual([]);
  });

  it('is told to be nothing where that is so', async () => {
    const { app } = serve({ listModels: () => [model] });
    const answers = await Promise.all(
      ['acknowledge', 'baseline'].map((path) => ask(app, post(`/models/tiny/${path}`, { reason: 'x' }))),
    );
    expect(answers.map((answer) => [answer.statusCode, answer.json().type])).toEqual([
      [409, '/problems/nothing-to-acknowledge'],
      [409, '/problems/nothing-to-pin'],
    ]);
  });

  it('is of registered models alone', async () => {
    const { app } = served();
    expect((await ask(app, '/models/huge/watch')).statusCode).toBe(404);
    expect((await ask(app, post('/models/huge/acknowledge', { reason: 'x' }))).statusCode).toBe(404);
    expect((await ask(app, post('/models/huge/baseline', { reason: 'x' }))).statusCode).toBe(404);
  });
});
