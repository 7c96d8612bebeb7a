import type { FastifyInstance } from 'fastify';
import { problem } from '../core/problem.ts';
import type { CollectedRoutes } from './openapi/describe.ts';
import { sendProblem } from './problem-response.ts';
import { pathOf } from './request-path.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'QUERY'] as const;

/** A path that exists answers every method that it does not take with 405, before a body is read. Called when all routes are there. */
export function refuseOtherMethods(app: FastifyInstance, { methods }: CollectedRoutes): void {
  for (const [url, taken] of [...methods]) {
    const allowed = METHODS.filter((method) => taken.includes(method)).join(', ');
    app.route({
      method: METHODS.filter((method) => !taken.includes(method)),
      url,
      config: { operation: false },
      onRequest: async (request, reply) =>
        sendProblem(reply.header('allow', allowed), [
          problem('method-not-allowed', `${pathOf(request)} does not take ${request.method}`, {
            hint: `it takes ${allowed}`,
          }),
        ]),
      handler: () => {
        throw new Error('the hook answers');
      },
    });
  }
}
