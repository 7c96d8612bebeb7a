import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ModelView } from '../../../src/jobs/model-view.ts';
import { ask, serve } from '../../support/server.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const HASH = 'cd'.repeat(32);
const model: ModelView = {
  name: 'tiny',
  task: 'classification',
  variants: [
    { variant: 'fp32', bench: [], speedUps: [] },
    { variant: 'int8', sizeBytes: 10, artifact: HASH, bench: [], speedUps: [] },
  ],
  recommended: { variant: 'int8', reason: 'it is faster' },
  run: { id: '01M83MHX4BNBFSWHZ8PWNPP7QM', finishedMs: 0 },
};
const FILE = '/models/tiny/variants/int8/file';

/** The artifact lies in a folder whose name begins with a dot, as data directories do. */
function withArtifact({ hasData = false } = {}) {
  const folder = join(temporaryFolder(), '.ptq-agent/with space');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${HASH}.onnx`);
  writeFileSync(file, '0123456789');
  const data = `${file}.data`;
  if (hasData) writeFileSync(data, 'weights');
  const files = hasData ? { file, data } : { file };
  return serve({
    listModels: () => [model],
    artifactFiles: (hash) => (hash === HASH ? files : undefined),
  }).app;
}

describe('the models of a daemon', () => {
  it('are listed and shown, with links to their files and their last run', async () => {
    const { app } = serve({ listModels: () => [model] });
    const shown = (await ask(app, '/models/tiny')).json();
    expect(shown).toMatchObject({
      href: '/models/tiny',
      recommended: { variant: 'int8', reason: 'it is faster' },
      run: { href: '/bench/01M83MHX4BNBFSWHZ8PWNPP7QM', finishedAt: '1970-01-01T00:00:00.000Z' },
      variants: [{ variant: 'fp32' }, { variant: 'int8', artifact: HASH, file: FILE }],
    });
    expect((await ask(app, '/models')).json()).toEqual({ models: [shown] });
  });

  it('are found by their names alone', async () => {
    const { app } = serve({ listModels: () => [model] });
    const answer = await ask(app, '/models/huge');
    expect([answer.statusCode, answer.json().hint]).toEqual([404, 'registered are: tiny']);
  });
});

describe('the file of a variant', () => {
  it('is sent whole, under a name that people understand', async () => {
    const answer = await ask(withArtifact(), FILE);
    expect([answer.statusCode, answer.body]).toEqual([200, '0123456789']);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': 'attachment; filename="tiny-int8.onnx"',
      'content-length': '10',
      'accept-ranges': 'bytes',
      'cache-control': expect.stringContaining('immutable'),
    });
  });

  it.each([
    ['bytes=0-3', 206, '0123', 'bytes 0-3/10'],
    ['bytes=8-', 206, '89', 'bytes 8-9/10'],
    ['bytes=-1', 206, '9', 'bytes 9-9/10'],
    ['bytes=20-', 416, undefined, 'bytes */10'],
    ['lines=1-2', 200, '0123456789', undefined],
  ])('is sent in part: %s', async (range, status, body, told) => {
    const answer = await ask(withArtifact(), { url: FILE, headers: { range } });
    expect([answer.statusCode, answer.headers['content-range']]).toEqual([status, told]);
    if (body !== undefined) expect(answer.body).toBe(body);
  });

  it('is not sent to who has it, and a break is gone on from', async () => {
    const app = withArtifact();
    const { etag } = (await ask(app, FILE)).headers;
    const known = await ask(app, { url: FILE, headers: { 'if-none-match': String(etag) } });
    expect([known.statusCode, known.body]).toEqual([304, '']);
    const rest = await ask(app, { url: FILE, headers: { range: 'bytes=4-', 'if-range': String(etag) } });
    expect([rest.statusCode, rest.body]).toEqual([206, '456789']);
  });

  it.each([
    '/models/tiny/variants/fp32/file',
    '/models/tiny/variants/int4/file',
    '/models/tiny/variants/..%2F..%2Fetc/file',
    '/models/huge/variants/int8/file',
  ])('is not there for %s', async (url) => {
    expect((await ask(withArtifact(), url)).statusCode).toBe(404);
  });

  it('comes with its external data, under the name that the model finds it by', async () => {
    const app = withArtifact({ hasData: true });
    const int8 = (await ask(app, '/models/tiny')).json<{ variants: { data?: string }[] }>().variants[1];
    const answer = await ask(app, int8?.data ?? 'no link');
    expect([answer.statusCode, answer.body]).toEqual([200, 'weights']);
    expect(answer.headers['content-disposition']).toBe(`attachment; filename="${HASH}.onnx.data"`);
  });

  it('says so where it has no external data', async () => {
    const app = withArtifact();
    const { variants } = (await ask(app, '/models/tiny')).json<{ variants: object[] }>();
    expect(variants[1]).not.toHaveProperty('data');
    expect((await ask(app, FILE.replace('/file', '/data'))).json()).toMatchObject({
      status: 404,
      detail: "the variant 'int8' of 'tiny' has no external data",
      hint: expect.stringContaining(FILE),
    });
  });

  it('is not there where it was removed', async () => {
    const { app } = serve({ listModels: () => [model] });
    expect((await ask(app, FILE)).json()).toMatchObject({ type: '/problems/unknown-artifact' });
  });

  it('takes no other method', async () => {
    for (const url of ['/models', '/models/tiny', FILE])
      expect((await ask(withArtifact(), { method: 'DELETE', url })).statusCode).toBe(405);
  });
});
