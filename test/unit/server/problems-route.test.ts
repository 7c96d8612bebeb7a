import { describe, expect, it } from 'vitest';
import { PROBLEM_TYPES } from '../../../src/api/problem-types.ts';
import { ask, serve } from '../../support/server.ts';

describe('GET /problems', () => {
  it('lists every type, and each can be followed', async () => {
    const { app } = serve();
    const { problems } = (await ask(app, '/problems')).json<{ problems: { type: string }[] }>();
    expect(problems).toHaveLength(Object.keys(PROBLEM_TYPES).length);
    for (const one of problems) expect((await ask(app, one.type)).json()).toEqual(one);
  });

  it('is where the type of an answer leads', async () => {
    const { app } = serve();
    const { type, status } = (await ask(app, '/bench/nothing')).json<{ type: string; status: number }>();
    const answer = await ask(app, type);
    expect(answer.json()).toMatchObject({
      type,
      status,
      title: 'Unknown run',
      whatToDo: 'GET /bench lists the runs.',
    });
  });

  it('is a page for browsers, without scripts', async () => {
    const { app } = serve();
    const answer = await ask(app, { url: '/problems/queue-full', headers: { accept: 'text/html,*/*' } });
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(answer.headers['content-security-policy']).toContain("default-src 'none'");
    expect(answer.headers.vary).toBe('Accept');
    expect(answer.body).toContain('<h2>Queue full</h2>');
    expect(answer.body).not.toContain('<script');
  });

  it.each(['nothing', 'Queue-Full', '__proto__', 'constructor', '..%2Fbench', '%3Cscript%3E'])(
    'knows no %s',
    async (kind) => {
      const answer = await ask(serve().app, { url: `/problems/${kind}`, headers: { accept: 'text/html' } });
      expect([answer.statusCode, answer.json().type]).toEqual([404, '/problems/unknown-problem']);
    },
  );
});
