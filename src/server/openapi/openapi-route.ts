import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { json } from '../../api/operation.ts';
import { describe, type PlacedOperation } from './describe.ts';
import { type DescribedAccess, openApiDocument } from './document.ts';

/** `GET /openapi.json`: the description of all routes, those that are added later too. */
export function addOpenApi(
  app: FastifyInstance,
  operations: readonly PlacedOperation[],
  access: DescribedAccess,
): void {
  let made: { readonly text: string; readonly etag: string } | undefined;
  const document = () => {
    if (made !== undefined) return made;
    const text = JSON.stringify(openApiDocument(operations, access));
    made = { text, etag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"` };
    return made;
  };
  app.get(
    '/openapi.json',
    describe({
      id: 'getApiDescription',
      tag: 'docs',
      summary: 'This description (OpenAPI 3.1)',
      answers: {
        200: json(
          Type.Object({ openapi: Type.String(), info: Type.Object({}), paths: Type.Object({}) }),
          'The description',
          {
            etag: 'of its content',
          },
        ),
        304: { description: 'It is the one that If-None-Match names' },
      },
    }),
    async (request, reply) => {
      const { text, etag } = document();
      reply.headers({ etag, 'cache-control': 'no-cache' });
      if (request.headers['if-none-match'] === etag) return reply.code(304).send();
      return reply
        .type('application/json; charset=utf-8')
        .serializer((ready: unknown) => String(ready))
        .send(text);
    },
  );
}
