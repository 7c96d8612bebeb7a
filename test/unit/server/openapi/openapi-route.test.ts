import Fastify from 'fastify';
import Type from 'typebox';
import { describe, expect, it } from 'vitest';
import { json } from '../../../../src/api/operation.ts';
import { createComponents } from '../../../../src/server/openapi/components.ts';
import { collectRoutes, describe as describeRoute } from '../../../../src/server/openapi/describe.ts';
import type { ApiDescription } from '../../../support/described-answers.ts';
import { ask, OPEN, serve } from '../../../support/server.ts';

async function description(access = OPEN): Promise<ApiDescription & Record<string, unknown>> {
  const answer = await ask(serve({}, { access }).app, '/openapi.json');
  expect([answer.statusCode, answer.headers['content-type']]).toEqual([
    200,
    'application/json; charset=utf-8',
  ]);
  return answer.json();
}

describe('GET /openapi.json', () => {
  it('describes every path, its parameters and its answers', async () => {
    const { openapi, paths } = await description();
    expect(openapi).toBe('3.1.0');
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining([
        '/',
        '/metrics',
        '/bench',
        '/bench/{id}/events',
        '/models/{model}/variants/{variant}/file',
      ]),
    );
    expect(paths['/models/{model}/variants/{variant}/file']?.['get']?.parameters).toMatchObject([
      { name: 'model', in: 'path', required: true },
      { name: 'variant', in: 'path', required: true },
    ]);
    expect(paths['/bench']?.['get']?.parameters).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: 'limit', in: 'query', required: false })]),
    );
    expect(Object.keys(paths['/bench']?.['post']?.responses ?? {})).toEqual(
      expect.arrayContaining(['202', '400', '401', '413', '415', '422', '429', '500', '507']),
    );
  });

  it('names the types of the problems that an operation can answer', async () => {
    const { paths } = await description();
    const types = (path: string, method: string, status: string) =>
      JSON.stringify(paths[path]?.[method]?.responses[status]);
    expect(types('/bench', 'post', '422')).toContain('"/problems/unknown-suite"');
    expect(types('/bench', 'get', '400')).toContain('"/problems/invalid-request"');
    expect(paths['/bench']?.['get']?.responses).not.toHaveProperty('422');
  });

  it('has every schema with a title once, and references to it', async () => {
    const { components, paths } = await description();
    expect(components.schemas).toHaveProperty('Run');
    expect(JSON.stringify(paths['/bench/{id}']?.['get']?.responses['200'])).toContain(
      '"#/components/schemas/Run"',
    );
    const names = [...JSON.stringify([paths, components]).matchAll(/#\/components\/schemas\/(\w+)/g)].map(
      ([, name]) => name,
    );
    expect(new Set(names)).toEqual(new Set(Object.keys(components.schemas)));
  });

  it.each([
    [false, [{}, { token: [] }]],
    [true, [{ token: [] }]],
  ])('says which credentials are needed where reading is guarded: %s', async (guardsReading, security) => {
    const { paths } = await description({ ...OPEN, guardsReading });
    expect(paths['/bench']?.['get']).toMatchObject({ security });
    expect(paths['/bench']?.['post']).toMatchObject({ security: [{ token: [] }] });
    expect(paths['/-/healthy']?.['get']).toMatchObject({ security: [] });
  });

  it('is not sent again to whoever has it', async () => {
    const { app } = serve();
    const { etag } = (await ask(app, '/openapi.json')).headers;
    const again = await ask(app, { url: '/openapi.json', headers: { 'if-none-match': etag as string } });
    expect([again.statusCode, again.body]).toEqual([304, '']);
    const other = await ask(app, { url: '/openapi.json', headers: { 'if-none-match': '"another"' } });
    expect(other.statusCode).toBe(200);
  });
});

describe('every answer', () => {
  it.each(['/', '/bench', '/nothing', '/bench/%ZZ'])('has the version of the API: %s', async (url) => {
    const { app } = serve();
    const { info } = (await ask(app, '/openapi.json')).json<ApiDescription>();
    expect((await ask(app, url)).headers['ptq-api-version']).toBe(info.version);
  });
});

describe('routes', () => {
  const operation = describeRoute({
    id: 'getThing',
    tag: 'host',
    summary: 'A thing',
    answers: { 200: json(Type.Object({}), 'The thing') },
  });

  it('cannot be added without a description', () => {
    const app = Fastify();
    collectRoutes(app);
    expect(() => app.get('/thing', async () => ({}))).toThrow('GET /thing is not described');
  });

  it('cannot share the name of an operation', () => {
    const app = Fastify();
    collectRoutes(app);
    app.get('/thing', operation, async () => ({}));
    expect(() => app.get('/other', operation, async () => ({}))).toThrow(
      'two operations are called getThing',
    );
  });
});

describe('components', () => {
  it('are one for each title', () => {
    const { place, schemas } = createComponents();
    const thing = Type.Object({ title: Type.String() }, { title: 'Thing' });
    expect(place(Type.Array(thing))).toEqual({
      type: 'array',
      items: { $ref: '#/components/schemas/Thing' },
    });
    expect(schemas['Thing']).toMatchObject({ properties: { title: { type: 'string' } } });
    expect(() => place(Type.String({ title: 'Thing' }))).toThrow('two schemas are called Thing');
  });
});
