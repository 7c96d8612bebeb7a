import { describe, expect, it } from 'vitest';
import { problem } from '../../../src/core/problem.ts';
import type { ReloadStatus } from '../../../src/jobs/reload/reloader.ts';
import { ask, serve } from '../../support/server.ts';

const GOOD: ReloadStatus = {
  successful: true,
  trigger: 'request',
  attemptedMs: 2000,
  succeededMs: 2000,
  problems: [],
  changes: { models: { added: ['tiny'], removed: [], changed: [] }, settings: ['log'], restartNeeded: [] },
};
const BAD: ReloadStatus = {
  ...GOOD,
  successful: false,
  attemptedMs: 3000,
  problems: [
    problem('invalid-value', '"listen" is "http://user:s3cret@host"', {
      place: { file: '/etc/agent.yaml', line: 3, field: '/listen' },
      hint: 'write HOST:PORT',
    }),
  ],
};

const withStatus = (status: ReloadStatus) =>
  serve({}, { context: { reloader: { status, reload: async () => status } } }).app;

describe('/-/reload', () => {
  it('answers with what is in use since when, and what came of it', async () => {
    const answer = await ask(withStatus(GOOD), { method: 'POST', url: '/-/reload' });
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({ succeededAt: '1970-01-01T00:00:02.000Z', changes: GOOD.changes });
    expect(answer.json()).not.toHaveProperty('succeededMs');
  });

  it('points to file, line and field of what is wrong, without the secret in it', async () => {
    const refused = await ask(withStatus(BAD), { method: 'POST', url: '/-/reload' });
    expect(refused.statusCode).toBe(409);
    expect(refused.headers['content-type']).toContain('application/problem+json');
    expect(refused.json()).toMatchObject({
      type: '/problems/config-refused',
      errors: [{ file: '/etc/agent.yaml', line: 3, pointer: '/listen', hint: 'write HOST:PORT' }],
    });
    const status = await ask(withStatus(BAD), '/-/reload');
    expect(status.json()).toMatchObject({ successful: false, problems: [{ place: { line: 3 } }] });
    for (const { body } of [refused, status]) expect(body).not.toContain('s3cret');
  });

  it('needs a credential to be asked for, and none to be looked at', async () => {
    const app = withStatus(GOOD);
    expect((await app.inject({ method: 'POST', url: '/-/reload' })).statusCode).toBe(401);
    expect((await app.inject({ method: 'GET', url: '/-/reload' })).statusCode).toBe(200);
  });
});
