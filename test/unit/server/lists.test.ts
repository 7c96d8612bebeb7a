import { describe, expect, it } from 'vitest';
import type { ModelView } from '../../../src/jobs/model-view.ts';
import { ask, ID, serve } from '../../support/server.ts';

const modelOf = (name: string): ModelView => ({ name, task: 'classification', variants: [] });

/** The addresses of pages, one after another, as Link headers lead to them. */
async function follow(app: Parameters<typeof ask>[0], first: string) {
  const pages: { readonly url: string; readonly body: Record<string, unknown> }[] = [];
  for (let url: string | undefined = first; url !== undefined && pages.length < 10; ) {
    const answer = await ask(app, url);
    expect(answer.statusCode).toBe(200);
    const body = answer.json<Record<string, unknown>>();
    pages.push({ url, body });
    const next = /^<([^>]+)>; rel="next"$/.exec(String(answer.headers.link ?? ''))?.[1];
    expect(body['next']).toBe(next);
    url = next;
  }
  return pages;
}

describe('lists', () => {
  it('lead from page to page: models by name, whatever their order', async () => {
    const { app } = serve({ listModels: () => ['c', 'a', 'd', 'b'].map(modelOf) });
    const pages = await follow(app, '/models?limit=2');
    expect(pages.map(({ body }) => (body['models'] as ModelView[]).map(({ name }) => name))).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });

  it('go on behind a model that is gone', async () => {
    const { app } = serve({ listModels: () => ['a', 'c'].map(modelOf) });
    const [page] = await follow(app, '/models?after=b');
    expect(page?.body).toMatchObject({ models: [{ name: 'c' }] });
  });

  it('lead from page to page of runs, with what they were chosen by', async () => {
    const run = {
      id: ID,
      kind: 'bench',
      model: 'tiny',
      state: 'failed',
      request: null,
      createdMs: 0,
      priority: 'normal',
      attempt: 1,
    } as const;
    const ids = ['3', '2', '1'].map((digit) => ID.slice(0, -1) + digit);
    const { app } = serve({
      listRuns: ({ limit, before = 'Z' }) =>
        ids
          .filter((id) => id < before)
          .slice(0, limit)
          .map((id) => ({ ...run, id })),
    });
    const pages = await follow(app, '/bench?state=failed&limit=1');
    expect(pages.map(({ body }) => (body['runs'] as { id: string }[]).map(({ id }) => id))).toEqual(
      ids.map((id) => [id]),
    );
    expect(pages[1]?.url).toBe(`/bench?state=failed&limit=1&before=${ids[0]}`);
  });

  it('lead from page to page of the history of a model', async () => {
    const { app } = serve({
      listModels: () => [modelOf('tiny')],
      modelHistory: ({ before }) => (before === undefined ? { points: [], next: ID } : { points: [] }),
    });
    const pages = await follow(app, '/models/tiny/history?limit=7');
    expect(pages.map(({ url }) => url)).toEqual([
      '/models/tiny/history?limit=7',
      `/models/tiny/history?limit=7&before=${ID}`,
    ]);
  });

  it.each([
    '/models?limit=0',
    '/models?before=x',
    '/models/tiny/history?before=x',
    '/models/tiny/history?limit=201',
  ])('refuse %s', async (url) => {
    const { app } = serve({ listModels: () => [modelOf('tiny')] });
    const answer = await ask(app, url);
    expect([answer.statusCode, answer.json().errors]).toEqual([
      400,
      [expect.objectContaining({ pointer: expect.any(String) })],
    ]);
  });
});

describe('answers that are JSON', () => {
  it.each(['/', '/openapi.json', '/bench', `/bench/${ID}`, `/bench/${ID}/result`, '/models', '/problems'])(
    'are not sent again to whoever has them: %s',
    async (url) => {
      const { app } = serve();
      const first = await ask(app, url);
      const etag = first.headers.etag as string;
      expect([first.statusCode, etag]).toEqual([200, expect.stringMatching(/^"[\w-]{22}"$/)]);
      for (const header of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
        const again = await ask(app, { url, headers: { 'if-none-match': header } });
        expect([again.statusCode, again.body, again.headers.etag]).toEqual([304, '', etag]);
      }
      const other = await ask(app, { url, headers: { 'if-none-match': '"other"' } });
      expect([other.statusCode, other.body]).toEqual([200, first.body]);
      const head = await ask(app, { method: 'HEAD', url, headers: { 'if-none-match': etag } });
      expect([head.statusCode, head.headers.etag]).toEqual([304, etag]);
    },
  );

  it('have no tag where they are problems, or answers to an order', async () => {
    const { app } = serve();
    expect((await ask(app, '/bench/nothing')).headers.etag).toBeUndefined();
    const ordered = await ask(app, {
      method: 'POST',
      url: '/bench',
      payload: { model: 'tiny' },
      headers: { 'if-none-match': '*' },
    });
    expect([ordered.statusCode, ordered.headers.etag]).toEqual([202, undefined]);
  });
});

describe('GET /bench/{id}/result', () => {
  it('is the result alone', async () => {
    const { app } = serve();
    const { result } = (await ask(app, `/bench/${ID}`)).json<{ result: object }>();
    expect((await ask(app, `/bench/${ID}/result`)).json()).toEqual(result);
  });

  const run = {
    id: ID,
    kind: 'bench',
    model: 'tiny',
    request: null,
    priority: 'normal',
    attempt: 1,
    createdMs: 0,
  } as const;

  it('is not there while the run goes on', async () => {
    const { app } = serve({ getRun: () => ({ ...run, state: 'running' }) });
    const answer = await ask(app, `/bench/${ID}/result`);
    expect([answer.statusCode, answer.headers['retry-after'], answer.json().type]).toEqual([
      409,
      '5',
      '/problems/run-not-ended',
    ]);
  });

  it('is never there where the run failed, and says why', async () => {
    const problem = { kind: 'worker-crashed', message: 'the worker crashed' };
    const { app } = serve({ getRun: () => ({ ...run, state: 'failed', problem }) });
    const answer = await ask(app, `/bench/${ID}/result`);
    expect([answer.statusCode, answer.json().type]).toEqual([404, '/problems/unknown-run']);
    expect(answer.json().detail).toContain('it is failed: the worker crashed');
    expect((await ask(serve({ getRun: () => undefined }).app, `/bench/${ID}/result`)).statusCode).toBe(404);
  });
});
