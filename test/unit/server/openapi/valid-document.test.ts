import { readFileSync } from 'node:fs';
import Schema from 'typebox/schema';
import { describe, expect, it } from 'vitest';
import { ask, OPEN, serve } from '../../../support/server.ts';

/** The OpenAPI Initiative's own schema of 3.1 documents (2026-08-03, Apache-2.0), from https://spec.openapis.org/oas/3.1/schema. */
const META = JSON.parse(
  readFileSync(new URL('../../../fixtures/openapi/openapi-3.1.schema.json', import.meta.url), 'utf8'),
) as object;

interface Document {
  readonly paths: Record<string, Record<string, Record<string, unknown>>>;
  readonly components: { readonly schemas: Record<string, object> };
}

async function served(access = OPEN): Promise<Document> {
  return (await ask(serve({}, { access }).app, '/openapi.json')).json();
}

/** Whether it is one, and what is wrong with it. */
const judged = (document: unknown) => Schema.Errors(META as never, document);

describe('the description of the API', () => {
  it.each([
    ['on loopback', OPEN],
    ['where others can ask', { ...OPEN, guardsReading: true, users: new Map([['ann', 'hash']]) }],
  ])('is an OpenAPI 3.1 document: %s', async (_where, access) => {
    expect(judged(await served(access))).toEqual([true, []]);
  });

  it.each<[string, (document: Document) => void]>([
    [
      'a parameter nowhere',
      ({ paths }) =>
        Object.assign(paths['/bench']?.['get'] as object, { parameters: [{ name: 'a', in: 'nowhere' }] }),
    ],
    ['a path that is none', ({ paths }) => Object.assign(paths, { bench: {} })],
    [
      'an answer without a word',
      ({ paths }) => Object.assign(paths['/bench']?.['get'] as object, { responses: { 200: {} } }),
    ],
    ['a component of no name', ({ components }) => Object.assign(components.schemas, { 'a b': {} })],
  ])('would not be one with %s', async (_what, damage) => {
    const document = structuredClone(await served());
    damage(document);
    expect(judged(document)[0]).toBe(false);
  });

  it('has schemas that are schemas', async () => {
    const { components } = await served();
    for (const [name, schema] of Object.entries(components.schemas)) {
      // Compiling looks at every keyword, and follows every reference.
      expect(() => Schema.Compile({ ...schema, components } as never).Errors({}), name).not.toThrow();
    }
  });

  it('leads from every reference to a component', async () => {
    const document = await served();
    const names = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(
      ([, name]) => name,
    );
    expect(names.length).toBeGreaterThan(20);
    expect(Object.keys(document.components.schemas)).toEqual(expect.arrayContaining([...new Set(names)]));
  });
});
