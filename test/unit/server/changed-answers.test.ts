import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ask, ID, serve } from '../../support/server.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('GET /bench/{id}/changed/{variant}', () => {
  /** A run that evaluated the variant `int8`, and the file where it lists what changed. */
  function serveChanged(text: string | undefined) {
    const file = join(temporaryFolder(), 'changed-int8.jsonl');
    if (text !== undefined) writeFileSync(file, text);
    const asked: string[] = [];
    const changedItems = (id: string, variant: string) => {
      asked.push(`${id} ${variant}`);
      return variant === 'int8' ? file : undefined;
    };
    return { ...serve({ changedItems }), asked };
  }

  const LINES = '{"index":3,"reference":"class 1","candidate":"class 2"}\n{"index":9,"id":"é"}\n';

  it.each([
    ['a line for each item', LINES],
    ['nothing where no answer changed', ''],
    ['more than is read at once', LINES.repeat(10_000)],
  ])('gives the file as it is: %s', async (_what, text) => {
    const { app } = serveChanged(text);
    const answer = await ask(app, `/bench/${ID}/changed/int8`);
    expect(answer.statusCode).toBe(200);
    expect(answer.body === text).toBe(true);
    expect(answer.headers['content-type']).toBe('application/jsonl; charset=utf-8');
  });

  it('answers HEAD like GET, without a body', async () => {
    const { app } = serveChanged(LINES);
    const head = await ask(app, { method: 'HEAD', url: `/bench/${ID}/changed/int8` });
    expect([head.statusCode, head.body]).toEqual([200, '']);
    expect(head.headers['content-type']).toBe('application/jsonl; charset=utf-8');
  });

  it.each([
    ['a run that is not there', '/bench/01M83MHX4BNBFSWHZ8PWNPP7QX/changed/int8', []],
    ['a variant that the run did not evaluate', `/bench/${ID}/changed/fp32`, [`${ID} fp32`]],
    ['a variant like a path', `/bench/${ID}/changed/..%2F..%2Fetc`, [`${ID} ../../etc`]],
    ['a variant like a path that ends early', `/bench/${ID}/changed/int8%00`, [`${ID} int8\u0000`]],
    ['a run like a path', '/bench/..%2F..%2Fetc/changed/int8', []],
    ['no variant', `/bench/${ID}/changed`, []],
    ['more than a variant', `/bench/${ID}/changed/int8/x`, []],
  ])('answers 404 for %s', async (_what, url, expected) => {
    const { app, asked } = serveChanged(LINES);
    const answer = await ask(app, url);
    expect(answer.statusCode).toBe(404);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json()).toMatchObject({ status: 404, hint: expect.any(String) });
    expect(asked).toEqual(expected);
  });

  it('answers 404 where the file was removed by hand', async () => {
    const answer = await ask(serveChanged(undefined).app, `/bench/${ID}/changed/int8`);
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toMatchObject({ type: '/problems/unknown-run' });
  });

  it('answers other methods with 405 and what it takes', async () => {
    const { app, asked } = serveChanged(LINES);
    for (const method of ['POST', 'PUT', 'DELETE'] as const) {
      const answer = await ask(app, { method, url: `/bench/${ID}/changed/int8` });
      expect([answer.statusCode, answer.headers.allow]).toEqual([405, 'GET, HEAD']);
    }
    expect(asked).toEqual([]);
  });

  it('is named by the daemon itself', async () => {
    const { endpoints } = (await ask(serve().app, '/')).json<{ endpoints: Record<string, string> }>();
    expect(endpoints['getChangedItems']).toBe('GET /bench/{id}/changed/{variant}');
  });
});
