import { describe, expect, it } from 'vitest';
import { problem } from '../../../src/core/problem.ts';
import { err, ok } from '../../../src/core/result.ts';
import type { SeriesQuery } from '../../../src/jobs/series-task.ts';
import { ask, ID, serve } from '../../support/server.ts';

/** Written as no JSON of ours is. */
const SERIES =
  '{"complete":true,"startSeconds":0,"stepSeconds":1.50,"points":1,"columns":[{"name":"cpu","mean":[0.50]}],"phases":[]}';

describe('GET /bench/{id}/timeline', () => {
  function serveTimeline(
    answer: Awaited<ReturnType<NonNullable<Parameters<typeof serve>[0]>['readTimeline'] & {}>>,
  ) {
    const asked: (readonly [string, SeriesQuery])[] = [];
    const { app } = serve({
      readTimeline: async (id, query) => {
        asked.push([id, query]);
        return answer;
      },
    });
    return { app, asked };
  }

  it('gives the JSON that the worker made, as it is', async () => {
    const { app, asked } = serveTimeline(ok(SERIES));
    const answer = await ask(app, `/bench/${ID}/timeline`);
    expect([answer.statusCode, answer.body]).toEqual([200, SERIES]);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(asked).toEqual([[ID, { points: 600, rates: true }]]);
  });

  it('hands on range, resolution, columns and what counters are shown as', async () => {
    const { app, asked } = serveTimeline(ok(SERIES));
    await ask(
      app,
      `/bench/${ID}/timeline?from=1.5&to=90&points=1000&columns=cpu,disks.*.reads&counters=total`,
    );
    expect(asked[0]?.[1]).toEqual({
      fromSeconds: 1.5,
      toSeconds: 90,
      points: 1000,
      columns: ['cpu', 'disks.*.reads'],
      rates: false,
    });
  });

  it.each([
    'from=-1',
    'from=1e9',
    'to=x',
    'points=0',
    'points=10001',
    'points=1.5',
    'columns=',
    'counters=no',
    'colums=cpu',
  ])('refuses %s with 400', async (query) => {
    const { app, asked } = serveTimeline(ok(SERIES));
    const answer = await ask(app, `/bench/${ID}/timeline?${query}`);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ type: '/problems/invalid-request' });
    expect(asked).toEqual([]);
  });

  it('answers 404 for a run that is not there, or has no timeline', async () => {
    const answer = await ask(serveTimeline(undefined).app, `/bench/${ID}/timeline`);
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toMatchObject({
      type: '/problems/unknown-run',
      hint: expect.stringContaining('GET /bench'),
    });
  });

  it.each([
    ['unknown-column', 422],
    ['too-many-columns', 422],
    ['too-many-readers', 429],
    ['timeline-malformed', 500],
  ])('answers a problem of the kind %s with %i', async (kind, status) => {
    const answer = await ask(serveTimeline(err(problem(kind, 'no'))).app, `/bench/${ID}/timeline`);
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['retry-after']).toBe(status === 429 ? '1' : undefined);
  });

  it('answers other methods with 405 and is named by the daemon itself', async () => {
    const { app } = serveTimeline(ok(SERIES));
    const answer = await ask(app, { method: 'DELETE', url: `/bench/${ID}/timeline` });
    expect([answer.statusCode, answer.headers.allow]).toEqual([405, 'GET, HEAD']);
    const { endpoints } = (await ask(app, '/')).json<{ endpoints: Record<string, string> }>();
    expect(endpoints['getRunTimeline']).toBe('GET /bench/{id}/timeline');
  });
});
