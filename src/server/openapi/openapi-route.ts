import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { json } from '../../api/operation.ts';
import { describe, type PlacedOperation } from './describe.ts';
import { type DescribedAccess, openApiDocument } from './document.ts';

const DescriptionOperation = describe({
  id: 'getApiDescription',
  tag: 'docs',
  summary: 'This description (OpenAPI 3.1)',
  answers: {
    200: json(
      Type.Object({ openapi: Type.String(), info: Type.Object({}), paths: Type.Object({}) }),
      'The description',
    ),
  },
});

/** `GET /openapi.json`: the description of all routes, those that are added later too. */
export function addOpenApi(
  app: FastifyInstance,
  operations: readonly PlacedOperation[],
  access: DescribedAccess,
): void {
  let text: string | undefined;
  app.get('/openapi.json', DescriptionOperation, async (_request, reply) => {
    text ??= JSON.stringify(openApiDocument(operations, access));
    return reply
      .type('application/json; charset=utf-8')
      .serializer((ready: unknown) => String(ready))
      .send(text);
  });
}
